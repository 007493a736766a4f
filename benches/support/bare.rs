//! A bare axum handler, in a process of its own on the first core: what grantd is measured by.

use std::process::Command;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::Router;
use axum::handler::Handler;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::support::{Running, pinned};

/// Set for the process that serves the bare handler: its port.
const PORT: &str = "GRANTD_BENCH_BARE_PORT";

/// Where this process is to serve the bare handler, if it is that process.
pub(crate) fn port() -> Option<u16> {
    Some(std::env::var(PORT).ok()?.parse().expect("a port"))
}

/// This program once more, to serve the bare handler on `port`.
pub(crate) fn start(port: u16, settings: impl FnOnce(&mut Command)) -> Running {
    let own = std::env::current_exe().expect("our own path");
    let mut command = pinned(own.to_str().expect("UTF-8"));
    command.env(PORT, port.to_string());
    settings(&mut command);
    Running(command.spawn().expect("the bare server starts"))
}

/// Serves `handler` at the token endpoint's path, for ever.
pub(crate) fn serve<T: 'static>(port: u16, handler: &impl Handler<T, ()>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
            .await
            .expect("a port");
        // Dropped connections are of no interest here.
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                continue;
            };
            let _ = stream.set_nodelay(true);
            let router = Router::new().route("/oauth2/token", post(handler.clone()));
            let service = hyper_util::service::TowerToHyperService::new(router);
            tokio::spawn(async move {
                let io = hyper_util::rt::TokioIo::new(stream);
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(io, service)
                    .await;
            });
        }
    });
}

/// Signs ES256 with aws-lc-rs.
pub(crate) struct Signer(EcdsaKeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).expect("a key");
        Self(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).expect("a key"))
    }

    /// The answer to a token request, as large as those of the catalogs.
    pub(crate) fn answer(&self) -> String {
        let [header, claims] =
            [&[b'h'; 80][..], &[b'c'; 300]].map(|part| URL_SAFE_NO_PAD.encode(part));
        let input = format!("{header}.{claims}");
        let signature = self
            .0
            .sign(&SystemRandom::new(), input.as_bytes())
            .expect("a signature");
        format!(
            r#"{{"access_token":"{input}.{}","token_type":"Bearer","expires_in":300}}"#,
            URL_SAFE_NO_PAD.encode(signature)
        )
    }
}
