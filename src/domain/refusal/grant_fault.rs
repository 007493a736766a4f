//! Faults of what an authenticated client asks for.

use super::exchange_fault::{ExchangeFault, SCOPE_REFUSED};
use crate::domain::check::{Check, Finding};
use crate::domain::client::GrantType;
use crate::domain::explanation::{ErrorCode, Explanation};
use crate::domain::foreign_token::ForeignFault;
use crate::domain::identifier::AudienceId;
use crate::domain::policy::Unheld;

/// So many of a client's policies or audiences are named in one line.
const MOST_NAMED: usize = 5;

/// Why an authenticated client does not get what it asked for. A text in it is what came, as
/// [`shown`](crate::domain::shown) shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantFault {
    /// The client did not register this grant.
    GrantNotRegistered(GrantType),
    /// The client has no policy that holds for this request; those that do not hold.
    NoPolicy(Vec<Unheld>),
    /// `scope` is not a list of scopes.
    ScopeGrammar(String),
    /// None of the client's audiences has this scope.
    ScopeUnknown(String),
    /// The scopes belong to several audiences.
    ScopesOfSeveralAudiences(Vec<AudienceId>),
    /// The policy does not grant this scope.
    ScopeOutsidePolicy {
        /// The audience.
        audience: AudienceId,
        /// The scope.
        scope: String,
    },
    /// No scope was named, and the policy has no default.
    NoDefaultScopes(AudienceId),
    /// `resource` is not an absolute URI without fragment, or is too long.
    TargetGrammar(String),
    /// Several resources, or `resource` and `audience` name different ones.
    SeveralTargets(String, String),
    /// The audience does not exist, or this client may not use it.
    TargetRefused {
        /// The audience.
        target: String,
        /// What stands in the way.
        why: TargetRefused,
    },
    /// The request does not tell which of several audiences it means.
    TargetAmbiguous(Vec<AudienceId>),
    /// The token of an issuer that is a grant does not count.
    Assertion(ForeignFault),
    /// What a token exchange is asked for cannot be had.
    Exchange(ExchangeFault),
    /// The token to revoke was issued to another client.
    TokenOfAnotherClient(String),
}

/// Why a client may not use an audience. Logged, but never told to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetRefused {
    /// The audience is unknown.
    Unknown,
    /// The audience exists, and the client has no policy for it.
    NoPolicy,
    /// The client has a policy for it that does not hold.
    Unheld(Unheld),
    /// The client may use an audience whose name is almost the same.
    NearOwn(AudienceId),
    /// An audience exists whose name is almost the same; the client may not use that either.
    NearOther(AudienceId),
}

impl From<ExchangeFault> for GrantFault {
    fn from(fault: ExchangeFault) -> Self {
        Self::Exchange(fault)
    }
}

