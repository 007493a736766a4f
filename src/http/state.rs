//! What every handler can reach.

use std::sync::Arc;

use super::body::BodyLimits;
use crate::domain::issuer::Issuer;
use crate::domain::profile::Profile;
use crate::operations::Grantd;

/// The replica, and how it is published.
#[derive(Clone, Debug)]
pub struct HttpState {
    /// The replica.
    pub grantd: Arc<Grantd>,
    /// How it is published.
    pub publication: Arc<Publication>,
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
    /// `response_types_supported`, for clients that insist on it.
    pub response_types_supported: Option<Vec<String>>,
}
