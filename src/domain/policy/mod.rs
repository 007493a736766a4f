//! A policy: client X may get scopes S for audience A.

mod fault;

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use fault::PolicyFault;

use super::audience::LONGEST_LIFETIME;
use super::client::AuthMethod;
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
    /// Whether it holds at all.
    #[serde(default = "yes")]
    pub enabled: bool,
}

const fn yes() -> bool {
    true
}

/// Why a policy does not hold for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is switched off.
    Disabled,
    /// It is for other networks.
    Network(IpAddr),
    /// It is for other methods of authentication.
    Method(AuthMethod),
}

/// A policy that does not hold, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unheld {
    /// What it is for.
    pub audience: AudienceId,
    /// Why it does not hold.
    pub obstacle: Obstacle,
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
            enabled: true,
        }
    }

    /// What keeps it from holding for a request from `source` by a client that authenticated with `method`; such a
    /// policy counts as absent.
    #[must_use]
    pub fn obstacle(&self, source: IpAddr, method: AuthMethod) -> Option<Obstacle> {
        let within = |network: &IpNet| network.contains(&source.to_canonical());
        if !self.enabled {
            Some(Obstacle::Disabled)
        } else if !self.networks.is_empty() && !self.networks.iter().any(within) {
            Some(Obstacle::Network(source))
        } else if !self.methods.is_empty() && !self.methods.contains(&method) {
            Some(Obstacle::Method(method))
        } else {
            None
        }
    }
}

impl fmt::Display for Unheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let audience = &self.audience;
        match self.obstacle {
            Obstacle::Disabled => write!(f, "{audience}, whose policy is disabled"),
            Obstacle::Network(source) => {
                write!(
                    f,
                    "{audience}, whose policy is not for the network of {source}"
                )
            }
            Obstacle::Method(method) => write!(f, "{audience}, whose policy is not for {method}"),
        }
    }
}
