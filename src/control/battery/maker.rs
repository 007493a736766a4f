//! Makes the entries of one battery. All of them differ from the same good token, and what they share is made once.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::entry::Entry;
use super::proofs::{Bond, Purpose, proof};
use super::standing;
use crate::control::fault::Fault;
use crate::control::mint::holder::{Holder, Terms};
use crate::control::mint::other_issuers::STAGING;
use crate::control::mint::our_keys;
use crate::control::mint::signing::{Key, Signed};
use crate::control::state::Control;
use crate::control::strangers;
use crate::crypto::jws::held_key::HeldKey;
use crate::crypto::random;
use crate::domain::audience::{SenderConstraint, TokenFormat};
use crate::domain::battery::Case;
use crate::domain::battery::flaws::{Surroundings, deviation};
use crate::domain::battery::selection::{Binding, Subject, entries};
use crate::domain::deviation::Deviation;
use crate::domain::scope::ScopeSet;
use crate::domain::timestamp::{Seconds, Timestamp};

/// However short an audience's tokens live, those of a battery outlive its sending.
const A_MINUTE: Seconds = Seconds::new(60);
/// What is asked for where every scope of the audience is needed.
const NO_SCOPE_OF_THE_AUDIENCE: &str = "scope-of-another-api";

/// What a battery, or one entry of it, is for.
#[derive(Clone, Debug, Default)]
pub(in crate::control) struct Asked {
    pub(in crate::control) audience: Option<String>,
    pub(in crate::control) client_id: Option<String>,
    pub(in crate::control) scope: Option<ScopeSet>,
    pub(in crate::control) binding: Option<Binding>,
    pub(in crate::control) method: Option<String>,
    pub(in crate::control) url: Option<String>,
    pub(in crate::control) introspects: bool,
}

/// What all entries share.
pub(in crate::control) struct Maker<'c> {
    control: &'c Control,
    holder: Holder,
    other_client: Option<Holder>,
    terms: Terms,
    now: Timestamp,
    binding: Option<Binding>,
    introspects: bool,
    bond: Option<Bond>,
    other_bond: Option<Bond>,
    /// The `kid` of the good token.
    kid: String,
    other_scope: String,
    stranger: Arc<HeldKey>,
    /// Of the good token, whose proof is used again.
    good: tokio::sync::OnceCell<(Entry, Signed)>,
}

impl<'c> Maker<'c> {
    /// # Errors
    /// 400 and 404 for what was asked, 409 where nobody may call the audience, 503.
    pub(in crate::control) async fn new(control: &'c Control, asked: Asked) -> Result<Self, Fault> {
        let audience = asked.audience.as_deref();
        let holder = Holder::chosen(control, asked.client_id.as_deref(), audience).await?;
        if holder.audience.format == TokenFormat::Opaque {
            let opaque = format!(
                "the tokens of {} are opaque: an API asks introspection what they are, and has nothing to get wrong",
                holder.audience.id
            );
            return Err(Fault::conflict(opaque).at("audience"));
        }
        let binding = asked.binding.or(match holder.audience.sender_constraint {
            SenderConstraint::None => None,
            SenderConstraint::Mtls => Some(Binding::Mtls),
            SenderConstraint::Dpop | SenderConstraint::Any => Some(Binding::Dpop),
        });
        let (bond, other_bond) = match binding {
            None => (None, None),
            Some(Binding::Dpop) => {
                let purpose = Purpose::new(asked.method, asked.url.as_deref())?;
                let other = Bond::to_key(purpose.clone()).await?;
                (Some(Bond::to_key(purpose).await?), Some(other))
            }
            Some(Binding::Mtls) => (
                Some(Bond::to_certificate(control)?),
                Some(Bond::to_certificate(control)?),
            ),
        };
        let algorithm = holder.audience.algorithm;
        let scope = asked.scope.unwrap_or_else(|| holder.usual_scope());
        let now = control.grantd().clock().now();
        let longest = control.settings().tokens.max_lifetime;
        Ok(Self {
            other_client: holder.other(control).await?,
            terms: Terms {
                issued_at: now,
                lifetime: Some(holder.usual_lifetime(longest).max(A_MINUTE)),
                confirmation: bond.as_ref().map(Bond::confirmation),
                scope: Some(scope.clone()),
            },
            now,
            binding,
            introspects: asked.introspects,
            bond,
            other_bond,
            kid: our_keys::active(control, algorithm).await?.kid().to_owned(),
            other_scope: other_scope(&holder, &scope),
            stranger: control.mint().strangers.key(algorithm).await?,
            good: tokio::sync::OnceCell::new(),
            control,
            holder,
        })
    }

