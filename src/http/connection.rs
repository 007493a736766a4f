//! What the server knows of the connection that a request came on; it stands in the request's extensions.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::Request;
use tokio::sync::Mutex;

use crate::operations::caller::ClientCertificate;

/// One accepted connection; clones are the same one.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The address at the other end.
    pub peer: SocketAddr,
    /// Held while a request of this connection waits for a hash: one per connection, however many requests
    /// a client sends at once.
    pub hashing_turn: Arc<Mutex<()>>,
    /// The client certificate of the handshake, which proved that the peer holds its key.
    pub certificate: Option<ClientCertificate>,
    /// The host that a connection with client certificates was opened for (SNI, RFC 6066 section 3): it serves no
    /// other.
    pub bound_to_host: Option<Arc<str>>,
}

impl Connection {
    /// A connection from `peer`.
    #[must_use]
    pub fn new(peer: SocketAddr) -> Self {
        Self {
            peer,
            hashing_turn: Arc::default(),
            certificate: None,
            bound_to_host: None,
        }
    }

    /// The connection that a request came on; a nameless one where nobody says, as without a server.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let nameless = || Self::new(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
        request.extensions().get().cloned().unwrap_or_else(nameless)
    }

    /// Where requests on it come from; an IPv4 address is one, also on a socket of both families.
    #[must_use]
    pub fn source(&self) -> IpAddr {
        self.peer.ip().to_canonical()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_source_is_the_same_on_both_kinds_of_socket() {
        let mapped = Connection::new("[::ffff:192.0.2.1]:4711".parse().unwrap());
        let plain = Connection::new("192.0.2.1:4711".parse().unwrap());
        assert_eq!(mapped.source(), plain.source());
    }
}
