//! The reverse proxies that are trusted to say whose request they pass on.

use std::net::IpAddr;

use ipnet::IpNet;

use super::client::named;
use super::secret_format::Secret;

/// Which proxies are trusted, by what, and which of their headers are read.
///
/// A peer is one when its address is in `networks` and it gives a second proof: a client certificate of its own, or
/// the shared secret. On loopback the address suffices.
#[derive(Clone, Debug)]
pub struct TrustedProxies {
    /// Where they connect from.
    pub networks: Vec<IpNet>,
    /// The `x5t#S256` of their own client certificates.
    pub thumbprints: Vec<String>,
    /// What they send to prove themselves.
    pub secret: Option<ProxySecret>,
    /// Where they put the client's certificate.
    pub certificate_header: CertificateHeader,
    /// Where they put the client's address.
    pub address_header: AddressHeader,
}

/// A secret that a proxy sends with each request.
#[derive(Clone, Debug)]
pub struct ProxySecret {
    /// The name of the header.
    pub header: String,
    /// Its value.
    pub value: Secret,
}

named! {
    /// The header with the client's certificate. No other one is read: a proxy that sets one may pass on others as
    /// strangers send them.
    CertificateHeader {
        /// None: a proxy knows no certificate.
        None = "none",
        /// RFC 9440.
        ClientCert = "client-cert",
        /// Envoy's.
        XForwardedClientCert = "x-forwarded-client-cert",
    }
}

named! {
    /// The header with the client's address, and with those of the proxies on the way.
    AddressHeader {
        /// None: the source is the proxy itself.
        None = "none",
        /// The one that everybody knows.
        XForwardedFor = "x-forwarded-for",
        /// RFC 7239.
        Forwarded = "forwarded",
    }
}

impl TrustedProxies {
    /// Whether an address is within the networks of proxies.
    #[must_use]
    pub fn includes(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }
}
