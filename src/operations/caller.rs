//! Where a request comes from, according to the connection or to a trusted proxy on it.

use std::net::IpAddr;
use std::sync::Arc;

use crate::crypto::certificates::CertificateChain;

/// The origin of one request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The source address: the peer's, or what a trusted proxy says.
    pub source: IpAddr,
    /// The peer, where it is a trusted proxy.
    pub proxy: Option<IpAddr>,
    /// The caller's client certificate. The handshake with us, or with a trusted proxy, proved that the caller holds
    /// its key.
    pub certificate: Option<ClientCertificate>,
    /// Locked while a secret of this connection waits to be hashed, so that a connection has at most one waiting.
    pub hashing_turn: Arc<tokio::sync::Mutex<()>>,
}

/// A client certificate whose key the peer has proved to hold. Chain, dates and CA are checked at each request,
/// because connections outlive certificates.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// The certificate and the intermediates that were sent with it.
    pub chain: CertificateChain,
}
