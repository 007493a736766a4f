//! Reads registered public keys: a JWK set (RFC 7517 section 5) or a single JWK.

use serde_json::Value;

use crate::config::fault::Problem;
use crate::crypto::client_key::ClientKey;

/// The keys of `{"keys": […]}`, or the one of a JWK alone: compact JSON, its members sorted, so that one key written in
/// two orders is one credential, and a retired one does not come back by the other.
pub(super) fn read(text: &str) -> Result<Vec<String>, Problem> {
    let document: Value = serde_json::from_str(text).map_err(|_| Problem::JwkSet)?;
    match document.get("keys").map(Value::as_array) {
        Some(Some(keys)) if !keys.is_empty() => keys.iter().map(checked).collect(),
        None if document.is_object() => Ok(vec![checked(&document)?]),
        _ => Err(Problem::JwkSet),
    }
}

fn checked(key: &Value) -> Result<String, Problem> {
    ClientKey::parse(&key.to_string())?;
    let mut sorted = key.clone();
    sorted.sort_all_objects();
    Ok(sorted.to_string())
}
