//! What is wrong with the headers in which a trusted proxy says whose request it passes on.

use std::borrow::Cow;

use super::certificate_fault::CertificateFault;

/// One fault of such headers. They come from a trusted proxy, so the request is refused rather than treated as one
/// without a certificate or from the proxy itself.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardedFault {
    #[error("a peer in the proxies' networks, without the proxies' secret or certificate")]
    NoProof,
    #[error("secret_header with a wrong value")]
    Secret,
    #[error("a proxy's own certificate: {0}")]
    OwnCertificate(CertificateFault),
    #[error("two headers with a client certificate")]
    RepeatedCertificate,
    #[error("X-Forwarded-Client-Cert with more than one element")]
    SeveralElements,
    #[error("a header with a client certificate that cannot be read")]
    CertificateHeader,
    #[error("X-Forwarded-Client-Cert with neither Cert nor Chain")]
    NoCertificate,
    #[error("X-Forwarded-Client-Cert whose Cert, Chain and Hash differ")]
    Contradiction,
    /// RFC 9440 section 2.3.
    #[error("Client-Cert-Chain without Client-Cert")]
    ChainAlone,
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    #[error("one certificate in a header and another on the connection")]
    TwoCertificates,
    /// Somebody wants it dropped on the way (RFC 9110 section 7.6.1).
    #[error("a Connection header that names a header of the proxy")]
    HopByHop,
    #[error("no client address")]
    NoAddress,
    #[error("a client address that cannot be read")]
    Address,
}

impl ForwardedFault {
    /// What was found, and what to do about it.
    #[must_use]
    pub fn explain(&self) -> (Cow<'_, str>, &'static str) {
        (self.to_string().into(), self.remedy())
    }

    const fn remedy(&self) -> &'static str {
        match self {
            Self::OwnCertificate(_) => {
                "give the proxy a new certificate, and add its x5t#S256 to thumbprints in [proxy]"
            }
            Self::NoProof => {
                "let the proxy send secret_header, or show a certificate of thumbprints; where clients connect from there, make networks in [proxy] narrower"
            }
            Self::Secret => {
                "let the proxy set the header that secret_header in [proxy] names, replacing what clients send"
            }
            Self::RepeatedCertificate | Self::TwoCertificates | Self::ChainAlone => {
                "let the proxy set that header itself, replacing what clients send"
            }
            Self::SeveralElements => {
                "let Envoy replace the header: forward_client_cert_details: SANITIZE_SET"
            }
            Self::NoCertificate => {
                "let Envoy send the certificate: set_current_client_cert_details: {cert: true, chain: true}"
            }
            Self::Certificate(_) | Self::CertificateHeader | Self::Contradiction => {
                "compare what the proxy sends with client_certificate in [proxy]; without a certificate it must not send that header"
            }
            Self::HopByHop => "let the proxy drop the client's Connection header",
            Self::NoAddress | Self::Address => {
                "let the proxy set the header that client_address in [proxy] names"
            }
        }
    }
}
