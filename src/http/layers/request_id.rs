//! The id of a request: always ours, never one that a stranger sends.

use axum::http::{HeaderName, HeaderValue};
use uuid::Uuid;

/// The header that carries it.
pub(super) const NAME: HeaderName = HeaderName::from_static("x-request-id");

/// The id of one request, in the extensions of the request and of its answer: a UUID of version 7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

impl RequestId {
    pub(super) fn new() -> Self {
        Self(Uuid::now_v7().to_string())
    }

    pub(super) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}
