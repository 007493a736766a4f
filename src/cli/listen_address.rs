//! The addresses that `grantd dev` is told to listen on.

use std::net::SocketAddr;

/// The port of `grantd dev` without `--listen`.
pub(super) const PORT: u16 = 8080;
/// The same with `--tls`.
pub(super) const TLS_PORT: u16 = 8443;

/// An address with its port, or what is wanted in its place.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let port = text.rsplit(':').next().and_then(|port| port.parse().ok());
        let port: u16 = port.unwrap_or(PORT);
        format!("write an IP address and a port: 127.0.0.1:{port}, or [::1]:{port}")
    })
}
