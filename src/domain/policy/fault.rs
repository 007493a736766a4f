//! What is wrong with a policy: of its client, and at its audience.

use std::collections::BTreeMap;

use super::{Policy, SubjectSource};
use crate::domain::audience::{Audience, LifetimeAbove};
use crate::domain::client::{AuthMethod, Client};
use crate::domain::identifier::{AudienceId, IssuerId};
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::trusted_issuer::{IssuerUse, TrustedIssuer, names};
use crate::domain::{extra_claims, shown};

/// Why a client may not have a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// An audience that is the client itself.
    #[error(
        "an audience may not have the id of the client that asks for it (aud would equal client_id)"
    )]
    AudienceIsClient,
    /// An audience that is nowhere.
    #[error("there is no audience {audience}{near}")]
    NoAudience {
        /// Its name, as it may be shown.
        audience: String,
        /// The nearest one, as the end of a sentence.
        near: String,
    },
    /// A policy that grants nothing.
    #[error("this key is required and missing; name at least one scope of the audience")]
    NoScopes,
    /// A scope that the audience does not know.
    #[error("{scope} is not a scope of {audience}; {known}")]
    UnknownScope {
        /// The scope, as it may be shown.
        scope: String,
        /// The audience.
        audience: AudienceId,
        /// What the audience knows, as a sentence.
        known: String,
    },
    /// A default scope that the policy does not permit.
    #[error("{0} is not among the policy's `scopes`; add it there or remove it here")]
    DefaultScope(String),
    /// A lifetime above the most that there may be.
    #[error(transparent)]
    LifetimeAbove(#[from] LifetimeAbove),
    /// Tokens of an exchange that would live longer than the audience allows.
    #[error("lifetime: {0}")]
    ExchangeLifetime(LifetimeAbove),
    /// Tokens of an issuer that is nowhere.
    #[error("{}there is no issuer {issuer}{near}", place(*what))]
    NoIssuer {
        /// What its tokens would be.
        what: IssuerUse,
        /// Its id.
        issuer: IssuerId,
        /// The nearest one, as the end of a sentence.
        near: String,
    },
    /// Tokens of an issuer that is not trusted with such.
    #[error("{}the tokens of issuer {issuer} are no {}: add \"{what}\" to its `use`", place(*what), plural(*what))]
    NotTrustedWith {
        /// What its tokens would be.
        what: IssuerUse,
        /// Its id.
        issuer: IssuerId,
    },
    /// Subjects of nobody's tokens.
    #[error(
        "these are the subjects of an issuer's tokens, and the policy names no `issuer`: name it, or write the `subjects` \
         of an exchange into `exchange`"
    )]
    SubjectsOfNobody,
    /// Methods of which the client has none.
    #[error(
        "the client's `auth` has none of these methods, so this policy would never hold: name one that it has, or \
         leave `methods` out"
    )]
    Methods,
    /// The claims of a client and of its policy together are too large.
    #[error(
        "tokens for {0} get the client's claims and these, and both together may have at most {most}",
        most = extra_claims::BOUNDS
    )]
    ClaimsTogether(AudienceId),
}

/// The key within `exchange`, as the begin of a sentence.
const fn place(what: IssuerUse) -> &'static str {
    match what {
        IssuerUse::Exchange => "from: ",
        _ => "",
    }
}

const fn plural(what: IssuerUse) -> &'static str {
    match what {
        IssuerUse::Client => "assertions",
        IssuerUse::Exchange => "subject tokens",
        IssuerUse::Grant => "grants",
    }
}

impl PolicyFault {
    /// The key of the policy that is wrong.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::AudienceIsClient | Self::NoAudience { .. } => "audience",
            Self::NoScopes | Self::UnknownScope { .. } => "scopes",
            Self::DefaultScope(_) => "default_scopes",
            Self::LifetimeAbove(_) => "token_lifetime",
            Self::ExchangeLifetime(_) => "exchange",
            Self::NoIssuer { what, .. } | Self::NotTrustedWith { what, .. } => match what {
                IssuerUse::Exchange => "exchange",
                _ => "issuer",
            },
            Self::SubjectsOfNobody => "subjects",
            Self::Methods => "methods",
            Self::ClaimsTogether(_) => "claims",
        }
    }

    /// Of an audience that none of `known` is.
    #[must_use]
    pub fn no_audience<'k>(
        audience: &AudienceId,
        known: impl IntoIterator<Item = &'k AudienceId>,
    ) -> Self {
        let known = known.into_iter().map(AudienceId::as_str);
        let near = shown::nearest(audience.as_str(), known);
        Self::NoAudience {
            audience: shown::unknown_url(audience.as_str()),
            near: near.map_or_else(String::new, |near| format!("; the nearest is {near}")),
        }
    }
}

