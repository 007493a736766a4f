//! Warm `client_secret_basic` requests of grantd beside a bare axum handler that only signs an ES256 token with
//! aws-lc-rs, in turns in one run, the server on one core and the load on the other:
//! `cargo bench --bench warm_token`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark that cannot go on ends, and it measures with the real clock"
)]

#[path = "support/demo.rs"]
mod demo;
mod support;

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::Router;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 16;
/// Set for the process that serves the bare handler: its port.
const BARE: &str = "GRANTD_BENCH_BARE_PORT";

fn main() {
    if let Ok(port) = std::env::var(BARE) {
        serve_bare(port.parse().expect("a port"));
        return;
    }
    let _ = std::process::Command::new("taskset")
        .args(["-a", "-pc", "1", &std::process::id().to_string()])
        .stdout(Stdio::null())
        .status();
    let (bare, grantd) = (support::free_port(), support::free_port());
    let own = std::env::current_exe().expect("our own path");
    let mut command = support::pinned(own.to_str().expect("UTF-8"));
    command.env(BARE, bare.to_string());
    let _bare = support::Running(command.spawn().expect("the bare server starts"));
    let _grantd = demo::start_grantd(grantd, None);
    let (mut of_bare, mut of_grantd, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_bare.push(load(bare));
        of_grantd.push(load(grantd));
        ratios.push(of_grantd[of_grantd.len() - 1] / of_bare[of_bare.len() - 1]);
    }
    println!(
        "bare handler {:.0}/s, grantd {:.0}/s, ratio {:.2} (medians of {ROUNDS} rounds in turns)",
        support::median(&mut of_bare),
        support::median(&mut of_grantd),
        support::median(&mut ratios),
    );
}

/// Requests in a second over all connections.
fn load(port: u16) -> f64 {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let request: Arc<[u8]> = demo::token_request(address).into();
    let stop = Arc::new(AtomicBool::new(false));
    let count = Arc::new(AtomicU64::new(0));
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (request, stop, count) =
                (Arc::clone(&request), Arc::clone(&stop), Arc::clone(&count));
            std::thread::spawn(move || {
                let mut stream = support::connect(address);
                while !stop.load(Ordering::Relaxed) {
                    support::exchange(&mut stream, &request);
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    std::thread::sleep(ROUND / 4);
    let (before, began) = (count.load(Ordering::Relaxed), Instant::now());
    std::thread::sleep(ROUND);
    let rate = (count.load(Ordering::Relaxed) - before) as f64 / began.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().expect("the load runs");
    }
    rate
}

fn serve_bare(port: u16) {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    let key = Arc::new(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).expect("a key"));
    let handler = move || {
        let key = Arc::clone(&key);
        async move {
            // As large as a token of the demo catalog.
            let input = format!(
                "{}.{}",
                URL_SAFE_NO_PAD.encode([b'h'; 80]),
                URL_SAFE_NO_PAD.encode([b'c'; 300])
            );
            let signature = key.sign(&SystemRandom::new(), input.as_bytes()).expect("a signature");
            format!(
                r#"{{"access_token":"{input}.{}","token_type":"Bearer","expires_in":300}}"#,
                URL_SAFE_NO_PAD.encode(signature)
            )
        }
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("a port");
        // Dropped connections are of no interest here.
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let router = Router::new().route("/oauth2/token", post(handler.clone()));
            let service = hyper_util::service::TowerToHyperService::new(router);
            tokio::spawn(async move {
                let io = hyper_util::rt::TokioIo::new(stream);
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
            });
        }
    });
}
