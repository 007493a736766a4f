//! Why the control interface does not do what a request asks for: one form for all, with the place and what was meant.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::refusal::{Refusal, RequestFault};
use crate::domain::shown;
use crate::http::answer;

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    pub(super) body: FaultBody,
}

/// What the answer to a refused request says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Fault)]
pub(super) struct FaultBody {
    /// `invalid_request` (400), `forbidden` (403), `not_found` (404), `method_not_allowed` (405), `timeout` (408),
    /// `conflict` (409), `misdirected_request` (421), `temporarily_unavailable` (503), and what else HTTP knows.
    pub(super) error: &'static str,
    /// One sentence: what is wrong, and what to do.
    pub(super) message: String,
    /// Where, as in `claims.exp`: a member of the body, or a parameter of the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<String>,
    /// What is known and nearest to what was written there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nearest: Option<String>,
}

impl Fault {
    fn new(status: StatusCode, error: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            body: FaultBody {
                error,
                message: message.into(),
                at: None,
                nearest: None,
            },
        }
    }

    /// 400: the request itself is wrong.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    /// 403: a browser's page sends it.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// 404: there is no `what` of this name; `known` are those that there are.
    pub(super) fn unknown<'k>(
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'k str> + Clone,
    ) -> Self {
        let name = shown::unknown(name, known.clone());
        let fault = Self::not_found(format!("there is no {what} {name}"));
        fault.near(shown::nearest(&name, known)).at(name)
    }

    /// 404: as the message says.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 409: what is there stands against it.
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// 421: the host is not this listener's.
    pub(super) fn misdirected(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            "misdirected_request",
            message,
        )
    }

    /// 503: the database, or another part of grantd, could not do it.
    pub(super) fn unavailable(error: &impl ToString) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            error.to_string(),
        )
    }

    /// The place.
    #[must_use]
    pub(super) fn at(mut self, place: impl Into<String>) -> Self {
        self.body.at = Some(place.into()).filter(|place| !place.is_empty());
        self
    }

    /// What was meant.
    #[must_use]
    pub(super) fn near(mut self, nearest: Option<&str>) -> Self {
        self.body.nearest = nearest.map(str::to_owned);
        self
    }

    /// The answer.
    pub(super) fn answer(&self) -> Response {
        let mut response = answer::ok_json(self.json());
        *response.status_mut() = self.status;
        response
    }

    fn json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.body).unwrap_or_default()
    }
}

impl From<RequestFault> for Fault {
    /// Its text and its code; its status is the one of all listeners.
    fn from(fault: RequestFault) -> Self {
        let refusal = Refusal::Request(fault);
        let told = refusal.explain();
        let status = answer::refuse(&refusal).status();
        Self::new(status, told.error.as_str(), told.description)
    }
}

/// The answer to what is refused before any handler, with the headers that it has at every listener (`Allow`).
pub(super) fn refuse(fault: RequestFault) -> Response {
    let (mut head, _) = answer::refuse(&Refusal::Request(fault.clone())).into_parts();
    let fault = Fault::from(fault);
    head.headers.insert(CONTENT_TYPE, answer::JSON);
    Response::from_parts(head, Body::from(fault.json()))
}
