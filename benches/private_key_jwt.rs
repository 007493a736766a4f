//! Tokens by `private_key_jwt`, each with a `jti` that is durable on Postgres, beside a bare axum handler that only
//! verifies an ES256 assertion and signs an ES256 token with aws-lc-rs, in turns in one run, the servers on one core
//! and the load, which signs a new assertion for each request, on the other:
//! `TEST_POSTGRES_URL=postgres://… cargo bench --bench private_key_jwt`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark that cannot go on ends, and it measures with the real clock"
)]

#[path = "support/assertions.rs"]
mod assertions;
mod support;

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use assertions::{ISSUER, Worker};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
};
use axum::Router;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 16;
/// Set for the process that serves the bare handler: its port, and the client's public key.
const BARE: &str = "GRANTD_BENCH_BARE_PORT";
const PUBLIC_KEY: &str = "GRANTD_BENCH_PUBLIC_KEY";

fn main() {
    if let Ok(port) = std::env::var(BARE) {
        serve_bare(port.parse().expect("a port"));
        return;
    }
    let _ = Command::new("taskset")
        .args(["-a", "-pc", "1", &std::process::id().to_string()])
        .stdout(Stdio::null())
        .status();
    let worker = Arc::new(Worker::new());
    let (bare, grantd) = (support::free_port(), support::free_port());
    let own = std::env::current_exe().expect("our own path");
    let mut command = support::pinned(own.to_str().expect("UTF-8"));
    command.env(BARE, bare.to_string()).env(PUBLIC_KEY, worker.public_key());
    let _bare = support::Running(command.spawn().expect("the bare server starts"));
    let schema = Schema::new();
    let _grantd = start_grantd(grantd, &schema.url, &worker);
    let (mut of_bare, mut of_grantd, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_bare.push(load(bare, &worker));
        of_grantd.push(load(grantd, &worker));
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
fn load(port: u16, worker: &Arc<Worker>) -> f64 {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let stop = Arc::new(AtomicBool::new(false));
    let count = Arc::new(AtomicU64::new(0));
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (worker, stop, count) = (Arc::clone(worker), Arc::clone(&stop), Arc::clone(&count));
            std::thread::spawn(move || {
                let mut stream = support::connect(address);
                while !stop.load(Ordering::Relaxed) {
                    support::exchange(&mut stream, &worker.request(address));
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

/// A schema of its own, which goes when it is dropped.
struct Schema {
    name: String,
    server: String,
    url: String,
}

impl Schema {
    fn new() -> Self {
        let server = std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL is set");
        let name = format!("bench_{}", uuid::Uuid::new_v4().simple());
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options=-c%20search_path%3D{name}");
        let this = Self { name, server, url };
        this.execute(format!("CREATE SCHEMA {}", this.name));
        this
    }

    fn execute(&self, statement: String) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let pool = sqlx::PgPool::connect(&self.server).await.expect("Postgres answers");
            let statement = sqlx::query(sqlx::AssertSqlSafe(statement));
            statement.execute(&pool).await.expect("the statement is right");
        });
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        self.execute(format!("DROP SCHEMA {} CASCADE", self.name));
    }
}

/// `grantd serve` on `port` of a migrated database that knows the worker, pinned to the first core.
fn start_grantd(port: u16, database: &str, worker: &Worker) -> support::Running {
    let directory = tempfile::tempdir().expect("a directory");
    let (sealing, catalog) =
        (directory.path().join("sealing.key"), directory.path().join("catalog.toml"));
    std::fs::write(&sealing, [7; 32]).expect("the key is written");
    std::fs::write(&catalog, worker.catalog()).expect("the catalog is written");
    let command = |mut command: Command, arguments: &[&str]| {
        command
            .args(arguments)
            .env("GRANTD_DATABASE_URL", database)
            .env("GRANTD_ISSUER", ISSUER)
            .env("GRANTD_SEALING__KEY_FILE", &sealing)
            .env("GRANTD_LOG", "warn")
            .stdout(Stdio::null());
        command
    };
    let grantd = env!("CARGO_BIN_EXE_grantd");
    let catalog = catalog.to_str().expect("UTF-8");
    for arguments in [&["migrate"][..], &["apply", catalog]] {
        let done = command(Command::new(grantd), arguments).status().expect("grantd runs");
        assert!(done.success(), "{arguments:?}");
    }
    let mut serve = command(support::pinned(grantd), &["serve"]);
    let operations = support::free_port();
    serve
        .env("GRANTD_PUBLIC__LISTEN", format!("127.0.0.1:{port}"))
        .env("GRANTD_OPERATIONS__LISTEN", format!("127.0.0.1:{operations}"));
    let running = support::Running(serve.spawn().expect("grantd starts"));
    let operations = SocketAddr::from(([127, 0, 0, 1], operations));
    while !assertions::is_ready(operations) {
        std::thread::sleep(Duration::from_millis(10));
    }
    running
}

fn serve_bare(port: u16) {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    let key = Arc::new(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).expect("a key"));
    let public_key = std::env::var(PUBLIC_KEY).expect("the client's key");
    let public_key = URL_SAFE_NO_PAD.decode(public_key).expect("base64url");
    let client = Arc::new(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public_key));
    let handler = move |body: String| {
        let (key, client) = (Arc::clone(&key), Arc::clone(&client));
        async move {
            let (_, assertion) = body.rsplit_once('=').expect("an assertion");
            let (input, signature) = assertion.rsplit_once('.').expect("a signature");
            let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
            client.verify(input.as_bytes(), &signature).expect("the client's signature");
            // As large as a token of the catalog.
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
