//! What a request presents as client authentication, before anything of it is believed (RFC 6749 section 2.3).

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
    UnknownScheme,
    /// A client assertion (RFC 7521 section 4.2).
    Assertion {
        /// The `client_id` of the body.
        client_id: Option<String>,
        /// The assertion, any text.
        assertion: String,
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
