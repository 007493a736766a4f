//! The routes of both listeners.

use axum::Router;
use axum::routing::{any, get, post, put};

use super::health::{self, HealthState};
use super::layers;
use super::state::HttpState;
use super::{authorize, introspect, jwks, log_level, metadata, metrics, revoke, token};

/// The routes of one listener.
pub type Routes = Router;

/// The body of their answers.
pub type AnswerBody = axum::body::Body;

/// The two names of the discovery document.
pub const WELL_KNOWN: [&str; 2] = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
];

/// The public listener: endpoints below the issuer's path, metadata where clients look for it.
pub fn public(state: HttpState) -> Routes {
    let path = state.settings.issuer.path().to_owned();
    let mut router = Router::new()
        .route(&format!("{path}/oauth2/token"), post(token::post))
        .route(&format!("{path}/oauth2/introspect"), post(introspect::post))
        .route(&format!("{path}/oauth2/revoke"), post(revoke::post))
        .route(&format!("{path}/oauth2/jwks"), get(jwks::get))
        .route("/.well-known/jwks.json", get(jwks::get));
    if state.settings.serves_strict_readers() {
        router = router.route(&format!("{path}/oauth2/authorize"), any(authorize::any));
    }
    for name in WELL_KNOWN {
        // RFC 8414 section 3.1 inserts the name before the path; many clients append it instead.
        router = router.route(&format!("{name}{path}"), get(metadata::get));
        if !path.is_empty() {
            router = router.route(&format!("{path}{name}"), get(metadata::get));
        }
    }
    layers::surround(router).with_state(state)
}

/// The operations listener, which strangers do not reach.
pub fn operations(state: HealthState) -> Routes {
    let router = Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/startupz", get(health::startupz))
        .route("/metrics", get(metrics::get))
        .route("/log", put(log_level::put));
    layers::surround(router).with_state(state)
}
