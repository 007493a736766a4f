//! What a client signs itself: the claims of an assertion (RFC 7523 section 3) and of a DPoP proof (RFC 9449
//! section 4.2).

use serde_json::{Map, Value, json};

use super::timestamp::{Seconds, Timestamp};

/// The `client_assertion_type` of an assertion (RFC 7523 section 2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The `client_assertion_type` of a JWT-SVID (SPIFFE Client Authentication for OAuth).
pub const SVID_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe";

/// An assertion of `client` for the issuer `audience`, made at `now` and good for `lifetime`.
#[must_use]
pub fn assertion(
    (client, audience): (&str, &str),
    (now, lifetime): (Timestamp, Seconds),
    jti: &str,
) -> Map<String, Value> {
    let claims = [
        ("iss", json!(client)),
        ("sub", json!(client)),
        ("aud", json!(audience)),
        ("jti", json!(jti)),
        ("iat", json!(now.unix())),
        ("exp", json!(now.plus(lifetime).unix())),
    ];
    named(claims)
}

/// A proof for one request by `method` to `url`, which has neither query nor fragment. `ath` is base64url of SHA-256 of
/// the access token that it goes with.
#[must_use]
pub fn proof(
    (method, url): (&str, &str),
    ath: Option<String>,
    (now, jti): (Timestamp, String),
) -> Map<String, Value> {
    let mut claims = named([
        ("htm", json!(method)),
        ("htu", json!(url)),
        ("iat", json!(now.unix())),
        ("jti", json!(jti)),
    ]);
    claims.extend(ath.map(|ath| ("ath".to_owned(), json!(ath))));
    claims
}

/// The header of a proof by the key `jwk`, but for its `alg`.
#[must_use]
pub fn proof_header(jwk: &Map<String, Value>) -> Value {
    json!({ "typ": "dpop+jwt", "jwk": jwk })
}

fn named<const N: usize>(claims: [(&str, Value); N]) -> Map<String, Value> {
    let owned = claims.map(|(name, value)| (name.to_owned(), value));
    owned.into_iter().collect()
}
