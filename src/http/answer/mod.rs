//! The one table from refusal to answer: nothing else knows the status codes of refusals (RFC 6749 section 5.2).

use axum::body::{Body, Bytes};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::request_id::RequestId;
use crate::domain::explanation::ErrorCode;
use crate::domain::refusal::{Refusal, RequestFault};

/// The challenge of every 401, whatever was wrong (RFC 9110 section 15.5.2).
const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"grantd\", charset=\"UTF-8\"");
/// The nonce for the next DPoP proof (RFC 9449 section 8.1).
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
/// The media type of every document that no standard calls otherwise.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'static str,
    error_description: &'a str,
}

const UNAVAILABLE: ErrorBody<'static> = ErrorBody {
    error: "temporarily_unavailable",
    error_description: "the server cannot answer now, try again later",
};

/// The answer to a refused request. The refusal itself stands in the answer's extensions, for the log.
#[must_use]
pub fn refuse(refusal: &Refusal) -> Response {
    let told = refusal.explain();
    let body = ErrorBody {
        error: told.error.as_str(),
        error_description: told.description,
    };
    let mut response = error(status(refusal), &body);
    let headers = response.headers_mut();
    if told.error == ErrorCode::InvalidClient {
        headers.insert(WWW_AUTHENTICATE, CHALLENGE);
    }
    if let Refusal::Dpop(fault) = refusal {
        offer_nonce(headers, fault.nonce());
    }
    if let Refusal::Request(RequestFault::Method(allow)) = refusal
        && !allow.is_empty()
    {
        headers.insert(ALLOW, HeaderValue::from_static(allow));
    }
    if let Refusal::Budget(fault) = refusal {
        headers.insert(RETRY_AFTER, fault.retry_after().into());
    }
    response.extensions_mut().insert(refusal.clone());
    response
}

fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Client(_) => StatusCode::UNAUTHORIZED,
        Refusal::Request(RequestFault::UnknownPath) => StatusCode::NOT_FOUND,
        Refusal::Request(RequestFault::Method(_)) => StatusCode::METHOD_NOT_ALLOWED,
        Refusal::Request(RequestFault::BodyTooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::Request(RequestFault::ContentEncoding) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Refusal::Request(RequestFault::Misdirected) => StatusCode::MISDIRECTED_REQUEST,
        Refusal::Budget(_) => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Request(_) | Refusal::Dpop(_) | Refusal::Grant(_) => StatusCode::BAD_REQUEST,
    }
}

/// The answer to an operator's request that makes no sense; `description` says what would.
#[must_use]
pub fn invalid(description: &str) -> Response {
    let body = ErrorBody {
        error: ErrorCode::InvalidRequest.as_str(),
        error_description: description,
    };
    error(StatusCode::BAD_REQUEST, &body)
}

/// The answer when the fault is ours: a full queue, an absent database. The client may try again.
#[must_use]
pub fn unavailable(retry_after_seconds: u32) -> Response {
    let mut response = error(StatusCode::SERVICE_UNAVAILABLE, &UNAVAILABLE);
    response
        .headers_mut()
        .insert(RETRY_AFTER, retry_after_seconds.into());
    response
}

/// [`unavailable`] for a request that no handler sees, because too many are in flight.
#[must_use]
pub fn busy() -> hyper::Response<Bytes> {
    let body = serde_json::to_vec(&UNAVAILABLE).unwrap_or_default();
    let mut answer = bare(StatusCode::SERVICE_UNAVAILABLE, body.into());
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer.headers_mut().insert(RETRY_AFTER, 1.into());
    answer
}

/// More header fields than a request may have, as hyper answers it over HTTP/1.1.
#[must_use]
pub fn too_many_headers() -> hyper::Response<Bytes> {
    bare(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, Bytes::new())
}

/// An answer outside of all layers.
fn bare(status: StatusCode, body: Bytes) -> hyper::Response<Bytes> {
    let mut answer = hyper::Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    forbid_caching(headers);
    if let Some(id) = RequestId::new().header() {
        headers.insert(RequestId::NAME, id);
    }
    answer
}

fn error(status: StatusCode, body: &ErrorBody<'_>) -> Response {
    let mut response = ok_json(serde_json::to_vec(body).unwrap_or_default());
    *response.status_mut() = status;
    response
}

/// 200 with a JSON document that no cache may keep (RFC 6749 section 5.1).
#[must_use]
pub fn ok_json(document: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(document));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    forbid_caching(response.headers_mut());
    response
}

/// 200 with a document of another media type that no cache may keep.
#[must_use]
pub fn ok_as(media_type: &'static str, document: Vec<u8>) -> Response {
    let mut response = ok_json(document);
    let media_type = HeaderValue::from_static(media_type);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

/// 200 without a body that no cache may keep (RFC 7009 section 2.2).
#[must_use]
pub fn ok_empty() -> Response {
    let mut response = Response::new(Body::empty());
    forbid_caching(response.headers_mut());
    response
}

/// 200 with a JSON document that anyone may keep for `max_age` seconds. `etag` is its quoted text; one that
/// no header can bear is left out.
#[must_use]
pub fn cacheable_json(
    content_type: &'static str,
    document: Vec<u8>,
    max_age: u32,
    etag: Option<&str>,
) -> Response {
    let mut response = Response::new(Body::from(document));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(value) = HeaderValue::from_str(&format!("public, max-age={max_age}")) {
        headers.insert(CACHE_CONTROL, value);
    }
    if let Some(Ok(value)) = etag.map(HeaderValue::from_str) {
        headers.insert(ETAG, value);
    }
    response
}

/// Gives the client the nonce for its next DPoP proof (RFC 9449 section 8.2).
pub(super) fn offer_nonce(headers: &mut HeaderMap, nonce: Option<&str>) {
    if let Some(Ok(value)) = nonce.map(HeaderValue::from_str) {
        headers.insert(DPOP_NONCE, value);
    }
}

/// `no-store`, and `Pragma` for caches of HTTP/1.0, as RFC 6749 section 5.1 wants both.
pub(super) fn forbid_caching(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
}

#[cfg(test)]
mod tests;
