//! A policy: client X may get scopes S for audience A.

mod exchange;
mod fault;
mod obstacle;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use exchange::{Exchange, InvalidKeptClaim, KeptClaim, SubjectSource};
pub use fault::PolicyFault;
pub use obstacle::{Circumstance, Obstacle, Purpose, Unheld};

use super::audience::LONGEST_LIFETIME;
use super::client::{AuthMethod, GrantType};
use super::glob::Glob;
use super::identifier::{AudienceId, IssuerId};
use super::scope::ScopeSet;
use super::timestamp::Seconds;
use super::trusted_issuer::IssuerUse;
use super::{extra_claims, shape};

/// What one client may get at one audience; as a document a `[[client.policy]]` of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The audience.
    pub audience: AudienceId,
    /// What may be granted.
    #[serde(default)]
    pub scopes: ScopeSet,
    /// What is granted where the request names no scope; empty: such a request is refused.
    #[serde(default)]
    pub default_scopes: ScopeSet,
    /// In place of the audience's token lifetime; never above its most.
    #[serde(
        default,
        deserialize_with = "shape::optional_span::<_, LONGEST_LIFETIME>"
    )]
    pub token_lifetime: Option<Seconds>,
    /// Extra claims of its tokens, laid over the client's; see [`super::extra_claims`].
    #[serde(default, deserialize_with = "extra_claims::deserialize")]
    pub claims: Map<String, Value>,
    /// The source networks it holds for; empty: all.
    #[serde(default, deserialize_with = "shape::networks")]
    pub networks: Vec<IpNet>,
    /// The authentication methods it holds for; empty: all.
    #[serde(default)]
    pub methods: Vec<AuthMethod>,
    /// The grants that it holds for; empty: each, token exchange where `exchange` says how, and a trusted issuer's token
    /// where `issuer` names one.
    #[serde(default, deserialize_with = "shape::set")]
    pub grants: Vec<GrantType>,
    /// Which tokens the client may exchange for one of this audience; none: no token.
    #[serde(default)]
    pub exchange: Option<Exchange>,
    /// Whose tokens the client may bring as a grant (RFC 7523 section 2.1); none: nobody's.
    #[serde(default)]
    pub issuer: Option<IssuerId>,
    /// Of whom these tokens may speak: their `sub`; empty: of anybody.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "shape::one_or_many"
    )]
    pub subjects: Vec<Glob>,
    /// Whether it holds at all.
    #[serde(default = "yes")]
    pub enabled: bool,
}

const fn yes() -> bool {
    true
}

impl Policy {
    /// One that states nothing but its audience, and grants nothing yet.
    #[must_use]
    pub fn bare(audience: AudienceId) -> Self {
        Self {
            audience,
            scopes: ScopeSet::default(),
            default_scopes: ScopeSet::default(),
            token_lifetime: None,
            claims: Map::new(),
            networks: Vec::new(),
            methods: Vec::new(),
            grants: Vec::new(),
            exchange: None,
            issuer: None,
            subjects: Vec::new(),
            enabled: true,
        }
    }

    /// What the tokens of `issuer` may be for it.
    #[must_use]
    pub fn uses_of(&self, issuer: &IssuerId) -> Vec<IssuerUse> {
        let is_it =
            |from: &SubjectSource| matches!(from, SubjectSource::Issuer(it) if it == issuer);
        let mut from = self.exchange.iter().flat_map(|it| &it.from);
        let exchanged = from.any(is_it).then_some(IssuerUse::Exchange);
        let granted = self.issuer.as_ref().filter(|it| *it == issuer);
        exchanged
            .into_iter()
            .chain(granted.map(|_| IssuerUse::Grant))
            .collect()
    }

    /// What it says of exchanges, where one is asked for: of another grant that says nothing.
    #[must_use]
    pub fn exchange_by(&self, grant: GrantType) -> Option<&Exchange> {
        self.exchange
            .as_ref()
            .filter(|_| grant == GrantType::TokenExchange)
    }

    /// How long a token lives that it gives by `grant`; `None`: as long as the audience says.
    #[must_use]
    pub fn lifetime_by(&self, grant: GrantType) -> Option<Seconds> {
        let exchange = self.exchange_by(grant);
        exchange.and_then(|it| it.lifetime).or(self.token_lifetime)
    }
}
