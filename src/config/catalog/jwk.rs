//! Reads registered public keys: a JWK set (RFC 7517 section 5) or a single JWK.

use serde_json::{Map, Value};

use crate::config::fault::Problem;
use crate::crypto::client_key::ClientKey;

/// Members of private and symmetric keys (RFC 7518 section 6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public key that was looked at: compact JSON, its members sorted, and its `kid`.
#[derive(Debug)]
pub(super) struct PublicJwk {
    pub(super) json: String,
    pub(super) kid: Option<String>,
}

/// Reads `{"keys": […]}`.
pub(super) fn set(text: &str) -> Result<Vec<PublicJwk>, Problem> {
    let document: Value = serde_json::from_str(text).map_err(|_| Problem::JwkSet)?;
    let keys = document
        .get("keys")
        .and_then(Value::as_array)
        .ok_or(Problem::JwkSet)?;
    if keys.is_empty() {
        return Err(Problem::JwkSet);
    }
    keys.iter().map(checked).collect()
}

/// Reads one JWK.
pub(super) fn single(text: &str) -> Result<PublicJwk, Problem> {
    checked(&serde_json::from_str(text).map_err(|_| Problem::Jwk)?)
}

fn checked(value: &Value) -> Result<PublicJwk, Problem> {
    let key = value.as_object().ok_or(Problem::Jwk)?;
    if let Some(member) = PRIVATE.into_iter().find(|member| key.contains_key(*member)) {
        return Err(Problem::PrivateJwk(member));
    }
    check_type(key)?;
    if key
        .get("use")
        .is_some_and(|usage| usage.as_str() != Some("sig"))
    {
        return Err(Problem::JwkUse);
    }
    // Its modulus, point, `alg` and `kid`: what `apply` registers, nothing else.
    let read = ClientKey::parse(&value.to_string())?;
    let kid = key.get("kid").map(|_| read.name().to_owned());
    // One key written in two orders is one credential, so that a retired one does not come back by the other.
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    Ok(PublicJwk {
        json: sorted.to_string(),
        kid,
    })
}

fn check_type(key: &Map<String, Value>) -> Result<(), Problem> {
    let text = |member: &str| key.get(member).and_then(Value::as_str);
    let (kty, members): (_, &'static [&'static str]) = match text("kty") {
        Some("RSA") => ("RSA", &["n", "e"]),
        Some("EC") => ("EC", &["crv", "x", "y"]),
        Some("OKP") => ("OKP", &["crv", "x"]),
        _ => return Err(Problem::Jwk),
    };
    match members
        .iter()
        .find(|member| text(member).is_none_or(str::is_empty))
    {
        Some(member) => Err(Problem::JwkMember { kty, member }),
        None => Ok(()),
    }
}
