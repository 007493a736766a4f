//! Load on two servers in turns, from the second core: grantd and what it is held against.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::against;
use crate::support::{connect, exchange, median};

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 16;

/// Leaves the first core to the servers, where `taskset` is there.
pub(crate) fn take_second_core() {
    let _ = Command::new("taskset")
        .args(["-a", "-pc", "1", &std::process::id().to_string()])
        .stdout(Stdio::null())
        .status();
}

/// Prints the rates of both servers and their ratio. `requests` gives what makes the requests to one of them.
pub(crate) fn print_rates<R: Fn() -> Vec<u8> + Clone + Send + 'static>(
    (held_against, grantd): (u16, u16),
    requests: impl Fn(SocketAddr) -> R,
) {
    let rate = |port: u16| {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        load(address, &requests(address))
    };
    let rounds: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|_| (rate(held_against), rate(grantd)))
        .collect();
    let middle =
        |value: fn(&(f64, f64)) -> f64| median(&mut rounds.iter().map(value).collect::<Vec<_>>());
    println!(
        "{} {:.0}/s, grantd {:.0}/s, ratio {:.2} (medians of {ROUNDS} rounds in turns)",
        if against::other().is_some() {
            "the other grantd"
        } else {
            "bare handler"
        },
        middle(|(held_against, _)| *held_against),
        middle(|(_, grantd)| *grantd),
        middle(|(held_against, grantd)| grantd / held_against),
    );
}

/// Requests in a second over all connections.
fn load<R: Fn() -> Vec<u8> + Clone + Send + 'static>(address: SocketAddr, request: &R) -> f64 {
    let stop = Arc::new(AtomicBool::new(false));
    let count = Arc::new(AtomicU64::new(0));
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (request, stop, count) = (request.clone(), Arc::clone(&stop), Arc::clone(&count));
            std::thread::spawn(move || {
                let mut stream = connect(address);
                while !stop.load(Ordering::Relaxed) {
                    exchange(&mut stream, &request());
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
