//! The claims of a client assertion (RFC 7521 section 4.2, RFC 7523 section 3, rfc7523bis), and whether they are
//! acceptable now. Signature and replay are judged elsewhere.

use serde_json::{Map, Value};

use super::credential::CredentialState;
use super::identifier::CredentialId;
use super::numeric_date::parse_numeric_date;
use super::shown::unknown_url;
use super::timestamp::{Seconds, Timestamp};

/// The longest `jti`, in bytes.
const MAX_JTI_LENGTH: usize = 256;
/// The `typ` values of a client assertion; it may also be absent.
const TYPES: [&str; 3] = [
    "JWT",
    "client-authentication+jwt",
    "application/client-authentication+jwt",
];

/// What an assertion is judged by.
#[derive(Clone, Copy, Debug)]
pub struct AssertionRules<'a> {
    /// The client that it must be of: `iss` and `sub`, byte by byte.
    pub client_id: &'a str,
    /// The issuer, always an acceptable `aud`.
    pub issuer: &'a str,
    /// The token endpoint, where the client may name that instead.
    pub token_endpoint: Option<&'a str>,
    /// Whether `aud` must be a text, and no list of one.
    pub audience_as_text: bool,
    /// How long an assertion may live, and how old it may be.
    pub max_lifetime: Seconds,
    /// How far clocks may differ.
    pub leeway: Seconds,
}

/// Claims that are acceptable at the moment they were judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedClaims {
    /// The assertion's own name.
    pub jti: String,
    /// When it was made, at the earliest.
    pub made_at: Timestamp,
    /// From here on it is refused for its age alone: until then its `jti` must be remembered.
    pub dead_at: Timestamp,
    /// Whether its `aud` was the token endpoint, which only some clients may write.
    pub names_token_endpoint: bool,
}

