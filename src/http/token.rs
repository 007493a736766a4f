//! `POST /oauth2/token`, RFC 6749 section 3.2.

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;

use super::answer::{offer_nonce, ok_json};
use super::call::{Answered, Call, answer};
use super::dpop;
use super::form::Form;
use super::state::HttpState;
use crate::domain::client::GrantType;
use crate::domain::decision::{Decision, Outcome};
use crate::domain::presented_exchange::ACCESS_TOKEN;
use crate::domain::refusal::RequestFault;
use crate::operations::caller::Caller;
use crate::operations::issue_token::{Asked, AskedGrant};

/// The body of a successful answer, RFC 6749 section 5.1.
#[derive(Serialize)]
struct TokenBody<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u32,
    scope: &'a str,
    /// What was issued in exchange (RFC 8693 section 2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
}

/// Issues a token.
pub(super) async fn post(State(state): State<HttpState>, request: Request) -> Response {
    answer(
        &state,
        request,
        "token",
        async |call: Call, caller: &Caller, decision: &mut Decision| {
            issue(&state, &call, caller, decision).await
        },
    )
    .await
}

async fn issue(
    state: &HttpState,
    call: &Call,
    caller: &Caller,
    decision: &mut Decision,
) -> Answered {
    let grant = AskedGrant::read(grant(&call.form)?, |name| call.form.get(name), decision)?;
    let resources = call.form.all("resource");
    let asked = Asked {
        grant,
        scope: call.form.get("scope"),
        resources: &resources,
        audience: call.form.get("audience"),
        proof: dpop::find(&call.headers),
    };
    let issued = state
        .grantd
        .issue_token(call.authentication(decision)?, asked, caller, decision)
        .await?;
    let body = TokenBody {
        access_token: &issued.access_token,
        token_type: issued.token_type,
        expires_in: issued.expires_in,
        scope: &issued.scope,
        issued_token_type: matches!(grant, AskedGrant::TokenExchange(_)).then_some(ACCESS_TOKEN),
    };
    let mut response = ok_json(serde_json::to_vec(&body).unwrap_or_default());
    offer_nonce(response.headers_mut(), state.grantd.dpop_nonce().as_deref());
    Ok((Outcome::Issued, response))
}

fn grant(form: &Form) -> Result<GrantType, RequestFault> {
    let name = form.get("grant_type");
    GrantType::asked_for(name.ok_or(RequestFault::MissingGrantType)?)
}
