//! A DPoP proof: the caller holds the key, for this request and this token (RFC 9449 section 4.3).

use axum::http::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde_json::Value;

use crate::answer::Fault;
use crate::confirmation::sha256;

/// As `algs` in challenges.
pub(crate) const ALGORITHMS: &str = "ES256 EdDSA PS256";
/// How old a proof may be, in seconds.
pub(crate) const OLDEST: u64 = 60;
/// How far the caller's clock may be ahead of ours, in seconds.
pub(crate) const AHEAD: u64 = 10;
const LONGEST_JTI: usize = 256;
/// The private or symmetric part of a JWK: whoever sends that has given the key away.
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

/// What a proof must be for.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// The URL by which we are known, with the path.
    pub(crate) url: &'a str,
    pub(crate) token: &'a str,
    /// Unix seconds.
    pub(crate) now: u64,
}

/// A proof that holds for the request; whether it is fresh is for [`crate::spent_proofs`].
pub(crate) struct Proof {
    /// The RFC 7638 thumbprint of its key.
    pub(crate) key: String,
    pub(crate) jti: String,
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: Algorithm,
    jwk: Value,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: u64,
    ath: String,
}

pub(crate) fn verified(proof: &str, request: &Request<'_>) -> Result<Proof, Fault> {
    let header = header(proof).ok_or(Fault::Proof("no proof by its form"))?;
    let algorithms = [Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256];
    if header.typ != "dpop+jwt" || header.crit.is_some() || !algorithms.contains(&header.alg) {
        return Err(Fault::Proof("another type or algorithm"));
    }
    if PRIVATE
        .iter()
        .any(|member| header.jwk.get(member).is_some())
    {
        return Err(Fault::Proof("a private key in its header"));
    }
    let jwk: Jwk = serde_json::from_value(header.jwk).map_err(|_| Fault::Proof("no key"))?;
    let public = DecodingKey::from_jwk(&jwk).map_err(|_| Fault::Proof("no key"))?;
    let claims = decode::<Claims>(proof, &public, &only_signature(header.alg));
    let claims = claims
        .map_err(|_| Fault::Proof("a wrong signature or claims"))?
        .claims;
    check(&claims, request)?;
    let key = jwk
        .thumbprint(ThumbprintHash::SHA256)
        .map_err(|_| Fault::Proof("no key"))?;
    Ok(Proof {
        key,
        jti: claims.jti,
    })
}

/// Read apart from the library, which leaves out members that it does not know.
fn header(proof: &str) -> Option<Header> {
    let (header, _) = proof.split_once('.')?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()
}

/// A proof has times of its own, and no audience.
fn only_signature(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}

fn check(claims: &Claims, request: &Request<'_>) -> Result<(), Fault> {
    let fault = if claims.htm != request.method {
        "for another method"
    } else if !same_place(&claims.htu, request.url) {
        "for another URL"
    } else if claims.iat.saturating_add(OLDEST) < request.now {
        "too old"
    } else if claims.iat > request.now.saturating_add(AHEAD) {
        "from the future"
    } else if claims.ath != sha256(request.token.as_bytes()) {
        "for another token"
    } else if claims.jti.is_empty() || claims.jti.len() > LONGEST_JTI {
        "without a usable jti"
    } else {
        return Ok(());
    };
    Err(Fault::Proof(fault))
}

/// Without query and fragment, which `Uri` keeps apart; scheme and host in either case, the default port said or not.
fn same_place(htu: &str, url: &str) -> bool {
    let parts = |text: &str| -> Option<(String, String, Option<u16>, String)> {
        let uri: Uri = text.parse().ok()?;
        let scheme = uri.scheme_str()?.to_owned();
        let default = if scheme == "https" { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default);
        Some((
            scheme,
            uri.host()?.to_lowercase(),
            Some(port),
            uri.path().to_owned(),
        ))
    };
    parts(htu).is_some_and(|htu| Some(htu) == parts(url))
}
