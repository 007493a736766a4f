//! Why a DPoP proof is refused, RFC 9449 sections 4.3 and 8: one variant per check.

use super::refusal::{ErrorCode, FailedCheck};

/// A fault of a DPoP proof. None of them repeats what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DpopFault {
    /// More than one `DPoP` header.
    SeveralProofs,
    /// Not a strict compact JWS; the reason.
    Form(String),
    /// `typ` is not `dpop+jwt`.
    Typ,
    /// `alg` is none of those that the metadata lists.
    Algorithm,
    /// No `jwk` in the header.
    KeyAbsent,
    /// `jwk` is no public key for this `alg`; the reason.
    Key(String),
    /// The signature is not that of the key.
    Signature,
    /// `htm` is not the method of the request.
    Method,
    /// `htu` is not the URI of the request.
    Uri,
    /// A time is absent or no number of seconds; its name.
    Time(&'static str),
    /// `iat` is too far in the past.
    TooOld,
    /// `iat` is too far ahead.
    TooEarly,
    /// `exp` is past.
    Expired,
    /// `nbf` is ahead.
    NotYetValid,
    /// `jti` is absent or not a text of 1 to 256 bytes.
    Jti,
    /// A nonce is demanded and absent; the one to use.
    NonceAbsent(String),
    /// The nonce is unknown or too old; the one to use.
    NonceWrong(String),
    /// The proof was used before.
    Replayed,
    /// It was made before the database lost a part of its past: whether it was used nobody knows.
    MadeBeforeLoss,
}

impl DpopFault {
    /// The error code of the answer.
    #[must_use]
    pub const fn error(&self) -> ErrorCode {
        match self {
            Self::NonceAbsent(_) | Self::NonceWrong(_) => ErrorCode::UseDpopNonce,
            _ => ErrorCode::InvalidDpopProof,
        }
    }

    /// The `error_description` of the answer.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        match self {
            Self::SeveralProofs => "exactly one DPoP header is needed",
            Self::Form(_) => "the DPoP proof is no compact JWS",
            Self::Typ => "the typ of the DPoP proof must be dpop+jwt",
            Self::Algorithm => "the alg of the DPoP proof is not supported, see the metadata",
            Self::KeyAbsent | Self::Key(_) => {
                "the jwk of the DPoP proof must be a public key for its alg"
            }
            Self::Signature => "the signature of the DPoP proof is wrong",
            Self::Method => "the htm of the DPoP proof must be the method of the request",
            Self::Uri => "the htu of the DPoP proof must be the URI of the token endpoint",
            Self::Time(_) => "a time of the DPoP proof is missing or no number",
            Self::TooOld | Self::TooEarly => {
                "the iat of the DPoP proof is not close to the time of the server"
            }
            Self::Expired | Self::NotYetValid => "the DPoP proof is not valid at this time",
            Self::Jti => "the jti of the DPoP proof must have 1 to 256 bytes",
            Self::NonceAbsent(_) | Self::NonceWrong(_) => {
                "the DPoP proof needs the nonce of the DPoP-Nonce header"
            }
            Self::Replayed => "the DPoP proof was used before",
            Self::MadeBeforeLoss => "the DPoP proof is older than the server's memory of used ones",
        }
    }

    /// The nonce that the client shall use instead.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        match self {
            Self::NonceAbsent(nonce) | Self::NonceWrong(nonce) => Some(nonce),
            _ => None,
        }
    }

    /// The failed check, for operators.
    #[must_use]
    pub fn check(&self) -> FailedCheck {
        let found = match self {
            Self::SeveralProofs => "several",
            Self::Form(reason) | Self::Key(reason) => reason,
            Self::Typ | Self::Algorithm | Self::Method | Self::Uri => "another",
            Self::KeyAbsent | Self::NonceAbsent(_) => "none",
            Self::Signature => "not that of the key",
            Self::Time(name) => name,
            Self::TooOld => "too old",
            Self::TooEarly => "ahead of our clock",
            Self::Expired => "exp is past",
            Self::NotYetValid => "nbf is ahead",
            Self::Jti => "none, empty or too long",
            Self::NonceWrong(_) => "an unknown or old one",
            Self::Replayed => "used again",
            Self::MadeBeforeLoss => "made before the database lost a part of its past",
        };
        FailedCheck {
            name: "dpop proof",
            expected: self.description().to_owned(),
            found: found.to_owned(),
            remedy: self.remedy(),
        }
    }

    const fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::TooOld | Self::TooEarly | Self::Expired | Self::NotYetValid => {
                Some("compare the clocks of client and server")
            }
            Self::Uri => Some("let the client use the token_endpoint of the metadata as htu"),
            Self::Replayed | Self::MadeBeforeLoss => {
                Some("let the client make a new proof for each request")
            }
            _ => None,
        }
    }
}
