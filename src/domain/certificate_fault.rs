//! Why a client certificate proves nothing (RFC 8705 section 2).

use std::borrow::Cow;

use super::credential::CredentialState;
use super::identifier::{CredentialId, IssuerId};

/// One fault of a client certificate. To the client all of them look the same.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    #[error("a chain of more than 10 certificates or 64 KiB")]
    TooLarge,
    #[error("a certificate that cannot be read")]
    Unreadable,
    #[error("a certificate that is not valid yet")]
    NotYetValid,
    #[error("an expired certificate")]
    Expired,
    #[error("a certificate with a short key")]
    WeakKey,
    #[error("a certificate with a weak signature")]
    WeakSignature,
    /// The `x5t#S256` of the leaf, which is not one of the client's.
    #[error("another certificate, x5t#S256 {0}")]
    NotRegistered(String),
    #[error("the credential {0}, which is not live")]
    NotLive(CredentialId, CredentialState),
    #[error("a certificate, and no client CA is configured")]
    NoClientCas,
    /// webpki's reason.
    #[error("a chain that cannot be verified: {0}")]
    Chain(String),
    /// No other CA vouches for the IDs of its trust domain.
    #[error("a certificate of the trust domain {0}, which does not vouch for clients")]
    NotForClients(IssuerId),
    #[error("a certificate with another subject")]
    OtherSubject,
    #[error(
        "a URI of the scheme spiffe that is no SPIFFE ID of a workload, so that no CA vouches for it"
    )]
    NoSpiffeId,
    #[error("an X.509-SVID with more than one URI among its names")]
    SeveralUris,
}

impl CertificateFault {
    /// What was found, and what to do about it.
    #[must_use]
    pub fn explain(&self) -> (Cow<'_, str>, &'static str) {
        (self.to_string().into(), self.remedy())
    }

    const fn remedy(&self) -> &'static str {
        match self {
            Self::TooLarge => "let the client send only its certificate and its intermediates",
            Self::Unreadable => "look at it with openssl x509 -text; give the client a new one",
            Self::NotYetValid => "compare its dates with the server's clock",
            Self::Expired => "give the client a new certificate, and register it",
            Self::WeakKey => {
                "give the client a certificate with P-256, Ed25519 or RSA of 2048 bits or more"
            }
            Self::WeakSignature => {
                "give the client a certificate that is signed with SHA-256 or better"
            }
            Self::NotRegistered(_) => {
                "register this x5t#S256 in the catalog's thumbprints, where the certificate is the client's"
            }
            Self::NotLive(..) => {
                "give the client its current certificate: grantd credential list shows which are live"
            }
            Self::NoClientCas => "name the CAs in [mtls] client_ca_files",
            Self::Chain(_) => {
                "look at dates and extended key usage, let the client send its intermediates, or add the CA to [mtls] client_ca_files"
            }
            Self::NotForClients(_) => {
                "add client to the issuer's use in the catalog, and apply it, where its workloads are to be clients"
            }
            Self::NoSpiffeId => {
                "register the ID as spiffe://TRUST-DOMAIN/PATH, and give the client a certificate for it"
            }
            Self::SeveralUris => "give the client an X.509-SVID whose only URI is its SPIFFE ID",
            Self::OtherSubject => {
                "compare with openssl x509 -noout -subject -nameopt RFC2253 -ext subjectAltName"
            }
        }
    }
}
