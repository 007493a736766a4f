//! Tokens by `private_key_jwt`, each with a `jti` that is durable on Postgres, beside a bare axum handler that only
//! verifies an ES256 assertion and signs an ES256 token with aws-lc-rs, in turns in one run, the servers on one core
//! and the load, which signs a new assertion for each request, on the other:
//! `TEST_POSTGRES_URL=postgres://… cargo bench --bench private_key_jwt`; with `-- --against PATH` beside another build
//! of grantd.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark that cannot go on ends, and it measures with the real clock"
)]

#[path = "support/against.rs"]
mod against;
#[path = "support/assertions.rs"]
mod assertions;
#[path = "support/bare.rs"]
mod bare;
#[path = "support/in_turns.rs"]
mod in_turns;
#[path = "support/private.rs"]
mod private;
mod support;

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use assertions::{ISSUER, Worker};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Set for the process that serves the bare handler: the client's public key.
const PUBLIC_KEY: &str = "GRANTD_BENCH_PUBLIC_KEY";

fn main() {
    if let Some(port) = bare::port() {
        serve_bare(port);
        return;
    }
    in_turns::take_second_core();
    let worker = Arc::new(Worker::new());
    let (other, grantd) = (support::free_port(), support::free_port());
    let (schema, schema_of_other) = (Schema::new(), Schema::new());
    let _other = match against::other() {
        Some(program) => start_grantd(&program, other, (&schema_of_other.url, &worker)),
        None => bare::start(other, |command| {
            command.env(PUBLIC_KEY, URL_SAFE_NO_PAD.encode(worker.public_key()));
        }),
    };
    let _grantd = start_grantd(support::GRANTD, grantd, (&schema.url, &worker));
    in_turns::print_rates((other, grantd), |address| {
        let worker = Arc::clone(&worker);
        move || worker.request(address)
    });
}

/// Verifies and signs, no more.
fn serve_bare(port: u16) {
    let public_key = std::env::var(PUBLIC_KEY).expect("the client's key");
    let public_key = URL_SAFE_NO_PAD.decode(public_key).expect("base64url");
    let client = Arc::new(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public_key));
    let signer = Arc::new(bare::Signer::new());
    bare::serve(port, &async move |body: String| {
        let (_, assertion) = body.rsplit_once('=').expect("an assertion");
        let (input, signature) = assertion.rsplit_once('.').expect("a signature");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        client
            .verify(input.as_bytes(), &signature)
            .expect("the client's signature");
        signer.answer()
    });
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
            let pool = sqlx::PgPool::connect(&self.server)
                .await
                .expect("Postgres answers");
            let statement = sqlx::query(sqlx::AssertSqlSafe(statement));
            statement
                .execute(&pool)
                .await
                .expect("the statement is right");
        });
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        self.execute(format!("DROP SCHEMA {} CASCADE", self.name));
    }
}

/// `serve` of the program `grantd` on `port` of a migrated database that knows the worker, pinned to the first core.
fn start_grantd(grantd: &str, port: u16, (database, worker): (&str, &Worker)) -> support::Running {
    let directory = tempfile::tempdir().expect("a directory");
    let (sealing, catalog) = (
        directory.path().join("sealing.key"),
        directory.path().join("catalog.toml"),
    );
    private::write(&sealing, [7; 32]);
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
    let catalog = catalog.to_str().expect("UTF-8");
    for arguments in [&["migrate"][..], &["apply", catalog]] {
        let done = command(Command::new(grantd), arguments)
            .status()
            .expect("grantd runs");
        assert!(done.success(), "{arguments:?}");
    }
    let mut serve = command(support::pinned(grantd), &["serve"]);
    let operations = support::free_port();
    serve
        .env("GRANTD_PUBLIC__LISTEN", format!("127.0.0.1:{port}"))
        .env(
            "GRANTD_OPERATIONS__LISTEN",
            format!("127.0.0.1:{operations}"),
        );
    let running = support::Running(serve.spawn().expect("grantd starts"));
    let operations = SocketAddr::from(([127, 0, 0, 1], operations));
    while !assertions::is_ready(operations) {
        std::thread::sleep(Duration::from_millis(10));
    }
    running
}
