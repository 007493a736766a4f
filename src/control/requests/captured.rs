//! One request as tests see it: a view of its decision, and of what came with it, without anything secret.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Version};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::redact::Redactor;
use super::unverified::{Unverified, claims_of_ours};
use crate::control::endpoint::Endpoint;
use crate::control::known_secrets::KnownSecrets;
use crate::crypto::opaque_token::OpaqueTokens;
use crate::domain::decision::{Decided, Outcome};
use crate::domain::refusal::Refusal;
use crate::domain::timestamp::Timestamp;
use crate::http::form::Form;

/// A request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::control) struct Captured {
    /// Counted up from 1, across resets.
    pub(super) id: u64,
    /// When it came.
    #[schema(value_type = String)]
    at: Timestamp,
    pub(super) endpoint: Endpoint,
    /// The version of HTTP: `1.0`, `1.1`, `2`.
    http: &'static str,
    /// The client that it named; cut where that may be a secret.
    pub(super) client_id: Option<String>,
    /// How the client authenticated.
    method: Option<&'static str>,
    /// `issued`, `active`, `inactive`, `revoked`, an error code, `fault` where one took the place of the answer,
    /// `abandoned` where nobody waited for it, `served` of keys and metadata.
    pub(super) outcome: &'static str,
    /// What the outcome would have been without the fault.
    judged: Option<&'static str>,
    /// The id of the fault that struck.
    fault: Option<u64>,
    /// The check that failed.
    check: Option<FailedCheck>,
    /// A value that may be secret is `{"length":24}`, a secret `{"length":24,"right":true}` (null where nobody judged it).
    #[schema(value_type = Object)]
    headers: Map<String, Value>,
    /// As headers; null where the body is no form.
    #[schema(value_type = Option<Object>)]
    form: Option<Map<String, Value>>,
    /// The client assertion, unverified.
    assertion: Option<Unverified>,
    /// The DPoP proof, unverified.
    proof: Option<Unverified>,
    /// The token that was issued.
    token: Option<Issued>,
    /// As in the answer's `x-request-id`.
    request_id: Option<String>,
    /// How long grantd worked on it, without the delay of a fault.
    took_ms: f64,
}

/// A check that failed.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct FailedCheck {
    name: &'static str,
    expected: &'static str,
    found: String,
    /// What to do about it.
    remedy: Option<String>,
}

/// A token that was issued.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Issued {
    jti: String,
    #[schema(value_type = Object)]
    claims: Map<String, Value>,
}

/// With what a request is looked at.
#[derive(Clone, Copy)]
pub(super) struct Lens<'l> {
    /// Are not shown.
    pub(super) secrets: &'l KnownSecrets,
    /// Open a token that was issued.
    pub(super) opaque_tokens: &'l OpaqueTokens,
}

/// What is known of a request before it is judged.
pub(in crate::control) struct Asked {
    pub(in crate::control) endpoint: Endpoint,
    pub(in crate::control) at: Timestamp,
    pub(in crate::control) version: Version,
    pub(in crate::control) headers: HeaderMap,
    /// As far as it was read.
    pub(in crate::control) body: Zeroizing<Vec<u8>>,
}

/// A request, and what came of it.
pub(in crate::control) struct Came {
    pub(in crate::control) asked: Asked,
    /// Where an endpoint judged it.
    pub(in crate::control) decided: Option<Decided>,
    /// The id of the fault that struck.
    pub(in crate::control) fault: Option<u64>,
    /// Whether that fault takes the place of the answer.
    pub(in crate::control) is_spoiled: bool,
    /// What was answered, before any fault; `None` where nobody waited for it.
    pub(in crate::control) answer: Option<Answered>,
    pub(in crate::control) took_ms: f64,
}

/// An answer.
pub(in crate::control) struct Answered {
    pub(in crate::control) status: StatusCode,
    /// Why it is a refusal.
    pub(in crate::control) refusal: Option<Refusal>,
    /// Its body, where that is a token.
    pub(in crate::control) issued: Option<Bytes>,
    pub(in crate::control) request_id: Option<String>,
}

