//! One call of a form endpoint: its form, where it came from, and the decision that is made on it.

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;

use super::answer;
use super::body::read_form;
use super::caller;
use super::client_credentials;
use super::connection::Connection;
use super::form::Form;
use super::layers::RequestId;
use super::state::HttpState;
use crate::domain::decision::{Decision, Refused};
use crate::domain::presented::Presented;
use crate::domain::refusal::{Refusal, RequestFault};
use crate::operations::caller::Caller;
use crate::operations::error::{OperationError, Outage};

/// Seconds after which a client may try again.
const RETRY_AFTER: u32 = 1;

/// A call whose form was read.
pub(super) struct Call {
    pub(super) form: Form,
    /// Those that say who sends it, see [`read_form`].
    pub(super) headers: HeaderMap,
}

/// Runs one form endpoint: reads the form, lets `handle` work, and turns whatever went wrong into an answer
/// and its record.
pub(super) async fn answer(
    state: &HttpState,
    request: Request,
    endpoint: &'static str,
    handle: impl AsyncFnOnce(Call, &Caller, &mut Decision) -> Result<Response, OperationError>,
) -> Response {
    let connection = Connection::of(&request);
    let caller = caller::of(state, &connection, &request);
    let mut decision = Decision {
        request_id: request
            .extensions()
            .get()
            .copied()
            .unwrap_or_else(RequestId::default)
            .0,
        endpoint,
        source: caller
            .as_ref()
            .map_or_else(|_| connection.source(), |it| it.source),
        proxy: caller.as_ref().ok().and_then(|it| it.proxy),
        client: None,
        method: None,
    };
    let result = async {
        let caller = caller?;
        let (headers, form) = read_form(request, state.body_limits()).await?;
        handle(Call { form, headers }, &caller, &mut decision).await
    };
    match result.await {
        Ok(response) => response,
        Err(OperationError::Refused(refusal)) => {
            state.grantd.recognise_neighbour(&mut decision);
            refused(state, &decision, &refusal)
        }
        Err(OperationError::Unavailable(outage)) => unavailable(&decision, &outage),
    }
}

impl Call {
    /// The client authentication of the request, unverified.
    pub(super) fn presented(&self) -> Result<Presented, RequestFault> {
        client_credentials::presented(&self.headers, &self.form)
    }

    /// The parameter `token`, which must be there (RFC 7662 section 2.1, RFC 7009 section 2.1).
    pub(super) fn token(&self) -> Result<&str, RequestFault> {
        self.form.get("token").ok_or(RequestFault::MissingToken)
    }
}

fn refused(state: &HttpState, decision: &Decision, refusal: &Refusal) -> Response {
    state.grantd.record_refusal(&Refused { decision, refusal });
    answer::refuse(refusal)
}

fn unavailable(decision: &Decision, outage: &Outage) -> Response {
    tracing::warn!(
        request_id = %decision.request_id,
        endpoint = decision.endpoint,
        %outage,
        "answered 503"
    );
    answer::unavailable(RETRY_AFTER)
}
