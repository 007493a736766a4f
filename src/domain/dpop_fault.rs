//! Why a DPoP proof is refused, RFC 9449 sections 4.3 and 8: one variant per check.

use super::check::{Check, Finding};
use super::explanation::{ErrorCode, Explanation};

/// A fault of a DPoP proof. A text in it is what came, as [`shown`](super::shown) shows it; a number is the seconds
/// between the time that it names and ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DpopFault {
    /// More than one `DPoP` header.
    SeveralProofs,
    /// Not a strict compact JWS; the reason.
    Form(String),
    /// `typ` is not `dpop+jwt`.
    Typ(String),
    /// `alg` is none of those that the metadata lists.
    Algorithm(String),
    /// No `jwk` in the header.
    KeyAbsent,
    /// `jwk` is not a public key for this `alg`; with the reason.
    Key(String),
    /// The signature is not that of the key.
    Signature,
    /// `htm` is not the method of the request.
    Method(String),
    /// `htu` is not the URI of the request.
    Uri(String),
    /// A time is absent or no number of seconds; its name.
    Time(&'static str),
    /// `iat` is too far in the past.
    TooOld(i64),
    /// `iat` is too far ahead.
    TooEarly(i64),
    /// `exp` is past.
    Expired(i64),
    /// `nbf` is ahead.
    NotYetValid(i64),
    /// `jti` is absent or not a text of 1 to 256 bytes.
    Jti,
    /// A nonce is demanded and absent; the one to use.
    NonceAbsent(String),
    /// The nonce is unknown or too old; the one to use.
    NonceWrong(String),
    /// The proof was used before.
    Replayed,
    /// Made before the database lost its record of used ones, so it may have been used.
    MadeBeforeLoss,
}

const CLOCKS: &str = "compare the clocks of client and server";
const NEW_PROOF: &str = "let the client make a new proof for each request";
const NOT_NOW: &str = "the DPoP proof is not valid at this time";
const NOT_RECENT: &str = "the iat of the DPoP proof is too far from the server's time";
const NO_KEY: &str = "the jwk of the DPoP proof must be a public key for its alg";
const NONCE: &str = "the DPoP proof needs the nonce of the DPoP-Nonce header";
const SEND_NONCE: &str = "let the client send the proof again with the nonce of the DPoP-Nonce header; most libraries do";

impl DpopFault {
    /// What client and operator are told of it.
    #[must_use]
    #[expect(
        clippy::too_many_lines,
        reason = "a table: all that is said of one fault stands in one place"
    )]
    pub fn explain(&self) -> Explanation<'_> {
        let (description, finding) = match self {
            Self::SeveralProofs => (
                "exactly one DPoP header is needed",
                Finding::new(Check::DpopOne, "several")
                    .remedy("let the client send one DPoP header"),
            ),
            Self::Form(reason) => (
                "the DPoP proof is not a compact JWS",
                Finding::new(Check::DpopForm, reason)
                    .remedy("let the client send the three parts as its library made them"),
            ),
            Self::Typ(found) => (
                "the typ of the DPoP proof must be dpop+jwt",
                Finding::new(Check::DpopType, found)
                    .remedy("let the client sign a proof: it sent another kind of JWT"),
            ),
            Self::Algorithm(found) => (
                "the alg of the DPoP proof is not supported, see the metadata",
                Finding::new(Check::DpopAlgorithm, found).remedy(
                    "let the client use a key for one of dpop_signing_alg_values_supported",
                ),
            ),
            Self::KeyAbsent => (
                NO_KEY,
                Finding::new(Check::DpopKey, "none")
                    .remedy("let the client put its public key into the header, as jwk"),
            ),
            Self::Key(reason) => (
                NO_KEY,
                Finding::new(Check::DpopKey, reason)
                    .remedy("let the client put only its public key into the header, as jwk"),
            ),
            Self::Signature => (
                "the signature of the DPoP proof is wrong",
                Finding::new(Check::DpopSignature, "one that this key did not make")
                    .remedy("let the client sign with the private half of its jwk"),
            ),
            Self::Method(found) => (
                "the htm of the DPoP proof must be the method of the request",
                Finding::new(Check::DpopMethod, found).remedy("let the client write POST into htm"),
            ),
            Self::Uri(found) => (
                "the htu of the DPoP proof must be the URI of the token endpoint",
                Finding::new(Check::DpopUri, found)
                    .remedy("let the client use the token_endpoint of the metadata as htu"),
            ),
            Self::Time(name) => (
                "a time in the DPoP proof is missing or not a number",
                Finding::new(check_of(name), format!("no {name}, or one in another form"))
                    .remedy("let the client write iat, as a number of seconds"),
            ),
            Self::TooOld(ago) => (
                NOT_RECENT,
                Finding::new(Check::DpopAge, format!("iat {ago} s ago")).remedy(CLOCKS),
            ),
            Self::TooEarly(ahead) => (
                NOT_RECENT,
                Finding::new(Check::DpopIssued, format!("iat {ahead} s ahead")).remedy(CLOCKS),
            ),
            Self::Expired(ago) => (
                NOT_NOW,
                Finding::new(Check::DpopExpiry, format!("exp {ago} s ago")).remedy(CLOCKS),
            ),
            Self::NotYetValid(ahead) => (
                NOT_NOW,
                Finding::new(Check::DpopBegin, format!("nbf {ahead} s ahead")).remedy(CLOCKS),
            ),
            Self::Jti => (
                "the jti of the DPoP proof must have 1 to 256 bytes",
                Finding::new(Check::DpopJti, "none, an empty one or a longer one")
                    .remedy("let the client write a random jti"),
            ),
            Self::NonceAbsent(_) => (
                NONCE,
                Finding::new(Check::DpopNonce, "none").remedy(SEND_NONCE),
            ),
            Self::NonceWrong(_) => (
                NONCE,
                Finding::new(Check::DpopNonce, "an unknown or old one").remedy(SEND_NONCE),
            ),
            Self::Replayed => (
                "the DPoP proof was used before",
                Finding::new(Check::DpopOnce, "one that was used before").remedy(NEW_PROOF),
            ),
            Self::MadeBeforeLoss => (
                "the DPoP proof is older than the server's memory of used ones",
                Finding::new(
                    Check::DpopSinceLoss,
                    "an older one, which may have been used",
                )
                .remedy(NEW_PROOF),
            ),
        };
        let error = match self.nonce() {
            Some(_) => ErrorCode::UseDpopNonce,
            None => ErrorCode::InvalidDpopProof,
        };
        Explanation {
            error,
            description,
            finding,
        }
    }

    /// The nonce that the client should use instead.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        match self {
            Self::NonceAbsent(nonce) | Self::NonceWrong(nonce) => Some(nonce),
            _ => None,
        }
    }
}

/// The check that the time `name` must pass first.
fn check_of(name: &str) -> Check {
    match name {
        "exp" => Check::DpopExpiry,
        "nbf" => Check::DpopBegin,
        _ => Check::DpopAge,
    }
}
