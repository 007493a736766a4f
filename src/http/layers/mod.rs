//! What surrounds every endpoint: request id, checks of the head, JSON for what no endpoint answers.

pub mod host;
mod unserved;

use std::any::Any;

use axum::Router;
use axum::extract::Request;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tower_http::catch_panic::CatchPanicLayer;

use super::answer;
use super::request_id::RequestId;
use crate::domain::refusal::RequestFault;

/// Seconds after which a client may try again what panicked.
const RETRY_AFTER: u32 = 5;

/// How a listener answers what no endpoint of it does.
pub trait Refuse: Fn(&Request, RequestFault) -> Response + Clone + Send + Sync + 'static {}

impl<F: Fn(&Request, RequestFault) -> Response + Clone + Send + Sync + 'static> Refuse for F {}

/// Surrounds a router that has all its routes; called last.
///
/// Every answer gets an `x-request-id` of ours and, unless it says otherwise, `no-store`. What no route
/// answers is JSON too: 404, and 405 with `Allow`.
pub fn surround<S>(router: Router<S>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    identify(answer_all(router, unserved::refuse), unserved::refuse)
}

/// The inner half of [`surround`]: whatever no route answers is refused.
pub fn answer_all<S>(router: Router<S>, refuse: impl Refuse) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let (unknown_path, other_method) = (refuse.clone(), refuse);
    let unknown_path =
        async move |request: Request| unknown_path(&request, RequestFault::UnknownPath);
    // axum adds the `Allow` of the route; an OPTIONS gets this as well, because no browser is a client here.
    let other_method =
        async move |request: Request| other_method(&request, RequestFault::Method(""));
    router
        .fallback(unknown_path)
        .method_not_allowed_fallback(other_method)
}

/// The outer half of [`surround`].
pub fn identify<S>(router: Router<S>, refuse: impl Refuse) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    // In one step: each one boxes every request and its answer.
    router.layer((
        from_fn(move |request, next| around(request, next, refuse.clone())),
        CatchPanicLayer::custom(after_panic),
    ))
}

async fn around(mut request: Request, next: Next, refuse: impl Refuse) -> Response {
    let id = RequestId::new();
    request.extensions_mut().insert(id);
    let mut response = match host::check(&request) {
        Ok(()) => next.run(request).await,
        Err(fault) => refuse(&request, fault),
    };
    let headers = response.headers_mut();
    if let Some(value) = id.header() {
        headers.insert(RequestId::NAME, value);
    }
    if !headers.contains_key(CACHE_CONTROL) {
        answer::forbid_caching(headers);
    }
    response
}

/// The backstop for a bug: JSON and 503, because a stranger must never see a 500 or a cut connection (B-H07).
/// What the panic says stays out of the log, because it may quote the request.
fn after_panic(_payload: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request handler panicked: this is a bug in grantd");
    answer::unavailable(RETRY_AFTER)
}

#[cfg(test)]
mod tests;
