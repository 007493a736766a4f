//! What surrounds every endpoint: request id, checks of the head, JSON for what no endpoint answers.

mod fallback;
pub(super) mod host;
mod unserved;

use axum::Router;
use axum::extract::Request;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tower_http::catch_panic::CatchPanicLayer;

use super::answer;
use super::request_id::RequestId;

/// Surrounds a router that has all its routes; called last.
///
/// Every answer gets an `x-request-id` of ours and, unless it says otherwise, `no-store`. What no route
/// answers is JSON too: 404, and 405 with `Allow`.
pub fn surround<S>(router: Router<S>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    router
        .fallback(fallback::unknown_path)
        .method_not_allowed_fallback(fallback::other_method)
        // In one step: each one boxes every request and its answer.
        .layer((
            from_fn(around),
            CatchPanicLayer::custom(fallback::after_panic),
        ))
}

async fn around(mut request: Request, next: Next) -> Response {
    let id = RequestId::new();
    request.extensions_mut().insert(id);
    let mut response = match host::check(&request) {
        Ok(()) => next.run(request).await,
        Err(fault) => unserved::refuse(&request, fault),
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

#[cfg(test)]
mod tests;
