//! `GET /prices`, which needs the scope pricing:read.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::RwLock;

const SCOPE: &str = "pricing:read";

/// Checks tokens by RFC 9068 section 4.
pub struct Verifier {
    rules: Validation,
    jwks_uri: String,
    keys: RwLock<JwkSet>,
}

#[derive(Deserialize)]
struct Caller {
    client_id: String,
    #[serde(default)]
    scope: String,
}

pub fn router(issuer: &str, jwks_uri: &str, audience: &str) -> Router {
    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_issuer(&[issuer]);
    rules.set_audience(&[audience]);
    rules.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
    rules.validate_nbf = true;
    let keys = RwLock::new(JwkSet { keys: Vec::new() });
    let verifier = Arc::new(Verifier {
        rules,
        jwks_uri: jwks_uri.to_owned(),
        keys,
    });
    Router::new()
        .route("/prices", get(prices))
        .with_state(verifier)
}

async fn prices(State(verifier): State<Arc<Verifier>>, headers: HeaderMap) -> Response {
    match verifier.caller(&headers).await {
        None => (
            StatusCode::UNAUTHORIZED,
            [(WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")],
        )
            .into_response(),
        Some(caller) if !caller.scope.split(' ').any(|it| it == SCOPE) => {
            let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{SCOPE}\"");
            (StatusCode::FORBIDDEN, [(WWW_AUTHENTICATE, challenge)]).into_response()
        }
        Some(caller) => Json(json!({ "caller": caller.client_id, "tea": 3 })).into_response(),
    }
}

impl Verifier {
    async fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let mut sent = headers.get_all(AUTHORIZATION).iter();
        let (Some(only), None) = (sent.next(), sent.next()) else {
            return None;
        };
        let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let header = decode_header(token).ok()?;
        // jsonwebtoken does not look at `crit`, and this API understands no extension.
        if header.crit.is_some() {
            return None;
        }
        let typ = header.typ?.to_ascii_lowercase();
        if typ.strip_prefix("application/").unwrap_or(&typ) != "at+jwt" {
            return None;
        }
        let key = self.key(&header.kid?).await?;
        Some(decode::<Caller>(token, &key, &self.rules).ok()?.claims)
    }

    /// For an unknown key the JWKS is read again. A real API does that at most every few seconds.
    async fn key(&self, kid: &str) -> Option<DecodingKey> {
        if let Some(key) = self.keys.read().await.find(kid) {
            return DecodingKey::from_jwk(key).ok();
        }
        let keys: JwkSet = reqwest::get(&self.jwks_uri).await.ok()?.json().await.ok()?;
        let key = keys.find(kid).map(DecodingKey::from_jwk);
        *self.keys.write().await = keys;
        key?.ok()
    }
}
