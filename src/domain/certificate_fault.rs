//! Why a client certificate proves nothing (RFC 8705 section 2).

use super::identifier::CredentialId;

/// One fault of a client certificate. To the client all of them look the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// More certificates or bytes than any chain needs.
    #[error("a chain beyond the limits")]
    TooLarge,
    /// No X.509 certificate, or one with contradictions.
    #[error("a certificate that cannot be read")]
    Unreadable,
    /// Its time has not come.
    #[error("a certificate that is not valid yet")]
    NotYetValid,
    /// Its time is over.
    #[error("an expired certificate")]
    Expired,
    /// An RSA key under 2048 bits.
    #[error("a certificate with a short key")]
    WeakKey,
    /// A signature over SHA-1, MD5, or something unknown.
    #[error("a certificate with a weak signature")]
    WeakSignature,
    /// The leaf is none of the client's.
    #[error("another certificate, x5t#S256 {0}")]
    NotRegistered(String),
    /// It is the client's, but not accepted now.
    #[error("the credential {0}, which is not live")]
    NotLive(CredentialId),
    /// No client CA is configured.
    #[error("a certificate, and no client CA is configured")]
    NoClientCas,
    /// No path to a client CA that holds; webpki's reason.
    #[error("a chain that does not hold: {0}")]
    Chain(String),
    /// The leaf bears another subject.
    #[error("a certificate with another subject")]
    OtherSubject,
}

impl CertificateFault {
    /// What an operator can do about it.
    #[must_use]
    pub const fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Expired => Some("give the client a new certificate, and register it"),
            Self::NotRegistered(_) => Some(
                "register this x5t#S256 in the catalog's thumbprints, where the certificate is the client's",
            ),
            Self::NoClientCas => Some("name the CAs in [mtls] client_ca_files"),
            Self::Chain(_) => Some(
                "look at dates and extended key usage, let the client send its intermediates, or add the CA to [mtls] client_ca_files",
            ),
            Self::OtherSubject => Some(
                "compare with openssl x509 -noout -subject -nameopt RFC2253 -ext subjectAltName",
            ),
            _ => None,
        }
    }
}
