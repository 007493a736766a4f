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
use super::identifier::AudienceId;
use super::scope::ScopeSet;
use super::timestamp::Seconds;
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
    /// The grants that it holds for; empty: each, and token exchange where `exchange` says how.
    #[serde(default, deserialize_with = "shape::set")]
    pub grants: Vec<GrantType>,
    /// Which tokens the client may exchange for one of this audience; none: no token.
    #[serde(default)]
    pub exchange: Option<Exchange>,
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
            enabled: true,
        }
    }

    /// How long a token lives that it gives by `grant`; `None`: as long as the audience says.
    #[must_use]
    pub fn lifetime_by(&self, grant: GrantType) -> Option<Seconds> {
        let exchange = self
            .exchange
            .as_ref()
            .filter(|_| grant == GrantType::TokenExchange);
        exchange.and_then(|it| it.lifetime).or(self.token_lifetime)
    }
}
