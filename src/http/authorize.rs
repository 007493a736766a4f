//! `/oauth2/authorize`, which refuses whatever comes: readers of the metadata that demand an `authorization_endpoint`
//! (RFC 8414 section 2) get one, and nobody is authorized by it.

use axum::extract::State;
use axum::response::Response;

use super::answer::{refuse, unavailable};
use super::state::HttpState;
use crate::domain::refusal::RequestFault;

/// The error of RFC 6749 section 4.1.2.1, never by way of a redirect: no `redirect_uri` is known, so none is trusted.
pub(super) async fn any(State(state): State<HttpState>) -> Response {
    if state.grantd.keys().is_none() {
        return unavailable(1);
    }
    refuse(&RequestFault::NoAuthorization.into())
}
