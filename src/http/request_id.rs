//! The id of a request: always ours, never one that a stranger sends.

use axum::http::{HeaderName, HeaderValue};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// The id of one request, in its extensions: a UUID of version 7.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestId(pub Uuid);

impl RequestId {
    /// The header that carries it.
    pub(in crate::http) const NAME: HeaderName = HeaderName::from_static("x-request-id");

    pub(in crate::http) fn new() -> Self {
        Self(Uuid::now_v7())
    }

    pub(in crate::http) fn header(self) -> Option<HeaderValue> {
        let mut text = [0; Hyphenated::LENGTH];
        HeaderValue::from_str(self.0.hyphenated().encode_lower(&mut text)).ok()
    }
}
