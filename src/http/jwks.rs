//! `GET /oauth2/jwks` and `GET /.well-known/jwks.json`, RFC 7517 section 5.

use axum::extract::State;
use axum::response::Response;

use super::answer::{cacheable_json, unavailable};
use super::state::HttpState;

/// The public keys. Once they were loaded this always answers, whether or not the database does.
pub(super) async fn get(State(state): State<HttpState>) -> Response {
    match state.grantd.keys() {
        None => unavailable(1),
        Some(ring) => {
            let jwks = ring.jwks(state.grantd.database_now());
            cacheable_json(
                "application/json",
                jwks.into(),
                state.settings.keys.jwks_max_age.get(),
                None,
            )
        }
    }
}
