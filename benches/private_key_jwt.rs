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
#[path = "support/replica.rs"]
mod replica;
#[path = "support/served.rs"]
mod served;
mod support;

use std::sync::Arc;

use assertions::Worker;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use served::{Schema, start_grantd};

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
    let catalog = worker.catalog();
    let _other = match against::other() {
        Some(program) => start_grantd(&program, other, (&schema_of_other.url, &catalog)),
        None => bare::start(other, |command| {
            command.env(PUBLIC_KEY, URL_SAFE_NO_PAD.encode(worker.public_key()));
        }),
    };
    let _grantd = start_grantd(support::GRANTD, grantd, (&schema.url, &catalog));
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
