//! A replica of `grantd serve`: its issuer, and whether it is ready.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// The issuer whom the assertions are for.
pub(crate) const ISSUER: &str = "https://auth.example";

/// Whether the replica behind this operations listener is ready.
pub(crate) fn is_ready(operations: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(operations) else {
        return false;
    };
    let request =
        format!("GET /readyz HTTP/1.1\r\nHost: {operations}\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}
