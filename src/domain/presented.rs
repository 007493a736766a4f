//! What a request presents as client authentication (RFC 6749 section 2.3) and as proof of possession (RFC 9449),
//! before anything of it is believed.

use std::fmt;

use super::client::AuthMethod;
use super::secret_format::Secret;

/// The client authentication of one request, unverified.
#[derive(Clone, Debug)]
pub enum Presented {
    /// No credentials; at most a bare `client_id`.
    Nothing {
        /// The `client_id` of the body.
        client_id: Option<String>,
    },
    /// An `Authorization` scheme other than Basic.
    UnknownScheme {
        /// Its name, where it has one.
        scheme: &'static str,
    },
    /// A client assertion (RFC 7521 section 4.2).
    Assertion {
        /// The `client_id` of the body.
        client_id: Option<String>,
        /// The assertion, any text.
        assertion: String,
        /// Whether it must be a JWT-SVID.
        is_svid: bool,
    },
    /// A secret.
    Secret {
        /// How it came: `client_secret_basic` or `client_secret_post`.
        method: AuthMethod,
        /// The `client_id`, any text.
        client_id: String,
        /// The secret, any text.
        secret: Secret,
    },
}

/// The `DPoP` header of one request (RFC 9449 section 4.1), unverified.
#[derive(Clone, Copy)]
pub enum PresentedProof<'a> {
    /// None.
    Nothing,
    /// One, any bytes.
    One(&'a [u8]),
    /// More than one, which is never right (RFC 9449 section 4.3).
    Several,
}

impl fmt::Debug for PresentedProof<'_> {
    /// Hides it: anybody who has it can use it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::One(_) => "One(hidden)",
            Self::Several => "Several",
        })
    }
}
