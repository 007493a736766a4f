//! Where tests come in: bound by `grantd dev` alone.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::domain::issuer::Issuer;

/// Where tests come in.
#[derive(Debug)]
pub struct Entrance {
    /// Bound: one address, or a port on both loopback addresses.
    pub sockets: Vec<TcpListener>,
    /// The URL under which others reach it, where that is not its own address: the base of other issuers, and so of the
    /// same form.
    pub known_as: Option<Issuer>,
}

impl Entrance {
    /// The URL under which it is reached; of a pair the first one's.
    ///
    /// # Errors
    /// It is not bound.
    pub fn url(&self) -> io::Result<Issuer> {
        if let Some(url) = &self.known_as {
            return Ok(url.clone());
        }
        let address = self.address()?;
        let text = match address.ip() {
            ip if ip.is_unspecified() => format!("http://localhost:{}", address.port()),
            _ => format!("http://{address}"),
        };
        // HTTP's own port is left out.
        let text = text.strip_suffix(":80").unwrap_or(&text);
        Issuer::parse(text, true).map_err(io::Error::other)
    }

    /// Whether it is reached from this machine alone.
    pub(super) fn is_loopback(&self) -> io::Result<bool> {
        Ok(self.address()?.ip().is_loopback())
    }

    fn address(&self) -> io::Result<SocketAddr> {
        let none = || io::Error::other("the control listener is not bound");
        self.sockets.first().ok_or_else(none)?.local_addr()
    }
}
