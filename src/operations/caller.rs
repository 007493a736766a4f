//! Who sends a request, as far as the connection tells, or a trusted proxy on it.

use std::net::IpAddr;
use std::sync::Arc;

use crate::crypto::certificates::CertificateChain;

/// The origin of one request: one value, made once.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The source address: the peer's, or what a trusted proxy says.
    pub source: IpAddr,
    /// The peer, where it is a trusted proxy.
    pub proxy: Option<IpAddr>,
    /// The client certificate whose key the caller holds: our handshake proved it, or that of a trusted proxy.
    pub certificate: Option<ClientCertificate>,
    /// Held while a secret of this connection waits to be hashed, so that each connection has one waiting.
    pub hashing_turn: Arc<tokio::sync::Mutex<()>>,
}

/// A client certificate. That its key is held is proven; chain, dates and CA are judged at each request, because
/// connections outlive certificates.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// The certificate and those that were sent beside it.
    pub chain: CertificateChain,
}
