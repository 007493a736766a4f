//! Makes DPoP proofs (RFC 9449 section 4.2), and tokens that are bound to their key.

use grantd::crypto::digest::{base64url, sha256};
use grantd::crypto::jws::NewKey;
use grantd::crypto::random;
use serde_json::{Value, json};

use super::issuer::{Issuer, now};
use super::{Answer, Api};
use crate::forgery::signed;

/// A token that is bound to `key`.
pub(super) fn bound(issuer: &Issuer, key: &NewKey) -> String {
    issuer.token(|claims| claims["cnf"] = json!({ "jkt": key.public_jwk.thumbprint() }))
}

pub(super) fn header(key: &NewKey) -> Value {
    json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.public_jwk.key_members() })
}

/// For reading with `token` at `api`, now.
pub(super) fn claims(api: &Api, token: &str) -> Value {
    let ath = base64url(&sha256(token.as_bytes()));
    json!({ "htm": "GET", "htu": api.url(), "iat": now(), "jti": random::token_id(), "ath": ath })
}

/// A good proof but for `change` to its claims.
pub(super) fn proof(
    key: &NewKey,
    (api, token): (&Api, &str),
    change: impl FnOnce(&mut Value),
) -> String {
    let mut claims = claims(api, token);
    change(&mut claims);
    signed(key, &header(key), &claims)
}

/// Reads with a token and a proof.
pub(super) fn read(api: &Api, token: &str, proof: &str) -> Answer {
    let authorization = format!("DPoP {token}");
    api.call(
        "GET /documents",
        &[("Authorization", &authorization), ("DPoP", proof)],
        "",
    )
}
