//! DPoP proofs as a client makes them (RFC 9449 section 4.2).

use serde_json::{Map, Value};

use super::digest::{base64url, sha256};
use super::jws::JwsError;
use super::jws::private_key::ClientPrivateKey;
use super::random;
use crate::domain::client_jwt;
use crate::domain::timestamp::Timestamp;

/// The claims of a new proof for one request by `method` to `url`, which has neither query nor fragment, and for the
/// access token that goes with it.
#[must_use]
pub fn claims(
    (method, url): (&str, &str),
    access_token: Option<&str>,
    now: Timestamp,
) -> Map<String, Value> {
    let ath = access_token.map(|token| base64url(&sha256(token.as_bytes())));
    client_jwt::proof((method, url), ath, (now, random::token_id()))
}

/// The proof of these claims.
///
/// # Errors
/// The key does not sign.
pub fn signed(key: &ClientPrivateKey, claims: Map<String, Value>) -> Result<String, JwsError> {
    let header = client_jwt::proof_header(&key.public().key_members());
    key.sign(header, &claims.into())
}
