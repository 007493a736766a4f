//! Tokens by those of a trusted issuer, whose keys are in memory, beside a bare axum handler that only verifies the same
//! signature and signs an ES256 token with aws-lc-rs, in turns in one run, the servers on one core and the load on the
//! other: `TEST_POSTGRES_URL=postgres://… cargo bench --bench federation`.
//!
//! A foreign token is used many times where its issuer's `jti` says `ignore`, as for Kubernetes and SPIFFE; with
//! `single_use` the load signs a new one for each request, and grantd keeps its `jti` on Postgres.

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
#[path = "support/workload.rs"]
mod workload;

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use served::{Schema, start_grantd};
use workload::Workload;

/// Set for the process that serves the bare handler: the platform's algorithm and its public key.
const ALGORITHM: &str = "GRANTD_BENCH_ALGORITHM";
const PUBLIC_KEY: &str = "GRANTD_BENCH_PUBLIC_KEY";

fn main() {
    if let Some(port) = bare::port() {
        serve_bare(port);
        return;
    }
    in_turns::take_second_core();
    for workload in [Workload::es256("ignore"), Workload::rs256("ignore")] {
        print!("{}, one token many times: ", workload.algorithm());
        measure(&workload, |address| {
            let request = workload.request(address);
            move || request.clone()
        });
    }
    let workload = Arc::new(Workload::es256("single_use"));
    print!("{}, each token once: ", workload.algorithm());
    measure(&workload, |address| {
        let workload = Arc::clone(&workload);
        move || workload.request(address)
    });
}

/// Prints the rates of the bare handler and of grantd, by these requests of the workload.
fn measure<R: Fn() -> Vec<u8> + Clone + Send + 'static>(
    workload: &Workload,
    requests: impl Fn(SocketAddr) -> R,
) {
    let (other, grantd) = (support::free_port(), support::free_port());
    let schema = Schema::new();
    let _other = bare::start(other, |command| {
        command
            .env(ALGORITHM, workload.algorithm())
            .env(PUBLIC_KEY, URL_SAFE_NO_PAD.encode(workload.public_key()));
    });
    let _grantd = start_grantd(support::GRANTD, grantd, (&schema.url, &workload.catalog()));
    in_turns::print_rates((other, grantd), requests);
}

/// Verifies and signs, no more.
fn serve_bare(port: u16) {
    let told = |name| std::env::var(name).expect("the platform's key");
    let public_key = URL_SAFE_NO_PAD.decode(told(PUBLIC_KEY)).expect("base64url");
    let platform = Arc::new(workload::verifier(&told(ALGORITHM), public_key));
    let signer = Arc::new(bare::Signer::new());
    bare::serve(port, &async move |body: String| {
        let (_, assertion) = body.rsplit_once('=').expect("an assertion");
        let (input, signature) = assertion.rsplit_once('.').expect("a signature");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        platform
            .verify(input.as_bytes(), &signature)
            .expect("the platform's signature");
        signer.answer()
    });
}