impl GrantFault {
    /// The client is never told which of its policies or audiences there are.
    pub(super) fn explain(&self) -> Explanation<'_> {
        use ErrorCode::{InvalidGrant, InvalidScope, InvalidTarget, UnauthorizedClient};
        let (error, description, finding) = match self {
            Self::GrantNotRegistered(grant) => (
                UnauthorizedClient,
                "this client may not use this grant type",
                Finding::new(Check::GrantRegistered, grant.as_str())
                    .remedy("add the grant to the client's grants"),
            ),
            Self::NoPolicy(unheld) => (
                UnauthorizedClient,
                "this client may not get tokens here",
                Finding::new(Check::Policy, listed(unheld, "no policy at all")).remedy(
                    "give the client a policy for the audience, or look at the policy's networks, methods, grants, exchange, \
                     issuer, subjects and enabled",
                ),
            ),
            Self::ScopeGrammar(found) => (
                InvalidScope,
                "scope must be scope names separated by single spaces",
                Finding::new(Check::ScopeForm, found)
                    .remedy("let the client send scope names separated by single spaces, and no commas"),
            ),
            Self::ScopeUnknown(scope) => (
                InvalidScope,
                SCOPE_REFUSED,
                Finding::new(Check::ScopeKnown, format!("{scope}, in none of its audiences"))
                    .remedy(ADD_SCOPE),
            ),
            Self::ScopeOutsidePolicy { audience, scope } => (
                InvalidScope,
                SCOPE_REFUSED,
                Finding::new(Check::ScopeGranted, format!("{scope} at {audience}")).remedy(ADD_SCOPE),
            ),
            Self::ScopesOfSeveralAudiences(audiences) => (
                InvalidScope,
                "the scopes belong to more than one audience",
                Finding::new(Check::ScopesTogether, format!("scopes of {}", listed(audiences, "none")))
                    .remedy("let the client ask for a token for each audience"),
            ),
            Self::NoDefaultScopes(audience) => (
                InvalidScope,
                "name the scopes: this client has no default",
                Finding::new(Check::ScopeNamed, format!("none, at {audience}"))
                    .remedy("let the client send scope, or give the policy default_scopes"),
            ),
            Self::TargetGrammar(found) => (
                InvalidTarget,
                "resource must be an absolute URI without fragment",
                Finding::new(Check::TargetForm, found)
                    .remedy("let the client send a name that is no URI as audience, not as resource"),
            ),
            Self::SeveralTargets(one, other) => (
                InvalidTarget,
                "a token has exactly one audience",
                Finding::new(Check::OneTarget, format!("{one} and {other}"))
                    .remedy("let the client ask for a token for each audience"),
            ),
            Self::TargetRefused { target, why } => (
                InvalidTarget,
                "this audience is unknown or not granted to this client",
                why.explain(target),
            ),
            Self::TargetAmbiguous(audiences) => (
                InvalidTarget,
                "name the audience: this client has more than one",
                Finding::new(Check::TargetNamed, format!("none, where it could be {}", listed(audiences, "any")))
                    .remedy("let the client send audience or resource"),
            ),
            Self::Assertion(fault) => (
                InvalidGrant,
                "the assertion is invalid, expired or used before, or its issuer is not trusted",
                fault.explain(),
            ),
            Self::Exchange(fault) => return fault.explain(),
            Self::TokenOfAnotherClient(holder) => (
                InvalidGrant,
                "the token was issued to another client",
                Finding::new(Check::TokenOwner, format!("a token of {holder}"))
                    .remedy("revoke it as the client that it was issued to"),
            ),
        };
        Explanation {
            error,
            description,
            finding,
        }
    }
}

const ADD_SCOPE: &str = "add the scope to the audience and to the client's policy";

impl TargetRefused {
    fn explain<'f>(&'f self, target: &'f str) -> Finding<'f> {
        let give = "give the client a policy for the audience";
        match self {
            Self::Unknown => Finding::new(Check::Target, target).remedy(
                "compare it with the audiences of the catalog: names are compared character by character",
            ),
            Self::NoPolicy => {
                Finding::new(Check::Target, format!("{target}, without a policy")).remedy(give)
            }
            Self::Unheld(unheld) => Finding::new(Check::Target, unheld.to_string())
                .remedy("look at networks, methods, grants, exchange, issuer, subjects and enabled of that policy"),
            Self::NearOwn(near) => Finding::new(Check::Target, target).remedy(format!(
                "let the client ask for {near}: names are compared character by character"
            )),
            Self::NearOther(near) => Finding::new(Check::Target, target).remedy(format!(
                "if {near} is meant, {give} and let it ask for that: names are compared character by character"
            )),
        }
    }
}

/// Some of `items` in words, or `none`.
fn listed<T: ToString>(items: &[T], none: &str) -> String {
    let mut words: Vec<String> = items.iter().take(MOST_NAMED).map(T::to_string).collect();
    if let Some(more) = items.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
        words.push(format!("{more} more"));
    }
    if words.is_empty() {
        none.to_owned()
    } else {
        words.join(", ")
    }
}
