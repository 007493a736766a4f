//! The claims of a proof against the request that it came with, RFC 9449 section 4.3. Unknown claims are ignored.

use serde_json::{Map, Value};

use super::nonce::Nonces;
use crate::domain::dpop_fault::DpopFault;
use crate::domain::jwt_claims::{JwtClaims, is_jti};
use crate::domain::once::{Life, Once};
use crate::domain::shown::{unknown_or_none, unknown_url};
use crate::domain::target_uri::TargetUri;
use crate::domain::timestamp::{Seconds, Timestamp};

/// How old a proof may be: for the way to us and for clocks that are slow.
const LONGEST_AGE: Seconds = Seconds::new(60);
/// How far clocks that are fast may be ahead.
const LEEWAY: Seconds = Seconds::new(10);

/// What a proof must be for.
pub struct Expected<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// The URIs of the endpoint.
    pub uris: &'a [TargetUri],
    /// The nonces, where they are demanded.
    pub nonces: &'a Nonces,
    /// When it came.
    pub now: Timestamp,
}

/// Checks all claims, and gives which of the URIs the proof is for; the nonce last, because its fault asks the client to send the same again.
///
/// # Errors
/// A [`DpopFault`], of the first claim that is wrong.
pub fn check_claims(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<(Once, TargetUri), DpopFault> {
    let text = |name| claims.get(name).and_then(Value::as_str);
    if text("htm") != Some(expected.method) {
        return Err(DpopFault::Method(unknown_or_none(text("htm"), [])));
    }
    let uri = text("htu")
        .and_then(TargetUri::parse)
        .filter(|uri| expected.uris.contains(uri))
        .ok_or_else(|| DpopFault::Uri(unknown_url(text("htu").unwrap_or("none"))))?;
    let life = check_times(claims, expected.now)?;
    let jti = text("jti")
        .filter(|jti| is_jti(jti))
        .ok_or(DpopFault::Jti)?
        .to_owned();
    expected.nonces.check(claims.get("nonce"), expected.now)?;
    Ok((Once { jti, life }, uri))
}

fn check_times(claims: &Map<String, Value>, now: Timestamp) -> Result<Life, DpopFault> {
    let claims = JwtClaims::new(claims, now);
    let time = |name| claims.date(name).map_err(|_| DpopFault::Time(name));
    let issued_at = time("iat")?.ok_or(DpopFault::Time("iat"))?;
    let dead_at = issued_at.plus(LONGEST_AGE).plus(Seconds::new(1));
    if now >= dead_at {
        return Err(DpopFault::TooOld(-claims.ahead(issued_at)));
    }
    if issued_at > now.plus(LEEWAY) {
        return Err(DpopFault::TooEarly(claims.ahead(issued_at)));
    }
    if let Some(expiry) = time("exp")?.filter(|expiry| expiry.plus(LEEWAY) <= now) {
        return Err(DpopFault::Expired(-claims.ahead(expiry)));
    }
    if let Some(begin) = time("nbf")?.filter(|begin| *begin > now.plus(LEEWAY)) {
        return Err(DpopFault::NotYetValid(claims.ahead(begin)));
    }
    Ok(Life {
        made_at: issued_at,
        dead_at,
    })
}
