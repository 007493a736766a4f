//! What can be wrong with a client's assertion, for tests that want to see it refused (RFC 7523 section 3).

use serde_json::{Value, json};

use super::client::named;
use super::deviation::{Algorithm, Deviation, SignatureForm};
use super::timestamp::{Seconds, Timestamp};

/// Longer ago than the leeway that assertions have.
const LONG: Seconds = Seconds::new(600);
/// How long it lived.
const A_MINUTE: Seconds = Seconds::new(60);

named! {
    /// What is wrong with an assertion.
    AssertionFlaw {
        /// It expired ten minutes ago.
        Expired = "expired",
        /// It is for another server.
        WrongAudience = "wrong_audience",
        /// Its `iss` is another client.
        WrongIssuer = "wrong_issuer",
        /// One bit of its signature is changed.
        SignatureChanged = "signature_changed",
        /// It is not signed.
        AlgNone = "alg_none",
        /// It has no `jti`.
        JtiMissing = "jti_missing",
        /// Its `kid` names no key of the client.
        UnknownKid = "unknown_kid",
    }
}

impl AssertionFlaw {
    /// How it differs from one that is right at `now`.
    #[must_use]
    pub fn deviation(self, now: Timestamp) -> Deviation {
        let mut differs = Deviation::default();
        let mut claim = |name: &str, value: Value| {
            differs.claims.insert(name.to_owned(), value);
        };
        match self {
            Self::Expired => {
                let end = now.minus(LONG);
                claim("iat", json!(end.minus(A_MINUTE).unix()));
                claim("exp", json!(end.unix()));
            }
            Self::WrongAudience => claim("aud", json!("https://another-issuer.example")),
            Self::WrongIssuer => claim("iss", json!("another-client")),
            Self::JtiMissing => claim("jti", Value::Null),
            Self::SignatureChanged => differs.signature = SignatureForm::BitChanged,
            Self::AlgNone => differs.algorithm = Some(Algorithm::None),
            Self::UnknownKid => {
                differs
                    .header
                    .insert("kid".to_owned(), json!("no-such-key"));
            }
        }
        differs
    }
}
