//! Opaque access tokens (FEDERATION section 5): claims that the server seals for itself.

mod changed;
mod commands;
mod control;
mod life;
mod sealing;

use grantd::crypto::digest::{base64url, decode_base64url};
use grantd::crypto::opaque_token::OpaqueTokens;
use grantd::domain::access_token::OPAQUE_PREFIX;
use serde_json::Value;

use crate::harness::*;

/// The line of an audience below which another may stand.
const SERVED_BY: &str = "served_by = [\"api\"]";

/// [`CATALOG`] with opaque tokens.
fn catalog() -> String {
    with("")
}

/// [`CATALOG`] with opaque tokens and further lines of the audience.
fn with(lines: &str) -> String {
    let lines = format!("format = \"opaque\"\n{lines}\n{SERVED_BY}");
    CATALOG.replacen(SERVED_BY, &lines, 1)
}

/// What stands behind the prefix.
fn sealed(token: &str) -> Vec<u8> {
    decode_base64url(token.strip_prefix(OPAQUE_PREFIX).unwrap()).unwrap()
}

/// The token of these bytes.
fn token_of(bytes: &[u8]) -> String {
    format!("{OPAQUE_PREFIX}{}", base64url(bytes))
}

impl Env {
    /// Seals and opens as a replica does.
    fn tokens(&self) -> OpaqueTokens {
        OpaqueTokens::new(ISSUER, &self.sealing)
    }

    /// What an opaque token says.
    fn claims(&self, token: &str) -> Value {
        serde_json::from_slice(&self.tokens().open(token).unwrap().claims).unwrap()
    }
}

impl Replica {
    /// What `api` is told of the token.
    async fn seen(&self, token: &str) -> Value {
        self.introspect("api", API, token).await.json()
    }
}
