//! Binds TCP listeners: one address, or one port on both loopback addresses.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Socket, Type};
use tokio::net::TcpListener;

/// Connections that the kernel holds for us while we are busy or full.
const BACKLOG: i32 = 1024;
/// How often a free port of one family may be taken in the other.
const ATTEMPTS: usize = 16;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}{}", remedy(.source))]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// The system's answer.
    #[source]
    pub source: io::Error,
}

fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrInUse => {
            "; another process listens there: stop it or use another port (--listen 127.0.0.1:0 lets `grantd dev` \
             take a free one)"
        }
        io::ErrorKind::PermissionDenied => {
            "; ports below 1024 need a privilege: use another port, or a socket that systemd opens"
        }
        io::ErrorKind::AddrNotAvailable => "; this machine does not have that address",
        _ => "",
    }
}

/// Listens on one address. `[::]` takes IPv4 as well. Needs a tokio runtime.
///
/// # Errors
/// The address is taken, not ours, or not allowed.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    open(address).map_err(|source| BindError { address, source })
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // A restart must not wait for connections of the process before it.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

/// Listens on one port of `127.0.0.1` and `[::1]`, because `localhost` may mean either; port 0 takes one that is
/// free on both. A machine without IPv4 or without IPv6 has the other alone. IPv4 stands first.
///
/// # Errors
/// The port is taken on one of the two.
pub fn bind_loopback_pair(port: u16) -> Result<Vec<TcpListener>, BindError> {
    let mut attempt = 1;
    let pair = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    loop {
        match bind_pair(pair, port) {
            Err(error) if port == 0 && attempt < ATTEMPTS && is_taken(&error) => attempt += 1,
            done => return done,
        }
    }
}

fn bind_pair([first, second]: [IpAddr; 2], port: u16) -> Result<Vec<TcpListener>, BindError> {
    let address = SocketAddr::from((first, port));
    let first = match bind(address) {
        Ok(listener) => listener,
        Err(error) if is_taken(&error) => return Err(error),
        // Whatever the error is called, this machine lacks the family.
        Err(error) => {
            let alone = bind(SocketAddr::from((second, port)));
            return Ok(vec![alone.map_err(|_| error)?]);
        }
    };
    let taken = first
        .local_addr()
        .map_err(|source| BindError { address, source })?;
    match bind(SocketAddr::from((second, taken.port()))) {
        Ok(second) => Ok(vec![first, second]),
        Err(error) if !is_taken(&error) => Ok(vec![first]),
        Err(error) => Err(error),
    }
}

fn is_taken(error: &BindError) -> bool {
    error.source.kind() == io::ErrorKind::AddrInUse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_free_port_is_the_same_on_both_families() {
        let listeners = bind_loopback_pair(0).unwrap();
        let ports: Vec<u16> = listeners
            .iter()
            .map(|l| l.local_addr().unwrap().port())
            .collect();
        assert_ne!(ports[0], 0);
        assert!(ports.iter().all(|port| *port == ports[0]), "{ports:?}");
    }

    /// No machine has an address of 192.0.2.0/24 (RFC 5737).
    #[tokio::test]
    async fn a_machine_with_one_family_alone_listens_there() {
        let nowhere: IpAddr = [192, 0, 2, 1].into();
        let here: IpAddr = Ipv4Addr::LOCALHOST.into();
        for pair in [[nowhere, here], [here, nowhere]] {
            let listeners = bind_pair(pair, 0).unwrap();
            let addresses: Vec<IpAddr> = listeners
                .iter()
                .map(|it| it.local_addr().unwrap().ip())
                .collect();
            assert_eq!(addresses, [here]);
        }
        let error = bind_pair([nowhere, nowhere], 0).unwrap_err();
        assert_eq!(error.address.ip(), nowhere);
    }

    #[tokio::test]
    async fn a_taken_port_is_said_with_what_to_do() {
        let holder = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let port = holder.local_addr().unwrap().port();
        let error = bind_loopback_pair(port).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("cannot listen on 127.0.0.1:{port}: ")),
            "{error}"
        );
        assert!(
            error.contains("; another process listens there: stop it or use another port"),
            "{error}"
        );
    }
}
