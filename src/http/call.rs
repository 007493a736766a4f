//! One call of a form endpoint: its form, where it came from, and the decision that is made on it.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName};
use axum::response::Response;

use super::answer;
use super::body::read_form;
use super::client_credentials;
use super::connection::Connection;
use super::form::Form;
use super::origin;
use super::request_id::RequestId;
use super::state::HttpState;
use super::witness::Witness;
use crate::domain::check::Chain;
use crate::domain::decision::{Decided, Decision, Outcome};
use crate::domain::presented::Presented;
use crate::domain::refusal::RequestFault;
use crate::domain::traceparent::Traceparent;
use crate::operations::Grantd;
use crate::operations::caller::Caller;
use crate::operations::error::OperationError;

/// Seconds after which a client may try again.
const RETRY_AFTER: u32 = 1;

/// Of W3C Trace Context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A call whose form was read.
pub(super) struct Call {
    pub(super) form: Form,
    /// Those that say who sends it, see [`read_form`].
    pub(super) headers: HeaderMap,
}

/// What an endpoint comes to.
pub(super) type Answered = Result<(Outcome, Response), OperationError>;

/// Runs one form endpoint: reads the form, lets `handle` work, turns whatever came of it into an answer, and hands its
/// record to the one place that writes it down.
pub(super) async fn answer(
    state: &HttpState,
    mut request: Request,
    endpoint: &'static str,
    handle: impl AsyncFnOnce(Call, &Caller, &mut Decision) -> Answered,
) -> Response {
    let clock = state.grantd.clock();
    let begin = clock.monotonic();
    let connection = Connection::of(&request);
    let caller = origin::of(state, &connection, &request);
    let from = caller
        .as_ref()
        .map_or_else(|_| (connection.source(), None), |it| (it.source, it.proxy));
    let id = request.extensions().get::<RequestId>().copied();
    let id = id.unwrap_or_else(RequestId::new).0;
    let witness = Witness::of(&mut request);
    let mut decision = Decision::new(id, endpoint, clock.now(), from);
    decision.traceparent = traceparent(request.headers());
    let mut record = Record {
        grantd: &state.grantd,
        begin,
        witness,
        decided: Decided::abandoned(decision),
    };
    let decision = &mut record.decided.decision;
    let result = async {
        let caller = caller?;
        decision.passed(Chain::Origin);
        let (headers, form) = read_form(request, state.body_limits()).await?;
        decision.passed(Chain::Form);
        handle(Call { form, headers }, &caller, decision).await
    };
    let (outcome, response) = result.await.unwrap_or_else(failed);
    let source = record.decided.decision.source;
    let late = state.grantd.lateness(&outcome, source);
    let outcome = record.witness.judged(&record.decided.decision, outcome);
    record.decided.end(outcome);
    drop(record);
    clock.pause(late).await;
    response
}

/// `None` if there are several, because it is unclear which one is meant.
fn traceparent(headers: &HeaderMap) -> Option<Traceparent> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let first = values.next()?;
    Traceparent::parse(first.as_bytes()).filter(|_| values.next().is_none())
}

/// What is written down of one request, however that ends: also where it is dropped, because nobody waits for the answer.
struct Record<'g> {
    grantd: &'g Grantd,
    begin: Duration,
    witness: Witness,
    decided: Decided,
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let bug = "a panic, whose place the line before tells: this is a bug in grantd";
            self.decided.end(Outcome::Unavailable(bug.to_owned()));
        }
        let now = self.grantd.clock().monotonic();
        self.decided.took = now.saturating_sub(self.begin);
        self.grantd.write_down(&mut self.decided);
        self.witness.written(&self.decided);
    }
}

fn failed(error: OperationError) -> (Outcome, Response) {
    match error {
        OperationError::Refused(refusal) => {
            let response = answer::refuse(&refusal);
            (Outcome::Refused(refusal), response)
        }
        OperationError::Unavailable(outage) => (
            Outcome::Unavailable(outage.to_string()),
            answer::unavailable(RETRY_AFTER),
        ),
    }
}

impl Call {
    /// The client authentication of the request, unverified.
    pub(super) fn authentication(
        &self,
        decision: &mut Decision,
    ) -> Result<Presented, RequestFault> {
        let presented = client_credentials::find(&self.headers, &self.form)?;
        decision.passed(Chain::Presentation);
        Ok(presented)
    }

    /// The parameter `token`, which must be there (RFC 7662 section 2.1, RFC 7009 section 2.1).
    pub(super) fn token(&self, decision: &mut Decision) -> Result<&str, RequestFault> {
        let token = self.form.get("token").ok_or(RequestFault::MissingToken)?;
        decision.passed(Chain::TokenParameter);
        Ok(token)
    }
}
