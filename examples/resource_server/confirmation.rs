//! Whether the caller may use a bound token: by its certificate (RFC 8705 section 3) or its key (RFC 9449 section 7).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::answer::Fault;

/// The claim `cnf`. A member that we do not know is a binding that we cannot check: such a token is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    #[serde(rename = "x5t#S256")]
    certificate: Option<String>,
    jkt: Option<String>,
}

/// What the caller shows besides the token.
pub(crate) struct Shown<'a> {
    /// The client's certificate in DER, of which TLS proved the key.
    pub(crate) certificate: Option<&'a [u8]>,
    /// The thumbprint of the key that a good DPoP proof was signed with.
    pub(crate) proof_key: Option<&'a str>,
}

pub(crate) fn check(confirmation: Option<&Confirmation>, shown: &Shown<'_>) -> Result<(), Fault> {
    let (certificate, key) = match confirmation {
        None => (None, None),
        Some(Confirmation {
            certificate: None,
            jkt: None,
        }) => {
            return Err(Fault::Token("an empty confirmation"));
        }
        Some(confirmation) => (
            confirmation.certificate.as_deref(),
            confirmation.jkt.as_deref(),
        ),
    };
    by_certificate(certificate, shown.certificate)?;
    by_key(key, shown.proof_key)
}

fn by_certificate(bound: Option<&str>, shown: Option<&[u8]>) -> Result<(), Fault> {
    match (bound, shown.map(sha256)) {
        (Some(_), None) => Err(Fault::Token("bound to a certificate, and none was shown")),
        (Some(bound), Some(hash)) if hash != bound => {
            Err(Fault::Token("bound to another certificate"))
        }
        // Callers may show a certificate with a token that is not bound to one.
        _ => Ok(()),
    }
}

fn by_key(bound: Option<&str>, proven: Option<&str>) -> Result<(), Fault> {
    match (bound, proven) {
        (Some(_), None) => Err(Fault::Token(
            "bound to a key, and shown without a DPoP proof",
        )),
        // RFC 9449 section 7.1: the scheme DPoP is for bound tokens alone.
        (None, Some(_)) => Err(Fault::Token("a DPoP proof, and no key in the token")),
        (Some(bound), Some(key)) if bound != key => Err(Fault::Token("bound to another key")),
        _ => Ok(()),
    }
}

/// In base64url, as `x5t#S256` and `ath` have it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, bytes))
}
