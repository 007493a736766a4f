//! `POST /oauth2/revoke`, RFC 7009.

use axum::extract::{Request, State};
use axum::response::Response;

use super::answer::ok_empty;
use super::call::{Call, answer};
use super::state::HttpState;
use crate::domain::decision::{Decision, Outcome};
use crate::operations::caller::Caller;

/// Revokes a token.
pub(super) async fn post(State(state): State<HttpState>, request: Request) -> Response {
    let handle = async |call: Call, caller: &Caller, decision: &mut Decision| {
        let token = call.token(decision)?;
        let presented = call.authentication(decision)?;
        let revoked = state
            .grantd
            .revoke_token(presented, token, caller, decision)
            .await?;
        Ok((Outcome::Revoked(revoked.err()), ok_empty()))
    };
    answer(&state, request, "revocation", handle).await
}
