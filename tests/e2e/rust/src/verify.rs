use std::error::Error;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

/// Who calls, and what it may do.
#[derive(Debug, Deserialize)]
pub struct Caller {
    pub client_id: String,
    pub scope: String,
}

/// `keys` is the JWKS; read it again, not too often, when a token names another key.
pub fn verify(
    token: &str,
    keys: &JwkSet,
    (issuer, audience, algorithm): (&str, &str, Algorithm),
) -> Result<Caller, Box<dyn Error>> {
    let header = decode_header(token)?;
    if header.typ.as_deref() != Some("at+jwt") {
        return Err("not an access token".into());
    }
    let key = keys.find(&header.kid.unwrap_or_default()).ok_or("an unknown key")?;
    let mut rules = Validation::new(algorithm);
    rules.set_issuer(&[issuer]);
    rules.set_audience(&[audience]);
    rules.set_required_spec_claims(&["iss", "aud", "exp"]);
    Ok(decode::<Caller>(token, &DecodingKey::from_jwk(key)?, &rules)?.claims)
}
