//! A policy: client X may get scopes S for audience A.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value};

use super::client::AuthMethod;
use super::identifier::AudienceId;
use super::scope::ScopeSet;
use super::timestamp::Seconds;

/// What one client may get at one audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The audience.
    pub audience: AudienceId,
    /// What may be granted.
    pub scopes: ScopeSet,
    /// What is granted where the request names no scope; empty: such a request is refused.
    pub default_scopes: ScopeSet,
    /// In place of the audience's token lifetime; never above its most.
    pub token_lifetime: Option<Seconds>,
    /// Extra claims of its tokens, laid over the client's; see [`super::extra_claims`].
    pub claims: Map<String, Value>,
    /// The source networks it holds for; empty: all.
    pub networks: Vec<IpNet>,
    /// The authentication methods it holds for; empty: all.
    pub methods: Vec<AuthMethod>,
    /// Whether it holds at all.
    pub enabled: bool,
}

impl Policy {
    /// Whether it holds for a request from `source` by a client that authenticated with `method`.
    /// A policy that does not hold counts as absent.
    #[must_use]
    pub fn holds(&self, source: IpAddr, method: AuthMethod) -> bool {
        let network = self.networks.is_empty()
            || self
                .networks
                .iter()
                .any(|network| network.contains(&source.to_canonical()));
        let method = self.methods.is_empty() || self.methods.contains(&method);
        self.enabled && network && method
    }
}
