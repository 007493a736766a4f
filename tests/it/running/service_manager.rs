//! What systemd is told over `NOTIFY_SOCKET`: by the real process, to a socket of the test.

use std::collections::BTreeMap;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use crate::process::{eventually, free_port};
use crate::serve::Platform;

/// The side of the service manager.
struct Manager(UnixDatagram);

/// One datagram: names and values.
type Told = BTreeMap<String, String>;

impl Manager {
    fn of(platform: &Platform) -> Self {
        let socket = UnixDatagram::bind(platform.path("notify")).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        Self(socket)
    }

    fn next(&self) -> Told {
        let mut datagram = [0; 4096];
        let length = self.0.recv(&mut datagram).expect("the process tells more");
        let text = std::str::from_utf8(&datagram[..length]).unwrap();
        let pairs = text.lines().map(|line| line.split_once('=').unwrap());
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// The first datagram with this name, and those before it.
    fn until(&self, name: &str) -> (Told, Vec<Told>) {
        let mut before = Vec::new();
        loop {
            let told = self.next();
            if told.contains_key(name) {
                return (told, before);
            }
            before.push(told);
        }
    }
}

fn notifying(platform: &Platform) -> impl FnOnce(&mut Command) {
    let socket = platform.path("notify");
    move |command| _ = command.env("NOTIFY_SOCKET", socket)
}

/// Milliseconds are enough to tell an instant from another one that a process has read.
fn since_boot() -> u128 {
    grantd::clock::since_boot().as_micros()
}

#[tokio::test]
async fn systemd_is_told_when_a_replica_is_ready_reloads_and_stops() {
    let platform = Platform::new().await;
    platform.done(&["migrate"]);
    platform.apply();
    let manager = Manager::of(&platform);
    let mut replica = platform.replica_by("a.log", notifying(&platform));
    let (ready, before) = manager.until("READY");
    assert_eq!(ready["READY"], "1");
    for told in before {
        assert!(told.contains_key("EXTEND_TIMEOUT_USEC"), "{told:?}");
        assert!(told["STATUS"].starts_with("starting: "), "{told:?}");
    }
    assert!(replica.is_ready(), "it can issue when it says so");
    assert_eq!(replica.token().0, 200);
    assert_eq!(manager.next()["STATUS"], "ready");

    let asked = since_boot();
    replica.server.signal("HUP");
    let (reloading, before) = manager.until("RELOADING");
    assert_eq!(before, Vec::<Told>::new());
    // systemd takes only a reload that began after its signal for an answer to it.
    let at: u128 = reloading["MONOTONIC_USEC"].parse().unwrap();
    assert!((asked..=since_boot()).contains(&at), "{reloading:?}");
    assert_eq!(manager.next()["READY"], "1");

    replica.server.signal("TERM");
    let (stopping, _) = manager.until("STOPPING");
    assert!(stopping.contains_key("EXTEND_TIMEOUT_USEC"), "{stopping:?}");
    assert!(replica.server.wait().success());
}

/// It is not ready, and it is not given up either.
#[tokio::test]
async fn a_replica_that_waits_for_its_database_asks_for_more_time() {
    let platform = Platform::new().await;
    let manager = Manager::of(&platform);
    let nobody = free_port();
    let replica = platform.replica_by("a.log", |command| {
        let url = format!("postgres://me:pass@127.0.0.1:{nobody}/x");
        command.env("GRANTD_DATABASE_URL", url);
        notifying(&platform)(command);
    });
    let mut status = String::new();
    while !status.contains("is out of reach") {
        let told = manager.next();
        assert_eq!(told["EXTEND_TIMEOUT_USEC"], "30000000", "{told:?}");
        status.clone_from(&told["STATUS"]);
    }
    assert!(!status.contains("pass"), "{status}");
    assert!(!replica.is_ready());
}

#[tokio::test]
async fn signs_of_life_come_twice_in_the_time_of_the_watchdog() {
    let platform = Platform::new().await;
    platform.done(&["migrate"]);
    platform.apply();
    let manager = Manager::of(&platform);
    let replica = platform.replica_by("a.log", |command| {
        command.env("WATCHDOG_USEC", "400000");
        notifying(&platform)(command);
    });
    let mut signs = Vec::new();
    while signs.len() < 5 {
        let (told, _) = manager.until("WATCHDOG");
        assert_eq!(told["WATCHDOG"], "1");
        signs.push(since_boot());
    }
    // A machine that is busy makes them late, never early.
    let span = signs[4] - signs[0];
    assert!(span >= 4 * 150_000, "{signs:?}");
    drop(replica);
}

/// Whoever stops the process stops the signs: systemd would start it again.
#[tokio::test]
async fn a_process_that_does_not_run_gives_no_sign_of_life() {
    let platform = Platform::new().await;
    platform.done(&["migrate"]);
    platform.apply();
    let manager = Manager::of(&platform);
    let replica = platform.replica_by("a.log", |command| {
        command.env("WATCHDOG_USEC", "200000");
        notifying(&platform)(command);
    });
    manager.until("WATCHDOG");
    replica.server.signal("STOP");
    manager.0.set_nonblocking(true).unwrap();
    eventually("what was sent before is read", || {
        manager.0.recv(&mut [0; 4096]).is_err()
    });
    manager.0.set_nonblocking(false).unwrap();
    manager
        .0
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    assert!(manager.0.recv(&mut [0; 4096]).is_err());
    replica.server.signal("CONT");
    manager
        .0
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    manager.until("WATCHDOG");
}

#[tokio::test]
async fn a_notify_socket_that_is_none_is_told() {
    let platform = Platform::new().await;
    let mut command = platform.command(&["serve"]);
    command
        .env("GRANTD_PUBLIC__LISTEN", "127.0.0.1:0")
        .env("NOTIFY_SOCKET", "somewhere");
    let output = crate::process::finished(&mut command);
    assert_eq!(output.status.code(), Some(1));
    let text = crate::process::printed(&output);
    assert!(
        text.contains("NOTIFY_SOCKET=somewhere cannot be used"),
        "{text}"
    );
}
