//! Answers where no endpoint does: unknown paths, other methods, and a handler that panicked.

use std::any::Any;

use axum::extract::Request;
use axum::response::Response;

use super::super::answer;
use super::unserved;
use crate::domain::refusal::RequestFault;

/// Seconds after which a client may try again what panicked.
const RETRY_AFTER: u32 = 5;

pub(super) async fn unknown_path(request: Request) -> Response {
    unserved::refuse(&request, RequestFault::UnknownPath)
}

/// axum adds the `Allow` of the route; an OPTIONS gets this as well, because no browser is a client here.
pub(super) async fn other_method(request: Request) -> Response {
    unserved::refuse(&request, RequestFault::Method(""))
}

/// The backstop for a bug: JSON and 503, because a stranger must never see a 500 or a cut connection (B-H07).
/// What the panic says stays out of the log, because it may quote the request.
pub(super) fn after_panic(_payload: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request handler panicked: this is a bug in grantd");
    answer::unavailable(RETRY_AFTER)
}