impl Came {
    /// Of a request nothing has come yet.
    pub(in crate::control) const fn of(asked: Asked) -> Self {
        Self {
            asked,
            decided: None,
            fault: None,
            is_spoiled: false,
            answer: None,
            took_ms: 0.0,
        }
    }
}

impl Captured {
    /// What is shown of a request.
    pub(super) fn of(id: u64, came: &Came, lens: Lens<'_>) -> Self {
        let asked = &came.asked;
        let decided = came.decided.as_ref();
        let redactor = Redactor {
            secrets: lens.secrets,
            decided,
        };
        let (outcome, judged) = ends(came);
        let decision = decided.map(|it| &it.decision);
        let form = Form::parse(&asked.headers, &asked.body).ok();
        let assertion = form.as_ref().and_then(|it| it.get("client_assertion"));
        let proof = asked.headers.get("dpop").and_then(|it| it.to_str().ok());
        Self {
            id,
            at: asked.at,
            endpoint: asked.endpoint,
            http: http(asked.version),
            client_id: decision
                .and_then(|it| it.client.as_ref())
                .map(|it| redactor.client(it)),
            method: decision
                .and_then(|it| it.method)
                .map(crate::domain::client::AuthMethod::as_str),
            outcome,
            judged,
            fault: came.fault,
            check: check(came, &redactor),
            headers: redactor.headers(&asked.headers),
            assertion: assertion.and_then(|it| Unverified::read(it, &redactor)),
            form: form.map(|it| redactor.form(it)),
            proof: proof.and_then(|it| Unverified::read(it, &redactor)),
            token: token(came, lens.opaque_tokens),
            request_id: decision
                .map(|it| it.request_id.to_string())
                .or_else(|| came.answer.as_ref()?.request_id.clone()),
            took_ms: came.took_ms,
        }
    }
}

const fn http(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "2",
        Version::HTTP_11 => "1.1",
        _ => "1.0",
    }
}

/// The outcome, and where a fault took its place what it would have been.
fn ends(came: &Came) -> (&'static str, Option<&'static str>) {
    if let Some(decided) = &came.decided {
        let judged = match &decided.outcome {
            Outcome::Spoiled(judged) => Some(judged.as_str()),
            _ => None,
        };
        return (decided.outcome.as_str(), judged);
    }
    let judged = match &came.answer {
        None => "abandoned",
        Some(answer) => match &answer.refusal {
            Some(refusal) => refusal.explain().error.as_str(),
            None if answer.status.is_success() => "served",
            None => "temporarily_unavailable",
        },
    };
    if came.is_spoiled {
        ("fault", Some(judged))
    } else {
        (judged, None)
    }
}

fn check(came: &Came, redactor: &Redactor<'_>) -> Option<FailedCheck> {
    let of_decision = came.decided.as_ref().and_then(|it| it.outcome.finding());
    let of_answer = || Some(came.answer.as_ref()?.refusal.as_ref()?.explain().finding);
    let finding = of_decision.or_else(of_answer)?;
    Some(FailedCheck {
        name: finding.check.name(),
        expected: finding.check.expected(),
        found: redactor.sentence(&finding.found),
        remedy: finding.remedy.map(|it| redactor.sentence(&it)),
    })
}

fn token(came: &Came, opaque: &OpaqueTokens) -> Option<Issued> {
    let decided = came.decided.as_ref();
    let decided = decided.filter(|it| matches!(it.outcome, Outcome::Issued))?;
    let token = access_token(came.answer.as_ref()?.issued.as_ref()?)?;
    Some(Issued {
        jti: decided.decision.jti.clone()?,
        claims: claims_of_ours(&token, opaque)?,
    })
}

fn access_token(body: &[u8]) -> Option<Zeroizing<String>> {
    let mut answer: Value = serde_json::from_slice(body).ok()?;
    match answer.get_mut("access_token")?.take() {
        Value::String(token) => Some(Zeroizing::new(token)),
        _ => None,
    }
}
