//! The claims of a client assertion (RFC 7521 section 4.2, RFC 7523 section 3, rfc7523bis), and whether they are
//! acceptable now. Signature and replay are judged elsewhere.

mod claims;

pub use claims::{accept, claimed_client, issued_at, judge_each, made_at};

use super::check::{Check, Finding};
use super::credential::CredentialState;
use super::identifier::CredentialId;
use super::jwt_claims::ClaimFault;
use super::secret_format::Oddity;
use super::shown::unknown;
use super::timestamp::Seconds;

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

/// Why an assertion does not prove its client. A text in it is what came, as [`shown`](super::shown) shows it; a number
/// is the seconds between the time that it names and ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssertionFault {
    /// Not a compact JWS of strict JSON; with the reason.
    Form(String),
    /// It would be one without what stands around it.
    Surrounded(Oddity),
    /// Its `typ` is that of something else.
    Type(String),
    /// `client_id` of the request is another than its `sub`.
    ClientId(String),
    /// A claim is absent.
    Absent(&'static str),
    /// A claim is of a wrong JSON type, or out of any sense.
    Malformed(&'static str),
    /// `iss` or `sub` is not the client; which, and what it is.
    NotTheClient(&'static str, String),
    /// `aud` is not exactly the issuer; what it is.
    Audience(String),
    /// `aud` is a list, where it must be a text or a list of one; what it is.
    AudienceList(String),
    /// `exp` is past.
    Expired(i64),
    /// `exp` is too far ahead.
    LivesTooLong(i64),
    /// `iat` is ahead.
    IssuedAhead(i64),
    /// `iat` is too long ago.
    TooOld(i64),
    /// `nbf` is ahead.
    NotYetValid(i64),
    /// No registered key has its `kid`; what it is.
    UnknownKey(String),
    /// The key is registered, but not live: expired, not yet active, or retired.
    DeadKey(CredentialId, CredentialState),
    /// It names no `kid`, and the client has several keys that it could be.
    AmbiguousKey,
    /// The key is not registered for its `alg`, or the `alg` is none of ours.
    Algorithm(String),
    /// The signature is not of that key.
    Signature,
    /// It was used before.
    Replayed,
    /// Made before the database lost its record of used ones, so it may have been used.
    MadeBeforeLoss,
}

impl From<ClaimFault> for AssertionFault {
    fn from(fault: ClaimFault) -> Self {
        match fault {
            ClaimFault::Absent(claim) => Self::Absent(claim),
            ClaimFault::Malformed(claim) => Self::Malformed(claim),
        }
    }
}

const CLOCK: &str = "look at the client's clock";

impl AssertionFault {
    /// What failed, what came instead, and what to do about it.
    #[must_use]
    pub fn explain(&self) -> Finding<'_> {
        match self {
            Self::Form(reason) => Finding::new(Check::AssertionForm, reason).remedy(
                "let the client send the three parts as its library made them, with nothing around them",
            ),
            Self::Surrounded(oddity) => {
                Finding::new(Check::AssertionForm, oddity.found()).remedy(oddity.remedy())
            }
            Self::Type(typ) => Finding::new(Check::AssertionType, typ)
                .remedy("let the client sign an assertion: it sent another kind of JWT"),
            Self::ClientId(other) => Finding::new(Check::AssertionClientId, other)
                .remedy("let the client leave client_id out, or send its sub"),
            Self::Absent(claim) => Finding::new(check_of(claim), format!("no {claim}"))
                .remedy(format!("let the client add {claim}")),
            Self::Malformed(claim) => {
                Finding::new(check_of(claim), format!("{claim} in another form")).remedy(
                    "let the client write times as numbers of seconds, and the other claims as text",
                )
            }
            Self::NotTheClient(claim, found) => {
                Finding::new(Check::AssertionClient, format!("{claim} {found}"))
                    .remedy("let the client write its id, as it is registered, into iss and sub")
            }
            Self::Audience(aud) => Finding::new(Check::AssertionAudience, aud).remedy(
                "let the client write the issuer into aud; where it cannot, register \
                 assertion_audience = \"issuer_or_token_endpoint\"",
            ),
            Self::AudienceList(aud) => Finding::new(Check::AssertionAudience, format!("the list {aud}"))
                .remedy("let the client write only the issuer into aud, as a text"),
            Self::Expired(ago) => {
                Finding::new(Check::AssertionExpiry, format!("exp {ago} s ago")).remedy(CLOCK)
            }
            Self::LivesTooLong(ahead) => {
                Finding::new(Check::AssertionLifetime, format!("exp {ahead} s ahead")).remedy(
                    "let the client make shorter assertions, or raise its max_assertion_lifetime",
                )
            }
            Self::IssuedAhead(ahead) => {
                Finding::new(Check::AssertionIssued, format!("iat {ahead} s ahead")).remedy(CLOCK)
            }
            Self::TooOld(ago) => {
                Finding::new(Check::AssertionAge, format!("iat {ago} s ago")).remedy(CLOCK)
            }
            Self::NotYetValid(ahead) => {
                Finding::new(Check::AssertionBegin, format!("nbf {ahead} s ahead")).remedy(CLOCK)
            }
            Self::UnknownKey(kid) => Finding::new(Check::AssertionKey, kid).remedy(
                "register the client's public key: jwks_file in the catalog, then grantd apply; or publish it at its jwks_url",
            ),
            Self::DeadKey(id, state) => {
                Finding::new(Check::AssertionLiveKey, format!("{id}, {}", state.as_str())).remedy(
                    "give the client its current key: grantd credential list shows which are live",
                )
            }
            Self::AmbiguousKey => Finding::new(Check::AssertionOneKey, "no kid")
                .remedy("let the client send the kid of its key in the header"),
            Self::Algorithm(alg) => Finding::new(Check::AssertionAlgorithm, alg)
                .remedy("let the client sign with an alg of its key that the metadata lists"),
            Self::Signature => Finding::new(Check::AssertionSignature, "one that this key did not make")
                .remedy("register the key that the client signs with, or give it the registered one"),
            Self::Replayed => Finding::new(Check::AssertionOnce, "one that was used before")
                .remedy("let the client make a new assertion for each request"),
            Self::MadeBeforeLoss => {
                Finding::new(Check::AssertionSinceLoss, "an older one, which may have been used")
                    .remedy("let the client make a new assertion, with iat")
            }
        }
    }
}

/// The check that `claim` must pass first.
fn check_of(claim: &str) -> Check {
    match claim {
        "sub" => Check::AssertionClientId,
        "iss" => Check::AssertionClient,
        "aud" => Check::AssertionAudience,
        "exp" => Check::AssertionExpiry,
        "iat" => Check::AssertionIssued,
        "nbf" => Check::AssertionBegin,
        _ => Check::AssertionJti,
    }
}

/// Whether `typ` may be that of a client assertion.
///
/// # Errors
/// Any other explicit type (RFC 8725 section 3.11).
pub fn check_type(typ: Option<&str>) -> Result<(), AssertionFault> {
    match typ {
        Some(typ) if !TYPES.contains(&typ) => Err(AssertionFault::Type(unknown(typ, TYPES))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
