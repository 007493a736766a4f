//! Warm `client_secret_basic` requests of grantd beside a bare axum handler that only signs an ES256 token with
//! aws-lc-rs, in turns in one run, the server on one core and the load on the other:
//! `cargo bench --bench warm_token`; with `-- --against PATH` beside another build of grantd.

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
#[path = "support/demo.rs"]
mod demo;
#[path = "support/in_turns.rs"]
mod in_turns;
mod support;

use std::sync::Arc;

fn main() {
    if let Some(port) = bare::port() {
        let signer = Arc::new(bare::Signer::new());
        bare::serve(port, &async move || signer.answer());
        return;
    }
    in_turns::take_second_core();
    let (other, grantd) = (support::free_port(), support::free_port());
    let _other = match against::other() {
        Some(program) => demo::start_grantd(&program, other, None),
        None => bare::start(other, |_| {}),
    };
    let _grantd = demo::start_grantd(support::GRANTD, grantd, None);
    in_turns::print_rates((other, grantd), |address| {
        let request = demo::token_request(address);
        move || request.clone()
    });
}
