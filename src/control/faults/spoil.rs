//! What a fault makes of an answer.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::response::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use http_body_util::BodyExt as _;
use serde_json::Value;

use super::bodies;
use super::spec::FaultSpec;
use crate::control::waiting::Waiting;
use crate::http::answer::{JSON, ok_empty};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Strikes one answer.
pub(in crate::control) struct Spoiler<'s> {
    pub(in crate::control) spec: &'s FaultSpec,
    /// The keys that began to sign last.
    pub(in crate::control) newest_keys: Vec<String>,
    pub(in crate::control) waiting: &'s Arc<Waiting>,
    pub(in crate::control) is_http1: bool,
}

impl Spoiler<'_> {
    /// The answer as the fault leaves it, when its delay has passed.
    pub(in crate::control) async fn strike(self, answer: Response) -> Response {
        let spec = self.spec;
        if let Some(delay) = spec.delay {
            self.waiting.wait(delay.0).await;
        }
        if spec.close {
            return Response::new(bodies::cut_at_once());
        }
        let (mut head, body) = answer.into_parts();
        let mut body = whole(body).await;
        if let Some(status) = spec.status_code() {
            head.status = status;
            if status.is_client_error() || status.is_server_error() {
                body = Bytes::new();
                head.headers = bare(&head.headers);
            }
        }
        if let Some(told) = &spec.body {
            body = put_body(&mut head.headers, told);
        }
        if let Some(lie) = spec.lie {
            body = lie
                .tell(&mut head.headers, body.to_vec(), &self.newest_keys)
                .into();
        }
        for (name, value) in spec.header_fields() {
            head.headers.insert(name, value);
        }
        self.send(head, body)
    }

    fn send(&self, mut head: Parts, body: Bytes) -> Response {
        let cut_after = self.spec.truncate;
        let cut_after = cut_after.map(|it| usize::try_from(it).unwrap_or(usize::MAX));
        if cut_after.is_none() && self.spec.bytes_per_second.is_none() {
            head.headers.remove(CONTENT_LENGTH);
            return Response::from_parts(head, Body::from(body));
        }
        // As the answer would be: who gets less knows it.
        head.headers.insert(CONTENT_LENGTH, body.len().into());
        if self.is_http1 && cut_after.is_some() {
            head.headers
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let pace = (cut_after, self.spec.bytes_per_second);
        let body = bodies::sent(&body, pace, Arc::clone(self.waiting));
        Response::from_parts(head, body)
    }
}

/// The body of an answer, which is in memory.
pub(in crate::control) async fn whole(body: Body) -> Bytes {
    let collected = body.collect().await;
    collected
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default()
}

/// The headers of an answer without a body to the same request.
fn bare(headers: &HeaderMap) -> HeaderMap {
    let mut bare = ok_empty().into_parts().0.headers;
    if let Some(id) = headers.get(REQUEST_ID) {
        bare.insert(REQUEST_ID, id.clone());
    }
    bare
}

/// Text as it is, anything else as JSON.
fn put_body(headers: &mut HeaderMap, told: &Value) -> Bytes {
    let (media_type, body) = match told {
        Value::String(text) => (TEXT, text.clone()),
        other => (JSON, other.to_string()),
    };
    headers.insert(CONTENT_TYPE, media_type);
    body.into()
}
