//! What every handler can reach.

use std::sync::Arc;

use super::body::BodyLimits;
use crate::config::settings::Settings;
use crate::operations::Grantd;

/// The replica, and its settings.
#[derive(Clone, Debug)]
pub struct HttpState {
    /// The replica.
    pub grantd: Arc<Grantd>,
    /// Its settings, which say how it is published and which proxies are trusted.
    pub settings: Arc<Settings>,
}

impl HttpState {
    /// The bounds of request bodies.
    pub(super) fn body_limits(&self) -> BodyLimits {
        BodyLimits::of(&self.settings.limits)
    }
}
