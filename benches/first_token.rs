//! What `grantd dev` costs a test: from its exec to the ready file, from its exec to the first token in hand, and the memory
//! that it holds when nobody asks. `cargo bench --bench first_token`; with `-- --against PATH` beside another build of
//! grantd, in turns. It listens as by default, its control listener included.
//!
//! The aim: ready within 60 ms, and under 30 MiB.

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
#[path = "support/memory.rs"]
mod memory;
mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Starts of each program, for each time.
const RUNS: usize = 21;
/// Starts of each program whose memory is looked at, after so long.
const IDLE_RUNS: usize = 3;
const IDLE: Duration = Duration::from_secs(5);

/// What is measured, with its unit, how often, and how.
type Measure = (&'static str, &'static str, usize, fn(&str) -> f64);
const MEASURES: [Measure; 3] = [
    ("ready file after", "ms", RUNS, until_ready),
    ("first token after", "ms", RUNS, until_first_token),
    ("idle, it holds", "MiB", IDLE_RUNS, idle_memory),
];

fn main() {
    let programs: Vec<String> = std::iter::once(support::GRANTD.to_owned())
        .chain(against::other())
        .collect();
    for (what, unit, runs, measure) in MEASURES {
        let mut measured = vec![Vec::with_capacity(runs); programs.len()];
        for _ in 0..runs {
            for (program, measured) in programs.iter().zip(&mut measured) {
                measured.push(measure(program));
            }
        }
        for (program, mut values) in programs.iter().zip(measured) {
            let middle = support::median(&mut values);
            let (least, most) = (values[0], values[runs - 1]);
            println!(
                "{what} {middle:.1} {unit} (median of {runs}; {least:.1} to {most:.1} {unit}): {program}"
            );
        }
    }
}

fn until_ready(program: &str) -> f64 {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("ready.json");
    let began = Instant::now();
    let _grantd = demo::start_grantd(program, support::free_port(), Some(&file));
    for _ in 0..100_000 {
        if std::fs::metadata(&file).is_ok_and(|it| it.len() > 0) {
            return began.elapsed().as_secs_f64() * 1000.0;
        }
        std::thread::sleep(Duration::from_micros(100));
    }
    panic!("{program} does not get ready");
}

fn until_first_token(program: &str) -> f64 {
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

/// After one token, as when a test waits for its next step.
fn idle_memory(program: &str) -> f64 {
    let address = SocketAddr::from(([127, 0, 0, 1], support::free_port()));
    let grantd = demo::start_grantd(program, address.port(), None);
    let mut stream = support::connect(address);
    support::exchange(&mut stream, &demo::token_request(address));
    std::thread::sleep(IDLE);
    memory::mebibytes(&grantd)
}
