//! What every handler can reach.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::body::BodyLimits;
use crate::domain::issuer::Issuer;
use crate::domain::profile::Profile;
use crate::domain::proxy::TrustedProxies;
use crate::operations::Grantd;

/// The replica, and how it is published.
#[derive(Clone, Debug)]
pub struct HttpState {
    /// The replica.
    pub grantd: Arc<Grantd>,
    /// How it is published.
    pub publication: Arc<Publication>,
    /// The proxies in front that are trusted to say whose request they pass on; none: nobody is.
    pub proxies: Option<Arc<TrustedProxies>>,
}

/// How a replica is published.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The issuer.
    pub issuer: Issuer,
    /// The security profile.
    pub profile: Profile,
    /// Bounds of request bodies.
    pub body_limits: BodyLimits,
    /// How long JWKS and metadata may be cached, in seconds.
    pub max_age: u32,
    /// Whether the metadata names what some readers demand and a server without users does not have; see
    /// [`Self::serves_strict_readers`].
    pub for_strict_readers: bool,
    /// Further members of the metadata, none of them ours.
    pub extra_metadata: Map<String, Value>,
    /// Where client certificates are asked for; none: nowhere.
    pub mutual_tls: Option<MutualTls>,
}

/// How the mutual-TLS listener is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutualTls {
    /// Scheme, host and port, in the place of the issuer's.
    pub origin: String,
    /// Whether client CAs are configured, without which there is no `tls_client_auth`.
    pub has_client_cas: bool,
}

impl Publication {
    /// Whether `authorization_endpoint` and `response_types_supported` are published. The profile fapi2 publishes
    /// what there is, and nothing else.
    #[must_use]
    pub fn serves_strict_readers(&self) -> bool {
        self.for_strict_readers && self.profile == Profile::Default
    }

    /// The URL of an endpoint on the mutual-TLS listener, where there is one; `path` begins with a slash.
    #[must_use]
    pub fn mutual_endpoint(&self, path: &str) -> Option<String> {
        let mutual = self.mutual_tls.as_ref()?;
        Some(format!("{}{}{path}", mutual.origin, self.issuer.path()))
    }
}