impl Policy {
    /// What is wrong with the issuers whose tokens it lets the client bring, where these are all that there are.
    #[must_use]
    pub fn faults_by(&self, issuers: &BTreeMap<&IssuerId, &TrustedIssuer>) -> Vec<PolicyFault> {
        let sources = self.exchange.iter().flat_map(|it| &it.from);
        let subjects = sources.filter_map(|it| match it {
            SubjectSource::Issuer(issuer) => Some((issuer, IssuerUse::Exchange)),
            SubjectSource::Audience(_) => None,
        });
        let grants = self.issuer.iter().map(|it| (it, IssuerUse::Grant));
        let fault = |(id, what): (&IssuerId, IssuerUse)| match issuers.get(id) {
            Some(issuer) if issuer.may_be(what) => None,
            Some(_) => Some(PolicyFault::NotTrustedWith {
                what,
                issuer: id.clone(),
            }),
            None => Some(PolicyFault::NoIssuer {
                what,
                issuer: id.clone(),
                near: names::instead_of(id, issuers.keys().copied()),
            }),
        };
        subjects.chain(grants).filter_map(fault).collect()
    }

    /// What is wrong with it as a policy of `client`, for what concerns the two alone.
    #[must_use]
    pub fn faults_of(&self, client: &Client) -> Vec<PolicyFault> {
        let mut faults = Vec::new();
        if self.audience.as_str() == client.id.as_str() {
            faults.push(PolicyFault::AudienceIsClient);
        }
        if self.scopes.is_empty() {
            faults.push(PolicyFault::NoScopes);
        }
        if let Some(outside) = self.default_scopes.first_outside(&self.scopes) {
            let permitted = self.scopes.iter().map(Scope::as_str);
            let shown = shown::unknown(outside.as_str(), permitted);
            faults.push(PolicyFault::DefaultScope(shown));
        }
        let may_use = |method: &AuthMethod| client.may_use(*method);
        if !self.methods.is_empty() && !self.methods.iter().any(may_use) {
            faults.push(PolicyFault::Methods);
        }
        if self.issuer.is_none() && !self.subjects.is_empty() {
            faults.push(PolicyFault::SubjectsOfNobody);
        }
        faults.extend(self.claims_fault(client));
        faults
    }

    /// Claims that fit on their own and not beside the client's.
    #[must_use]
    pub fn claims_fault(&self, client: &Client) -> Option<PolicyFault> {
        let merged = extra_claims::merged(&client.claims, &self.claims);
        (!extra_claims::fit(&merged)).then(|| PolicyFault::ClaimsTogether(self.audience.clone()))
    }

    /// Whether it names scopes of its audience only, and gives no longer life than that allows.
    #[must_use]
    pub fn faults_at(&self, audience: &Audience) -> Vec<PolicyFault> {
        let mut faults = Vec::new();
        let known: ScopeSet = audience.scopes.keys().cloned().collect();
        if let Some(scope) = self.scopes.first_outside(&known) {
            let names = || audience.scopes.keys().map(Scope::as_str);
            let near = shown::nearest(scope.as_str(), names()).unwrap_or_default();
            let list = known.to_string().replace(' ', ", ");
            faults.push(PolicyFault::UnknownScope {
                scope: shown::unknown(scope.as_str(), names()),
                audience: audience.id.clone(),
                known: match audience.scopes.len() {
                    0 => "it has no scopes".to_owned(),
                    1 => format!("it has {list}"),
                    _ => format!("the nearest is {near}; it has {list}"),
                },
            });
        }
        let lifetime = self.token_lifetime;
        let fault = lifetime.and_then(|given| audience.lifetime_fault(given));
        faults.extend(fault.map(PolicyFault::from));
        let of_exchange = self.exchange.as_ref().and_then(|it| it.lifetime);
        let fault = of_exchange.and_then(|given| audience.lifetime_fault(given));
        faults.extend(fault.map(PolicyFault::ExchangeLifetime));
        faults
    }
}
