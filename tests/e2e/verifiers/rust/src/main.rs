//! jsonwebtoken as its documentation has it. A line for each token: library, token, verdict. `JWKS` is a file.

use std::env::var;
use std::error::Error;
use std::fs;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let keys: JwkSet = serde_json::from_str(&fs::read_to_string(var("JWKS")?)?)?;
    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_audience(&[var("AUDIENCE")?]);
    rules.set_issuer(&[var("ISSUER")?]);
    let tokens: Value = serde_json::from_str(&fs::read_to_string(var("TOKENS")?)?)?;
    for entry in tokens.as_array().ok_or("no list")? {
        let token = entry["access_token"].as_str().ok_or("no token")?;
        let verdict = verify(token, &keys, &rules).map_or("refused", |()| "accepted");
        let name = entry["name"].as_str().ok_or("no name")?;
        println!("jsonwebtoken (Rust)\t{name}\t{verdict}");
    }
    Ok(())
}

fn verify(token: &str, keys: &JwkSet, rules: &Validation) -> Result<(), Box<dyn Error>> {
    let kid = decode_header(token)?.kid.ok_or("no kid")?;
    let key = keys.find(&kid).ok_or("an unknown key")?;
    decode::<Value>(token, &DecodingKey::from_jwk(key)?, rules)?;
    Ok(())
}
