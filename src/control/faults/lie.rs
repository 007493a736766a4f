//! What real servers get wrong, of answers that are right but for that.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, PRAGMA};
use axum::http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::control::endpoint::Endpoint;

/// As a proxy or a portal answers, with a status that says that all is well.
const HTML: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\
                    <body><h1>Sign in</h1><p>Your session has expired.</p></body></html>\n";

/// A lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Lie {
    /// `"expires_in":"300"`.
    ExpiresInAsText,
    /// No `expires_in`.
    ExpiresInMissing,
    /// No `token_type`.
    TokenTypeMissing,
    /// No `scope`.
    ScopeMissing,
    /// A page in HTML, with the status of the answer.
    HtmlBody,
    /// Keys without those that began to sign last.
    OldJwks,
    /// Neither `Cache-Control` nor anything like it.
    NoCacheHeaders,
}

impl Lie {
    /// Whether an answer of `endpoint` could tell it.
    pub(super) fn fits(self, endpoint: Endpoint) -> bool {
        match self {
            Self::HtmlBody | Self::NoCacheHeaders => true,
            Self::OldJwks => endpoint.covers(Endpoint::Jwks),
            Self::ExpiresInAsText
            | Self::ExpiresInMissing
            | Self::TokenTypeMissing
            | Self::ScopeMissing => endpoint.covers(Endpoint::Token),
        }
    }

    /// Whether the answer of `endpoint`, which is one alone, can tell it: of a token's answer those that have one.
    pub(super) fn is_about(self, endpoint: Endpoint, is_issued: bool) -> bool {
        let is_of_tokens = !matches!(self, Self::HtmlBody | Self::NoCacheHeaders | Self::OldJwks);
        self.fits(endpoint) && (is_issued || !is_of_tokens)
    }

    /// Tells it. `newest` are the keys that began to sign last.
    pub(super) fn tell(self, headers: &mut HeaderMap, body: Vec<u8>, newest: &[String]) -> Vec<u8> {
        match self {
            Self::ExpiresInAsText => changed(body, |answer| {
                if let Some(value) = answer.get_mut("expires_in") {
                    *value = Value::String(value.to_string());
                }
            }),
            Self::ExpiresInMissing => without(body, "expires_in"),
            Self::TokenTypeMissing => without(body, "token_type"),
            Self::ScopeMissing => without(body, "scope"),
            Self::HtmlBody => {
                let html = HeaderValue::from_static("text/html; charset=utf-8");
                headers.insert(CONTENT_TYPE, html);
                HTML.into()
            }
            Self::OldJwks => changed(body, |jwks| {
                let is_old = |key: &Value| {
                    let kid = key.get("kid").and_then(Value::as_str);
                    kid.is_none_or(|kid| !newest.iter().any(|it| it == kid))
                };
                if let Some(Value::Array(keys)) = jwks.get_mut("keys") {
                    keys.retain(is_old);
                }
            }),
            Self::NoCacheHeaders => {
                for name in [CACHE_CONTROL, PRAGMA, EXPIRES, ETAG] {
                    headers.remove(name);
                }
                body
            }
        }
    }
}

fn without(body: Vec<u8>, member: &str) -> Vec<u8> {
    changed(body, |answer| drop(answer.remove(member)))
}

/// What is no JSON object stays as it is.
fn changed(body: Vec<u8>, change: impl FnOnce(&mut Map<String, Value>)) -> Vec<u8> {
    let Ok(mut members) = serde_json::from_slice::<Map<String, Value>>(&body) else {
        return body;
    };
    change(&mut members);
    serde_json::to_vec(&members).unwrap_or(body)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(lie: Lie, body: &Value) -> (HeaderMap, Vec<u8>) {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let newest = ["new".to_owned()];
        let body = lie.tell(&mut headers, body.to_string().into(), &newest);
        (headers, body)
    }

    #[test]
    fn each_lie_changes_one_thing() {
        let answer =
            json!({ "access_token": "t", "token_type": "Bearer", "expires_in": 300, "scope": "a" });
        for (lie, member, value) in [
            (Lie::ExpiresInAsText, "expires_in", Some(json!("300"))),
            (Lie::ExpiresInMissing, "expires_in", None),
            (Lie::TokenTypeMissing, "token_type", None),
            (Lie::ScopeMissing, "scope", None),
        ] {
            let (headers, body) = told(lie, &answer);
            let mut expected = answer.clone();
            let members = expected.as_object_mut().unwrap();
            members.remove(member);
            members.extend(value.map(|it| (member.to_owned(), it)));
            assert_eq!(
                serde_json::from_slice::<Value>(&body).unwrap(),
                expected,
                "{lie:?}"
            );
            assert_eq!(headers.len(), 3);
        }
        let (headers, body) = told(Lie::HtmlBody, &answer);
        assert_eq!(headers[CONTENT_TYPE], "text/html; charset=utf-8");
        assert!(body.starts_with(b"<!DOCTYPE html>"));
        let jwks = json!({ "keys": [{ "kid": "old" }, { "kid": "new" }, { "kid": "next" }] });
        let (_, body) = told(Lie::OldJwks, &jwks);
        let expected = json!({ "keys": [{ "kid": "old" }, { "kid": "next" }] });
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
        let (headers, body) = told(Lie::NoCacheHeaders, &answer);
        assert_eq!((headers.len(), body), (1, answer.to_string().into()));
    }

    #[test]
    fn a_lie_is_told_where_an_answer_can_bear_it() {
        assert!(Lie::ExpiresInMissing.is_about(Endpoint::Token, true));
        assert!(!Lie::ExpiresInMissing.is_about(Endpoint::Token, false));
        assert!(!Lie::ExpiresInMissing.is_about(Endpoint::Jwks, true));
        assert!(Lie::OldJwks.is_about(Endpoint::Jwks, false));
        assert!(!Lie::OldJwks.fits(Endpoint::Token) && Lie::OldJwks.fits(Endpoint::Any));
        assert!(Lie::HtmlBody.is_about(Endpoint::Revocation, false));
    }
}
