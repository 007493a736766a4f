//! From exec of `grantd dev` to the first token in hand: `cargo bench --bench first_token`; with `-- --against PATH`
//! beside another build of grantd, in turns.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot go on ends, and it measures with the real clock"
)]

#[path = "support/against.rs"]
mod against;
#[path = "support/demo.rs"]
mod demo;
mod support;

use std::net::SocketAddr;
use std::time::Instant;

const RUNS: usize = 21;

fn main() {
    let programs: Vec<String> = std::iter::once(support::GRANTD.to_owned())
        .chain(against::other())
        .collect();
    let mut runs = vec![Vec::with_capacity(RUNS); programs.len()];
    for _ in 0..RUNS {
        for (program, runs) in programs.iter().zip(&mut runs) {
            runs.push(run(program));
        }
    }
    for (program, mut milliseconds) in programs.iter().zip(runs) {
        let middle = support::median(&mut milliseconds);
        println!(
            "first token after {middle:.1} ms (median of {RUNS}; {:.1} to {:.1} ms): {program}",
            milliseconds[0],
            milliseconds[RUNS - 1]
        );
    }
}

fn run(program: &str) -> f64 {
    let address = SocketAddr::from(([127, 0, 0, 1], support::free_port()));
    let request = demo::token_request(address);
    let began = Instant::now();
    let _grantd = demo::start_grantd(program, address.port(), None);
    let mut stream = support::connect(address);
    let body = support::exchange(&mut stream, &request);
    let elapsed = began.elapsed();
    assert!(String::from_utf8_lossy(&body).contains("access_token"));
    elapsed.as_secs_f64() * 1000.0
}
