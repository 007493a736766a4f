//! `POST /oauth2/introspect`, RFC 7662; signed for who asks for that, RFC 9701.

use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::accept;
use super::answer::{ok_as, ok_json};
use super::call::{Call, answer};
use super::state::HttpState;
use crate::domain::decision::{Decision, Outcome};
use crate::operations::caller::Caller;

/// The media type of a signed answer (RFC 9701 section 5).
const SIGNED: &str = "application/token-introspection+jwt";
const PLAIN: &str = "application/json";

/// Tells whether a token is active.
pub(super) async fn post(State(state): State<HttpState>, request: Request) -> Response {
    let is_signed = accept::prefers(request.headers(), SIGNED, PLAIN);
    let handle = async |call: Call, caller: &Caller, decision: &mut Decision| {
        let token = call.token(decision)?;
        let presented = call.authentication(decision)?;
        let told = state
            .grantd
            .introspect_token(presented, token, caller, decision)
            .await?;
        let (outcome, members) = match told.token {
            Ok(members) => (Outcome::Active, Value::Object(members)),
            // Exactly this, whatever the reason (RFC 7662 section 2.2).
            Err(fault) => (Outcome::Inactive(fault), json!({ "active": false })),
        };
        let signed = if is_signed {
            let asker = (&told.to, told.at);
            state.grantd.sign_introspection(asker, &members).await?
        } else {
            None
        };
        let response = match signed {
            Some(jwt) => ok_as(SIGNED, jwt.into_bytes()),
            None => ok_json(members.to_string().into_bytes()),
        };
        Ok((outcome, response))
    };
    answer(&state, request, "introspection", handle).await
}