    fn subject(&self) -> Subject<'_> {
        let audience = &self.holder.audience;
        Subject {
            audience: audience.id.as_str(),
            algorithm: audience.algorithm,
            jwt_typ: audience.jwt_typ,
            has_scope: self.terms.scope.as_ref().is_some_and(|it| !it.is_empty()),
            has_other_client: self.other_client.is_some(),
            binding: self.binding,
            introspects: self.introspects,
        }
    }

    /// The entries, in the order in which they are sent.
    pub(in crate::control) fn cases(&self) -> Vec<Case> {
        entries(self.subject()).collect()
    }

    /// One of them, and what its token says.
    ///
    /// # Errors
    /// 503.
    pub(in crate::control) async fn make(&self, case: Case) -> Result<(Entry, Signed), Fault> {
        match case {
            Case::Good => self.good().await,
            // What the good one has sent already.
            Case::ProofReplayed => {
                let (good, signed) = self.good().await?;
                let entry = Entry {
                    after: Some(Case::Good),
                    ..good.under(case)
                };
                Ok((entry, signed))
            }
            Case::NoJwt => {
                let signed = Signed {
                    token: random::token_id() + &random::token_id(),
                    header: serde_json::Map::new(),
                    claims: serde_json::Map::new(),
                };
                self.sent(case, signed)
            }
            Case::TwoTokens => {
                let (first, second) = (self.good_token().await?, self.good_token().await?);
                let (mut entry, signed) = self.sent(case, first)?;
                let both = format!(
                    "{0} {1}, {0} {2}",
                    self.scheme(case),
                    signed.token,
                    second.token
                );
                entry.headers.insert("Authorization", both);
                Ok((entry, signed))
            }
            Case::RetiredKey => self.by_retired_key().await,
            Case::StagingIssuer => self.sent(case, self.of_staging().await?),
            Case::OtherClient => {
                let holder = self.other_client.as_ref().unwrap_or(&self.holder);
                self.sent(case, self.token(case, holder).await?)
            }
            Case::ClientDisabled => {
                let holder = standing::disabled(self.control, &self.holder).await?;
                self.sent(case, self.token(case, &holder).await?)
            }
            Case::Revoked => {
                let signed = self.token(case, &self.holder).await?;
                standing::revoke(self.control, &signed.claims).await?;
                self.sent(case, signed)
            }
            _ => self.sent(case, self.token(case, &self.holder).await?),
        }
    }

    async fn good(&self) -> Result<(Entry, Signed), Fault> {
        let make = async || self.sent(Case::Good, self.good_token().await?);
        self.good.get_or_try_init(make).await.cloned()
    }

    async fn good_token(&self) -> Result<Signed, Fault> {
        self.token(Case::Good, &self.holder).await
    }

    /// The token of an entry: that of a client, with the one flaw.
    async fn token(&self, case: Case, holder: &Holder) -> Result<Signed, Fault> {
        let claims = holder.claims(self.control, self.terms.clone())?;
        let differs = self.deviation(case, &claims);
        let algorithm = holder.audience.algorithm;
        let key = Key::chosen(self.control, &differs.key, algorithm).await?;
        let typ = Some(holder.audience.jwt_typ.as_str());
        key.sign_token(self.control, (typ, claims), &differs)
    }

    fn deviation(&self, case: Case, claims: &serde_json::Map<String, Value>) -> Deviation {
        let url = self.control.url();
        let algorithm = self.holder.audience.algorithm;
        let other = self.other_bond.as_ref().map(Bond::confirmation);
        let around = Surroundings {
            now: self.now,
            kid: &self.kid,
            other_scope: &self.other_scope,
            other_confirmation: &json!(other),
            stranger_jwk: &self.stranger.public_jwk(),
            stranger_jwks_url: &strangers::jwks_url(url),
            stranger_certificate_url: &strangers::certificate_url(url, algorithm),
        };
        deviation(case, claims, &around)
    }

    /// Signed by the other issuer's key for the same algorithm: an API must not refuse it for another reason.
    async fn of_staging(&self) -> Result<Signed, Fault> {
        let staging = self.control.mint().issuers.named(STAGING)?;
        let audience = &self.holder.audience;
        let key = Key::Held(staging.keys.key(audience.algorithm).await?);
        let mut claims = self.holder.claims(self.control, self.terms.clone())?;
        claims.insert("iss".to_owned(), json!(staging.url(self.control.url())));
        let typ = Some(audience.jwt_typ.as_str());
        key.sign_token(self.control, (typ, claims), &Deviation::default())
    }

    async fn by_retired_key(&self) -> Result<(Entry, Signed), Fault> {
        let audience = &self.holder.audience;
        let retired = our_keys::retired(self.control, audience.algorithm).await?;
        let claims = self.holder.claims(self.control, self.terms.clone())?;
        let typ = Some(audience.jwt_typ.as_str());
        let key = Key::Ours(retired.signer);
        let signed = key.sign_token(self.control, (typ, claims), &Deviation::default())?;
        let (mut entry, signed) = self.sent(Case::RetiredKey, signed)?;
        let cached = self.control.settings().keys.jwks_max_age;
        let left = retired.since.plus(cached).unix() - self.control.grantd().database_now().unix();
        entry.cached_for_seconds = u64::try_from(left).ok().filter(|left| *left > 0);
        Ok((entry, signed))
    }

    fn scheme(&self, case: Case) -> &'static str {
        let is_bound_to_key = matches!(self.bond, Some(Bond::Key(..)));
        if is_bound_to_key && case != Case::BoundAsBearer {
            "DPoP"
        } else {
            "Bearer"
        }
    }

    /// The entry for a token: with the headers that its name wants.
    fn sent(&self, case: Case, signed: Signed) -> Result<(Entry, Signed), Fault> {
        let token = &signed.token;
        let authorization = format!("{} {token}", self.scheme(case));
        let mut headers = IndexMap::from([("Authorization", authorization)]);
        let shows = !matches!(case, Case::BoundWithoutProof | Case::BoundAsBearer);
        let bond = self.bond.as_ref().filter(|_| shows);
        if let Some(Bond::Key(held, purpose)) = bond {
            let proof = proof((held, purpose), (case, token), self.now)?;
            headers.insert("DPoP", proof);
        }
        let entry = Entry {
            access_token: token.clone(),
            headers,
            certificate_pem: bond.and_then(Bond::certificate_pem),
            private_key_pem: bond.map(Bond::private_key_pem),
            ..Entry::blank(case)
        };
        Ok((entry, signed))
    }
}

/// A scope of the audience that is not needed, or else one that it does not have.
fn other_scope(holder: &Holder, needed: &ScopeSet) -> String {
    let mut scopes = holder.audience.scopes.keys();
    let other = scopes.find(|scope| !needed.contains(scope));
    other.map_or_else(|| NO_SCOPE_OF_THE_AUDIENCE.to_owned(), ToString::to_string)
}
