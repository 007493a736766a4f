//! Why a client certificate proves nothing (RFC 8705 section 2).

use std::borrow::Cow;
use std::fmt;

use super::identifier::CredentialId;

/// One fault of a client certificate. To the client all of them look the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    /// More certificates or bytes than any chain needs.
    TooLarge,
    /// No X.509 certificate, or one with contradictions.
    Unreadable,
    /// Its time has not come.
    NotYetValid,
    /// Its time is over.
    Expired,
    /// An RSA key under 2048 bits.
    WeakKey,
    /// A signature over SHA-1, MD5, or something unknown.
    WeakSignature,
    /// The leaf is none of the client's; its `x5t#S256`.
    NotRegistered(String),
    /// It is the client's, but not accepted now.
    NotLive(CredentialId),
    /// No client CA is configured.
    NoClientCas,
    /// No path to a client CA that holds; webpki's reason.
    Chain(String),
    /// The leaf bears another subject.
    OtherSubject,
}

impl CertificateFault {
    /// What was found, and what to do about it.
    #[must_use]
    pub fn explain(&self) -> (Cow<'_, str>, &'static str) {
        match self {
            Self::TooLarge => (
                "a chain of more than 10 certificates or 64 KiB".into(),
                "let the client send its certificate and its intermediates, and nothing else",
            ),
            Self::Unreadable => (
                "a certificate that cannot be read".into(),
                "look at it with openssl x509 -text; give the client a new one",
            ),
            Self::NotYetValid => (
                "a certificate that is not valid yet".into(),
                "compare its dates with the server's clock",
            ),
            Self::Expired => (
                "an expired certificate".into(),
                "give the client a new certificate, and register it",
            ),
            Self::WeakKey => (
                "a certificate with a short key".into(),
                "give the client a certificate with P-256, Ed25519 or RSA of 2048 bits or more",
            ),
            Self::WeakSignature => (
                "a certificate with a weak signature".into(),
                "give the client a certificate that is signed over SHA-256 or better",
            ),
            Self::NotRegistered(thumbprint) => (
                format!("another certificate, x5t#S256 {thumbprint}").into(),
                "register this x5t#S256 in the catalog's thumbprints, where the certificate is the client's",
            ),
            Self::NotLive(id) => (
                format!("the credential {id}, which is not live").into(),
                "give the client its current certificate: grantd credential list shows which are live",
            ),
            Self::NoClientCas => (
                "a certificate, and no client CA is configured".into(),
                "name the CAs in [mtls] client_ca_files",
            ),
            Self::Chain(reason) => (
                format!("a chain that does not hold: {reason}").into(),
                "look at dates and extended key usage, let the client send its intermediates, or add the CA to [mtls] client_ca_files",
            ),
            Self::OtherSubject => (
                "a certificate with another subject".into(),
                "compare with openssl x509 -noout -subject -nameopt RFC2253 -ext subjectAltName",
            ),
        }
    }
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explain().0)
    }
}

impl std::error::Error for CertificateFault {}
