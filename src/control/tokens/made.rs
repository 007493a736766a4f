//! A token that was made, and what it says.

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::control::battery::entry::{Entry, Status};
use crate::control::mint::signing::Signed;
use crate::domain::confirmation::token_type;
use crate::domain::timestamp::Timestamp;

/// The token, and what it says.
#[derive(Serialize, ToSchema)]
pub(super) struct TokenMade {
    access_token: String,
    /// `Bearer`, or `DPoP` where `cnf` names a key.
    token_type: &'static str,
    /// Seconds from now; 0 where it has expired.
    expires_in: i64,
    scope: String,
    #[schema(value_type = Object)]
    header: Map<String, Value>,
    #[schema(value_type = Object)]
    claims: Map<String, Value>,
    /// With a `flaw`: what an API should answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    expect: Option<Status>,
    /// With a `flaw`: what is special about the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    /// With a `flaw`: exactly the headers to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    headers: Option<IndexMap<&'static str, String>>,
    /// With a `flaw` of a certificate: the one to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_pem: Option<String>,
    /// The private key of the certificate, or the one that signs proofs.
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key_pem: Option<String>,
}

impl TokenMade {
    pub(super) fn new(signed: Signed, now: Timestamp) -> Self {
        let Signed {
            token,
            header,
            claims,
        } = signed;
        let scope = claims.get("scope").and_then(Value::as_str);
        let end = claims.get("exp").and_then(Value::as_i64);
        let left = end.map_or(0, |end| end.saturating_sub(now.unix()));
        Self {
            access_token: token,
            token_type: token_type(claims.get("cnf").and_then(Value::as_object)),
            expires_in: left.max(0),
            scope: scope.unwrap_or_default().to_owned(),
            header,
            claims,
            expect: None,
            why: None,
            headers: None,
            certificate_pem: None,
            private_key_pem: None,
        }
    }

    pub(super) fn of_entry(entry: Entry, signed: Signed, now: Timestamp) -> Self {
        Self {
            expect: Some(entry.status),
            why: Some(entry.why),
            headers: Some(entry.headers),
            certificate_pem: entry.certificate_pem,
            private_key_pem: entry.private_key_pem,
            ..Self::new(signed, now)
        }
    }
}
