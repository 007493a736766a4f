//! More connections than the limit of file descriptors has room for.

use super::*;
use crate::place::eventually;

/// Soft and hard, so that nothing is left to raise.
#[test]
fn with_256_descriptors_and_600_idle_connections_the_operations_listener_answers() {
    let place = Place::new();
    let dev = place.dev_after("ulimit -n 256", &[]);
    let address = address(dev.url("issuer"));
    let idle: Vec<_> = (0..600)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    for _ in 0..20 {
        assert!(is_alive(&dev), "{}", dev.log());
    }
    assert!(dev.log().contains("descriptors=256"), "{}", dev.log());
    drop(idle);
    eventually("a token", || is_served(&dev).then_some(()));
    assert!(
        !dev.log().contains("cannot accept connections"),
        "{}",
        dev.log()
    );
}

/// Only the soft limit is low: it is raised, and nothing is cut.
#[test]
fn the_soft_limit_of_descriptors_is_raised_to_the_hard_one() {
    let place = Place::new();
    let dev = place.dev_after("ulimit -S -n 256", &[]);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", dev.pid())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(words[3], words[4], "{line}");
    assert_ne!(words[3], "256", "this test needs a hard limit above 256");
}
