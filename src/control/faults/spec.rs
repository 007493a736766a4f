//! A fault as a test asks for it: where it strikes, how often, and what it does.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::lie::Lie;
use crate::control::endpoint::Endpoint;
use crate::control::fault::Fault;
use crate::control::span::Span;

/// The longest delay.
const LONGEST_DELAY: Duration = Duration::from_mins(10);
/// Headers that the server writes itself.
const OURS: [HeaderName; 4] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    HeaderName::from_static("x-request-id"),
];

/// Where a fault strikes, and what it does: at least one of `status`, `headers`, `body`, `delay`, `close`, `truncate`,
/// `bytes_per_second` and `lie`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FaultRule)]
pub(in crate::control) struct FaultSpec {
    #[serde(default = "any")]
    pub(super) endpoint: Endpoint,
    /// Strikes requests that name this client alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<String>,
    /// Lets so many requests pass first.
    #[serde(default)]
    pub(super) after: u64,
    /// Strikes so often; without it, until it is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) times: Option<u64>,
    /// How likely it strikes, 0 to 1.
    #[serde(default = "certain")]
    pub(super) probability: f64,
    /// 200 to 599. From 400 on nothing is issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    /// Added to the answer, or put in the place of those that it has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<String, String>,
    /// The answer's body: text as it is, anything else as JSON. Without it a `status` from 400 on has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(super) body: Option<Value>,
    /// Waits before it answers; at most `10m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "250ms")]
    pub(super) delay: Option<Span>,
    /// Ends the connection (over HTTP/2 the stream) without an answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) close: bool,
    /// Sends so many bytes of the body, then ends the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) truncate: Option<u64>,
    /// Sends the body as slowly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes_per_second: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lie: Option<Lie>,
}

const fn any() -> Endpoint {
    Endpoint::Any
}

const fn certain() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl FaultSpec {
    /// Whether it takes the place of the answer, so that nobody gets what was judged.
    pub(in crate::control) fn spoils(&self) -> bool {
        let is_refusal = self.status.is_some_and(|it| it >= 400);
        let is_page = self.lie == Some(Lie::HtmlBody);
        self.close || self.truncate.is_some() || self.body.is_some() || is_refusal || is_page
    }

    /// Whether it can strike a request to `endpoint`, which named `client_id`.
    pub(super) fn is_for(
        &self,
        (endpoint, client_id): (Endpoint, Option<&str>),
        is_issued: bool,
    ) -> bool {
        let is_its = self
            .client_id
            .as_deref()
            .is_none_or(|it| client_id == Some(it));
        self.endpoint.covers(endpoint)
            && is_its
            && self.lie.is_none_or(|it| it.is_about(endpoint, is_issued))
    }

    /// # Errors
    /// What makes no sense, or cannot be sent.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.check_where()?;
        self.check_headers()?;
        let wrong = |at: &str, message: &str| Err(Fault::invalid(message).at(at));
        if self.status.is_some_and(|it| !(200..=599).contains(&it)) {
            return wrong("status", "a status is 200 to 599");
        }
        if self.delay.is_some_and(|it| it.0 > LONGEST_DELAY) {
            return wrong("delay", "a delay is at most 10m");
        }
        if self.bytes_per_second == Some(0) {
            return wrong(
                "bytes_per_second",
                "at least 1 byte a second: `close` sends none",
            );
        }
        let changes = self.status.is_some() || self.body.is_some() || !self.headers.is_empty();
        let cuts = self.truncate.is_some() || self.bytes_per_second.is_some();
        if self.close && (changes || cuts || self.lie.is_some()) {
            return wrong("close", "nothing is answered, so only `delay` goes with it");
        }
        if self.lie.is_some() && (self.body.is_some() || self.status.is_some_and(|it| it >= 400)) {
            return wrong(
                "lie",
                "it changes the true answer, which `status` or `body` takes the place of: make two faults",
            );
        }
        if !(self.close || changes || cuts || self.lie.is_some() || self.delay.is_some()) {
            let message = "it does nothing: give status, headers, body, delay, close, truncate, bytes_per_second or lie";
            return Err(Fault::invalid(message));
        }
        Ok(())
    }

    fn check_where(&self) -> Result<(), Fault> {
        let wrong = |at: &str, message: &str| Err(Fault::invalid(message).at(at));
        if self.client_id.is_some() && !self.endpoint.knows_clients() {
            return wrong(
                "client_id",
                "who asks for keys or metadata names no client: leave it out",
            );
        }
        if self.times == Some(0) {
            return wrong(
                "times",
                "it strikes at least once; without `times`, until it is deleted",
            );
        }
        if !(0.0..=1.0).contains(&self.probability) {
            return wrong("probability", "a probability is 0 to 1");
        }
        match self.lie {
            Some(lie) if !lie.fits(self.endpoint) => {
                wrong("lie", "the answers of this endpoint cannot tell it")
            }
            _ => Ok(()),
        }
    }

    fn check_headers(&self) -> Result<(), Fault> {
        for (name, value) in &self.headers {
            let at = format!("headers.{name}");
            let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else {
                return Err(Fault::invalid("this is no name of a header").at(at));
            };
            if OURS.contains(&parsed) {
                return Err(
                    Fault::invalid("grantd writes this header itself: leave it out").at(at),
                );
            }
            if HeaderValue::from_str(value).is_err() {
                return Err(Fault::invalid("this is no value of a header").at(at));
            }
        }
        Ok(())
    }

    /// The status that it answers with.
    pub(super) fn status_code(&self) -> Option<StatusCode> {
        StatusCode::from_u16(self.status?).ok()
    }

    /// Its headers.
    pub(super) fn header_fields(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        self.headers.iter().filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        })
    }
}
