//! `grantd dev` with its demo catalog, and a request of its client.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use crate::support::{Running, pinned};

/// Starts `program dev` on `port`, pinned to the first core where that can be done.
pub(crate) fn start_grantd(program: &str, port: u16, ready_file: Option<&PathBuf>) -> Running {
    let mut command = pinned(program);
    command.args(["dev", "--listen", &format!("127.0.0.1:{port}")]);
    if let Some(file) = ready_file {
        command.arg("--ready-file").arg(file);
    }
    command
        .env("GRANTD_LOG", "warn")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Running(command.spawn().expect("grantd starts"))
}

/// The token request of the demo catalog's client by `client_secret_basic`.
pub(crate) fn token_request(address: SocketAddr) -> Vec<u8> {
    use base64::Engine as _;
    let credentials =
        base64::engine::general_purpose::STANDARD.encode("archival-service:archival-demo-secret");
    let body = "grant_type=client_credentials";
    format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {credentials}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
