//! `POST /oauth2/introspect`, RFC 7662.

use axum::extract::{Request, State};
use axum::response::Response;

use super::answer::ok_json;
use super::call::{Call, answer};
use super::state::HttpState;
use crate::domain::decision::{Decision, Outcome};
use crate::operations::caller::Caller;

/// Exactly this, whatever the reason (RFC 7662 section 2.2).
const INACTIVE: &[u8] = br#"{"active":false}"#;

/// Tells whether a token is active.
pub(super) async fn post(State(state): State<HttpState>, request: Request) -> Response {
    let handle = async |call: Call, caller: &Caller, decision: &mut Decision| {
        let token = call.token(decision)?;
        let presented = call.authentication(decision)?;
        let told = state
            .grantd
            .introspect_token(presented, token, caller, decision)
            .await?;
        Ok(match told {
            Ok(members) => {
                let members = serde_json::Value::Object(members).to_string();
                (Outcome::Active, ok_json(members.into_bytes()))
            }
            Err(fault) => (Outcome::Inactive(fault), ok_json(INACTIVE.to_vec())),
        })
    };
    answer(&state, request, "introspection", handle).await
}
