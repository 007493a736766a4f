//! Who sends a request, as far as the connection tells.

use std::net::IpAddr;
use std::sync::Arc;

use crate::crypto::certificates::CertificateChain;

/// The origin of one request: one value, made once.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The source address.
    pub source: IpAddr,
    /// The client certificate whose key the caller holds.
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