/// Why an assertion does not prove its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssertionFault {
    /// It is no compact JWS of strict JSON; the reason.
    Form(String),
    /// Its `typ` is that of something else.
    Type,
    /// `client_id` of the request is another than its `sub`.
    ClientId,
    /// A claim is absent.
    Absent(&'static str),
    /// A claim is of a wrong JSON type, or out of any sense.
    Malformed(&'static str),
    /// `iss` or `sub` is not the client.
    NotTheClient(&'static str),
    /// `aud` is not exactly the issuer; what it is.
    Audience(String),
    /// `exp` is past.
    Expired,
    /// `exp` is too far ahead.
    LivesTooLong,
    /// `iat` is ahead.
    IssuedAhead,
    /// `iat` is too long ago.
    TooOld,
    /// `nbf` is ahead.
    NotYetValid,
    /// No registered key has its `kid`.
    UnknownKey,
    /// The key is registered, but not live: expired, not yet active, or retired.
    DeadKey(CredentialId, CredentialState),
    /// It names no `kid`, and the client has several keys that it could be.
    AmbiguousKey,
    /// The key is not registered for its `alg`, or the `alg` is none of ours.
    Algorithm,
    /// The signature is not of that key.
    Signature,
    /// It was used before.
    Replayed,
    /// It was made before the database lost a part of its past: whether it was used nobody knows.
    MadeBeforeLoss,
}

impl AssertionFault {
    /// What was expected, what came instead, and what an operator can do.
    #[must_use]
    pub fn explained(&self) -> (&'static str, String, Option<&'static str>) {
        let found = |text: &str| text.to_owned();
        match self {
            Self::Form(reason) => ("a compact JWS of strict JSON", reason.clone(), None),
            Self::Type => (
                "typ JWT, client-authentication+jwt or none",
                found("another typ"),
                None,
            ),
            Self::ClientId => ("client_id equal to sub", found("another client_id"), None),
            Self::Absent(claim) => ("iss, sub, aud, exp and jti", format!("no {claim}"), None),
            Self::Malformed(claim) => {
                ("claims of the right types", format!("{claim} is not"), None)
            }
            Self::NotTheClient(claim) => (
                "iss and sub equal to the client",
                format!("another {claim}"),
                None,
            ),
            Self::Audience(aud) => (
                "aud equal to the issuer",
                aud.clone(),
                Some(
                    "let the client write the issuer into aud; where it cannot, register \
                     assertion_audience = issuer_or_token_endpoint",
                ),
            ),
            Self::Expired => (
                "exp ahead",
                found("expired"),
                Some("look at the client's clock"),
            ),
            Self::LivesTooLong => (
                "exp within max_assertion_lifetime",
                found("later"),
                Some("let the client make shorter assertions, or raise its max_assertion_lifetime"),
            ),
            Self::IssuedAhead => (
                "iat past",
                found("ahead"),
                Some("look at the client's clock"),
            ),
            Self::TooOld => (
                "a recent iat",
                found("too old"),
                Some("look at the client's clock"),
            ),
            Self::NotYetValid => (
                "nbf past",
                found("ahead"),
                Some("look at the client's clock"),
            ),
            Self::UnknownKey => (
                "the kid of a registered key",
                found("another kid"),
                Some(
                    "register the client's public key: jwks_file in the catalog, then grantd apply",
                ),
            ),
            Self::DeadKey(id, state) => (
                "a live key",
                format!("{id}, {state:?}"),
                Some(
                    "give the client its current key: grantd credential list shows which are live",
                ),
            ),
            Self::AmbiguousKey => (
                "a kid, as several keys are registered",
                found("none"),
                Some("let the client send kid"),
            ),
            Self::Algorithm => (
                "an alg that the key is registered for",
                found("another"),
                None,
            ),
            Self::Signature => ("a signature by the registered key", found("another"), None),
            Self::Replayed => (
                "a jti that was never used",
                found("used before"),
                Some("let the client make a new assertion for each request"),
            ),
            Self::MadeBeforeLoss => (
                "an assertion made since the database lost a part of its past",
                found("an older one, which may have been used"),
                Some("let the client make a new assertion, with iat"),
            ),
        }
    }
}

/// Whether `typ` may be that of a client assertion.
///
/// # Errors
/// Any other explicit type (RFC 8725 section 3.11).
pub fn check_type(typ: Option<&str>) -> Result<(), AssertionFault> {
    match typ {
        Some(typ) if !TYPES.contains(&typ) => Err(AssertionFault::Type),
        _ => Ok(()),
    }
}

/// The client that an assertion claims to be of: its `sub`, unverified.
///
/// # Errors
/// No `sub`, or one that is no text.
pub fn claimed_client(claims: &Map<String, Value>) -> Result<&str, AssertionFault> {
    text(claims, "sub")
}

/// Judges the claims at `now`.
///
/// # Errors
/// The first rule that does not hold.
pub fn accept(
    claims: &Map<String, Value>,
    rules: &AssertionRules<'_>,
    now: Timestamp,
) -> Result<AcceptedClaims, AssertionFault> {
    for claim in ["iss", "sub"] {
        if text(claims, claim)? != rules.client_id {
            return Err(AssertionFault::NotTheClient(claim));
        }
    }
    let names_token_endpoint = check_audience(claims, rules)?;
    let (made_at, dead_at) = check_times(claims, rules, now)?;
    let jti = text(claims, "jti")?;
    if jti.is_empty() || jti.len() > MAX_JTI_LENGTH {
        return Err(AssertionFault::Malformed("jti"));
    }
    Ok(AcceptedClaims {
        jti: jti.to_owned(),
        made_at,
        dead_at,
        names_token_endpoint,
    })
}

/// Exactly one audience, and it is us (rfc7523bis): whoever signs for two servers lets each replay at the other.
fn check_audience(
    claims: &Map<String, Value>,
    rules: &AssertionRules<'_>,
) -> Result<bool, AssertionFault> {
    let value = claims.get("aud").ok_or(AssertionFault::Absent("aud"))?;
    let audience = match value {
        Value::String(audience) => Some(audience),
        Value::Array(list) if !rules.audience_as_text => match list.as_slice() {
            [Value::String(audience)] => Some(audience),
            _ => None,
        },
        _ => None,
    };
    match audience {
        Some(audience) if audience == rules.issuer => Ok(false),
        Some(audience) if Some(audience.as_str()) == rules.token_endpoint => Ok(true),
        _ => Err(AssertionFault::Audience(shown(value))),
    }
}

/// A text as it is, anything else as JSON without its quotes, which the log would escape twice.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => unknown_url(text),
        other => unknown_url(&other.to_string().replace('"', "")),
    }
}

/// Gives when it was made at the earliest, and from when on it is too old.
fn check_times(
    claims: &Map<String, Value>,
    rules: &AssertionRules<'_>,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), AssertionFault> {
    let (leeway, lifetime) = (rules.leeway, rules.max_lifetime);
    let exp = date(claims, "exp")?.ok_or(AssertionFault::Absent("exp"))?;
    if exp.plus(leeway) <= now {
        return Err(AssertionFault::Expired);
    }
    if exp > now.plus(lifetime).plus(leeway) {
        return Err(AssertionFault::LivesTooLong);
    }
    let iat = date(claims, "iat")?;
    if let Some(iat) = iat {
        if iat > now.plus(leeway) {
            return Err(AssertionFault::IssuedAhead);
        }
        if iat < now.minus(lifetime).minus(leeway) {
            return Err(AssertionFault::TooOld);
        }
    }
    if date(claims, "nbf")?.is_some_and(|nbf| nbf > now.plus(leeway)) {
        return Err(AssertionFault::NotYetValid);
    }
    // Without `iat` it was made less than its longest lifetime before its end.
    let made_at = iat.unwrap_or_else(|| exp.minus(lifetime).minus(Seconds::new(1)));
    Ok((made_at, exp.plus(leeway)))
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, AssertionFault> {
    match claims.get(name) {
        None => Err(AssertionFault::Absent(name)),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(AssertionFault::Malformed(name)),
    }
}

/// A `NumericDate` (RFC 7519 section 2).
fn date(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<Timestamp>, AssertionFault> {
    let malformed = AssertionFault::Malformed(name);
    claims
        .get(name)
        .map(|value| parse_numeric_date(value).ok_or(malformed))
        .transpose()
}

#[cfg(test)]
mod tests;
