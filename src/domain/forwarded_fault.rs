//! What is wrong with the headers in which a trusted proxy says whose request it passes on.

use std::borrow::Cow;

use super::certificate_fault::CertificateFault;

/// One fault of such headers. They come from a proxy of ours, so the request is refused rather than taken for one
/// without a certificate or from nearby.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForwardedFault {
    /// The peer is in the networks of the proxies, and proves in no way that it is one.
    NoProof,
    /// The header of the proxies' secret holds something else, or stands twice.
    Secret,
    /// The certificate by which a proxy proves itself is not usable any more.
    OwnCertificate(CertificateFault),
    /// The header with the certificate stands twice.
    RepeatedCertificate,
    /// More than one element of `X-Forwarded-Client-Cert`.
    SeveralElements,
    /// The header's text is none of its kind.
    CertificateHeader,
    /// The element names neither `Cert` nor `Chain`.
    NoCertificate,
    /// What it says of one certificate differs.
    Contradiction,
    /// `Client-Cert-Chain` without `Client-Cert` (RFC 9440 section 2.3).
    ChainAlone,
    /// What the header holds is no usable certificate.
    Certificate(CertificateFault),
    /// The connection has a certificate that is none of a proxy.
    TwoCertificates,
    /// `Connection` names the header: somebody wants it dropped on the way (RFC 9110 section 7.6.1).
    HopByHop,
    /// No address of the client.
    NoAddress,
    /// The address is none.
    Address,
}

const SET_ITSELF: &str = "let the proxy drop what clients send under that name, and set it itself";
const COMPARE: &str = "compare what the proxy sends with client_certificate in [proxy]; without a certificate it must send no such header";
const SET_ADDRESS: &str = "let the proxy set the header that client_address in [proxy] names";

impl ForwardedFault {
    /// What was found, and what to do about it.
    #[must_use]
    pub fn explain(&self) -> (Cow<'_, str>, &'static str) {
        let (found, remedy) = match self {
            Self::OwnCertificate(fault) => {
                return (
                    format!("a proxy's own certificate: {fault}").into(),
                    "give the proxy a new certificate, and add its x5t#S256 to thumbprints in [proxy]",
                );
            }
            Self::Certificate(fault) => return (fault.explain().0, COMPARE),
            Self::NoProof => (
                "a peer in the networks of the proxies, with neither their secret nor a certificate of theirs",
                "let the proxy send secret_header, or show a certificate of thumbprints; where clients connect from there, make networks in [proxy] narrower",
            ),
            Self::Secret => (
                "the header of the proxies' secret, with something other than the secret in it",
                "let the proxy set the header that secret_header in [proxy] names, in the place of what clients send",
            ),
            Self::RepeatedCertificate => ("two headers with a client certificate", SET_ITSELF),
            Self::TwoCertificates => (
                "a certificate in a header, and another one on the connection",
                SET_ITSELF,
            ),
            Self::ChainAlone => ("Client-Cert-Chain without Client-Cert", SET_ITSELF),
            Self::SeveralElements => (
                "X-Forwarded-Client-Cert with more than one element",
                "let Envoy replace the header: forward_client_cert_details: SANITIZE_SET",
            ),
            Self::NoCertificate => (
                "X-Forwarded-Client-Cert with neither Cert nor Chain",
                "let Envoy send the certificate: set_current_client_cert_details: {cert: true, chain: true}",
            ),
            Self::CertificateHeader => (
                "a header with a client certificate that cannot be read",
                COMPARE,
            ),
            Self::Contradiction => (
                "X-Forwarded-Client-Cert whose Cert, Chain and Hash differ",
                COMPARE,
            ),
            Self::HopByHop => (
                "a Connection header that names a header of the proxy",
                "let the proxy drop the client's Connection header",
            ),
            Self::NoAddress => ("no address of the client", SET_ADDRESS),
            Self::Address => ("an address of the client that cannot be read", SET_ADDRESS),
        };
        (found.into(), remedy)
    }
}

impl From<CertificateFault> for ForwardedFault {
    fn from(fault: CertificateFault) -> Self {
        Self::Certificate(fault)
    }
}
