//! What is refused before any endpoint: it has a line at `debug`, because strangers cause it, and no record.

use axum::extract::Request;
use axum::response::Response;

use super::super::answer;
use super::super::connection::Connection;
use super::super::request_id::RequestId;
use crate::domain::refusal::{Refusal, RequestFault};

/// The answer, and its line. The line does not tell the path, which may hold a secret.
pub(super) fn refuse(request: &Request, fault: RequestFault) -> Response {
    let refusal = Refusal::Request(fault);
    if tracing::enabled!(tracing::Level::DEBUG) {
        tell(request, &refusal);
    }
    answer::refuse(&refusal)
}

fn tell(request: &Request, refusal: &Refusal) {
    let told = refusal.explain();
    let id = request.extensions().get::<RequestId>();
    tracing::debug!(
        request_id = id.map(|it| tracing::field::display(it.0)),
        source = %Connection::of(request).source(),
        error = told.error.as_str(),
        check = told.finding.check.name(),
        expected = told.finding.check.expected(),
        found = &*told.finding.found,
        remedy = told.finding.remedy.as_deref().unwrap_or("-"),
        "refused before any endpoint"
    );
}
