//! `grantd health`: asks a running server's operations listener whether it is ready.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::output::say;

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer that is read, in bytes.
const MOST: usize = 64 * 1024;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The operations listener [default: `http://127.0.0.1:9090`, or where `GRANTD_OPERATIONS__LISTEN` says]
    url: Option<String>,
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let authority = match &arguments.url {
        Some(url) => from_url(url)?,
        None => from_environment()?,
    };
    let answer = tokio::time::timeout(PATIENCE, ask(&authority)).await;
    let (ready, body) = answer
        .with_context(|| format!("{authority} did not answer within {PATIENCE:?}"))?
        .with_context(|| format!("{authority} does not answer"))?;
    say!("{body}")?;
    Ok(if ready {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn from_url(url: &str) -> anyhow::Result<String> {
    let Some(authority) = url.trim_end_matches('/').strip_prefix("http://") else {
        bail!("the operations listener speaks plain HTTP: write http://ADDRESS:PORT");
    };
    let authority = authority.trim_end_matches("/readyz");
    Ok(authority.to_owned())
}

fn from_environment() -> anyhow::Result<String> {
    let Ok(listen) = std::env::var("GRANTD_OPERATIONS__LISTEN") else {
        return Ok("127.0.0.1:9090".to_owned());
    };
    let mut address: SocketAddr = listen
        .parse()
        .context("GRANTD_OPERATIONS__LISTEN is not an address with a port")?;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    Ok(address.to_string())
}

async fn ask(authority: &str) -> anyhow::Result<(bool, String)> {
    let stream = TcpStream::connect(authority).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = hyper::Request::get("/readyz")
        .header(hyper::header::HOST, authority)
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let ready = response.status().is_success();
    let body = Limited::new(response.into_body(), MOST)
        .collect()
        .await
        .map_err(|error| anyhow::anyhow!("the answer was cut off: {error}"))?;
    Ok((
        ready,
        String::from_utf8_lossy(&body.to_bytes()).into_owned(),
    ))
}
