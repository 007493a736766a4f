//! What is wrong with the headers in which a trusted proxy says whose request it passes on.

use super::certificate_fault::CertificateFault;

/// One fault of such headers. They come from a proxy of ours, so the request is refused rather than taken for one
/// without a certificate or from nearby.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardedFault {
    /// The peer is in the networks of the proxies, and proves in no way that it is one.
    #[error(
        "a peer in the networks of the proxies, without secret and without certificate of theirs"
    )]
    NoProof,
    /// The header of the proxies' secret holds something else, or stands twice.
    #[error("the header of the proxies' secret, without the secret alone")]
    Secret,
    /// The certificate by which a proxy proves itself is not usable any more.
    #[error("a proxy's own certificate: {0}")]
    OwnCertificate(CertificateFault),
    /// The header with the certificate stands twice.
    #[error("two headers with a client certificate")]
    RepeatedCertificate,
    /// More than one element of `X-Forwarded-Client-Cert`.
    #[error("X-Forwarded-Client-Cert with more than one element")]
    SeveralElements,
    /// The header's text is none of its kind.
    #[error("a header with a client certificate that cannot be read")]
    CertificateHeader,
    /// The element names neither `Cert` nor `Chain`.
    #[error("X-Forwarded-Client-Cert with neither Cert nor Chain")]
    NoCertificate,
    /// What it says of one certificate differs.
    #[error("X-Forwarded-Client-Cert whose Cert, Chain and Hash differ")]
    Contradiction,
    /// `Client-Cert-Chain` without `Client-Cert` (RFC 9440 section 2.3).
    #[error("Client-Cert-Chain without Client-Cert")]
    ChainAlone,
    /// What the header holds is no usable certificate.
    #[error("{0}")]
    Certificate(#[from] CertificateFault),
    /// The connection has a certificate that is none of a proxy.
    #[error("a certificate in a header, and another one on the connection")]
    TwoCertificates,
    /// `Connection` names the header: somebody wants it dropped on the way (RFC 9110 section 7.6.1).
    #[error("a Connection header that names a header of the proxy")]
    HopByHop,
    /// No address of the client.
    #[error("no address of the client")]
    NoAddress,
    /// The address is none.
    #[error("an address of the client that cannot be read")]
    Address,
}

impl ForwardedFault {
    /// What an operator can do about it.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::NoProof => {
                "let the proxy send secret_header, or show a certificate of thumbprints; where clients connect from there, make networks in [proxy] narrower"
            }
            Self::Secret => {
                "let the proxy set the header that secret_header in [proxy] names, in the place of what clients send"
            }
            Self::OwnCertificate(_) => {
                "give the proxy a new certificate, and add its x5t#S256 to thumbprints in [proxy]"
            }
            Self::RepeatedCertificate | Self::TwoCertificates | Self::ChainAlone => {
                "let the proxy drop what clients send under that name, and set it itself"
            }
            Self::SeveralElements => {
                "let Envoy replace the header: forward_client_cert_details: SANITIZE_SET"
            }
            Self::NoCertificate => {
                "let Envoy send the certificate: set_current_client_cert_details: {cert: true, chain: true}"
            }
            Self::CertificateHeader | Self::Contradiction | Self::Certificate(_) => {
                "compare what the proxy sends with client_certificate in [proxy]; without a certificate it must send no such header"
            }
            Self::HopByHop => "let the proxy drop the client's Connection header",
            Self::NoAddress | Self::Address => {
                "let the proxy set the header that client_address in [proxy] names"
            }
        }
    }
}
