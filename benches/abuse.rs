//! What honest clients get while strangers do their worst: `cargo bench --bench abuse`.
//!
//! The server is on one core, strangers and honest clients on the other. First the most tokens a second are measured;
//! then honest clients, whose secrets are remembered, ask at 30 % of that whatever happens (open loop), while 64
//! connections attack in six ways. The aim: 95 % of their tokens, with a p99 under 20 ms, from when each was due.
//!
//! Then clients whose imported secrets are not remembered ask for their first token, while 150 connections from elsewhere
//! send wrong ones for them. The aim: within two seconds in 95 of 100 tries.
//!
//! All of it with the budgets of the defaults, and beside that without any.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark that cannot go on ends, and it measures with the real clock"
)]

#[path = "support/assertions.rs"]
mod assertions;
#[path = "support/attacks.rs"]
mod attacks;
#[path = "support/handshakes.rs"]
mod handshakes;
#[path = "support/memory.rs"]
mod memory;
#[path = "support/private.rs"]
mod private;
#[path = "support/replica.rs"]
mod replica;
#[path = "support/siege.rs"]
mod siege;
mod support;

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use assertions::Worker;
use attacks::{ATTACKS, WARM_UP, by_secret};
use replica::ISSUER;
use support::{Running, answer, connect, exchange, free_port, median, pinned};

/// Honest clients, each on a connection of its own.
const CLIENTS: usize = 16;
/// The part of the most that they ask for.
const SHARE: f64 = 0.3;
/// How long each row is measured.
const TIME: Duration = Duration::from_secs(5);

fn main() {
    if attacks::run_if_ordered() {
        return;
    }
    let _ = Command::new("taskset")
        .args(["-a", "-pc", "1", &std::process::id().to_string()])
        .stdout(Stdio::null())
        .status();
    for (title, budget) in [
        ("with budgets", ""),
        (
            "without budgets",
            "[budget]\nfailures = 0\nsource_failures = 0\n",
        ),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let server = Server::start(directory.path(), budget);
        println!("{title}:");
        print_attacks(&server);
        siege::print(title, server.address);
        println!();
    }
}

fn print_attacks(server: &Server) {
    let most = median(&mut [0; 3].map(|_| server.most()));
    let rate = most * SHARE;
    println!("at most {most:.0} tokens/s; honest clients ask for {rate:.0}/s");
    println!(
        "{:<46} {:>9} {:>7} {:>8} {:>8} {:>8}",
        "attack", "attacks/s", "served", "p50 ms", "p99 ms", "RSS MiB"
    );
    server.row("none", rate, None);
    for (name, what) in ATTACKS {
        server.row(&format!("({name}) {what}"), rate, Some(name));
    }
}

/// `grantd serve` on the first core, on SQLite, with a TLS listener beside the plain one.
struct Server {
    address: SocketAddr,
    tls: SocketAddr,
    running: Running,
}

impl Server {
    fn start(directory: &Path, budget: &str) -> Self {
        let file = |name: &str| directory.join(name);
        handshakes::write_certificate(&file("server.pem"), &file("server.key"));
        private::write(&file("sealing.key"), [7; 32]);
        write_catalog(directory);
        let [address, tls, operations] =
            [(); 3].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let settings = format!(
            "issuer = \"{ISSUER}\"\ndatabase_url = \"sqlite://{}\"\n[public]\nlisten = \"{address}\"\n\
             [mtls]\nlisten = \"{tls}\"\ntls_certificate_file = \"server.pem\"\ntls_key_file = \"server.key\"\n\
             [operations]\nlisten = \"{operations}\"\n[sealing]\nkey_file = \"sealing.key\"\n{budget}",
            file("grantd.db").display()
        );
        fs::write(file("grantd.toml"), settings).expect("the settings are written");
        let command = |mut command: Command, arguments: &[&str]| {
            command
                .args(arguments)
                .current_dir(directory)
                .env("GRANTD_LOG", "error");
            command
                .env("GRANTD_CONFIG", "grantd.toml")
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command
        };
        let grantd = support::GRANTD;
        for arguments in [&["migrate"][..], &["apply", "catalog.toml"]] {
            let done = command(Command::new(grantd), arguments)
                .status()
                .expect("grantd runs");
            assert!(done.success(), "{arguments:?}");
        }
        let running = command(pinned(grantd), &["serve"])
            .spawn()
            .expect("grantd starts");
        let this = Self {
            address,
            tls,
            running: Running(running),
        };
        while !replica::is_ready(operations) {
            std::thread::sleep(Duration::from_millis(10));
        }
        // From here on their secrets are remembered.
        for client in 0..CLIENTS {
            exchange(&mut connect(address), &this.honest(client));
        }
        this
    }

    fn honest(&self, client: usize) -> Vec<u8> {
        by_secret(self.address, &format!("honest-{client}"), &secret(client))
    }

    /// Tokens a second, as fast as they can be had.
    fn most(&self) -> f64 {
        let end = Instant::now() + Duration::from_secs(2);
        let threads: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (mut stream, request) = (connect(self.address), self.honest(client));
                std::thread::spawn(move || {
                    let mut count = 0_u32;
                    while Instant::now() < end {
                        exchange(&mut stream, &request);
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        let all: u32 = threads
            .into_iter()
            .map(|thread| thread.join().expect("it runs"))
            .sum();
        f64::from(all) / 2.0
    }

    /// Measures honest clients beside an attack, and prints what they get.
    fn row(&self, title: &str, rate: f64, attack: Option<&str>) {
        let time = TIME + 2 * WARM_UP;
        let attacker = attack.map(|name| attacks::start(name, self.address, self.tls, time));
        std::thread::sleep(WARM_UP);
        let served = self.open_loop(rate);
        let attacks = attacker.map_or(0.0, |mut attacker| {
            let mut count = String::new();
            let output = attacker.stdout.as_mut().expect("its output");
            output.read_to_string(&mut count).expect("its count");
            attacker.wait().expect("it ends");
            count.trim().parse::<f64>().expect("a number") / time.as_secs_f64()
        });
        let share = 100.0 * served.latencies.len() as f64 / served.due as f64;
        let at = |part: f64| {
            let last = served.latencies.len().saturating_sub(1);
            served
                .latencies
                .get((last as f64 * part) as usize)
                .map_or(f64::NAN, |it| it * 1000.0)
        };
        let (p50, p99) = (at(0.5), at(0.99));
        let verdict = if share >= 95.0 && p99 < 20.0 {
            ""
        } else {
            "  short of the aim"
        };
        println!(
            "{title:<46} {attacks:>9.0} {share:>6.1}% {p50:>8.2} {p99:>8.2} {:>8.0}{verdict}",
            self.memory()
        );
    }

    /// Asks at `rate`, and notes for each token that came how long after it was due.
    fn open_loop(&self, rate: f64) -> Served {
        let due = (rate * TIME.as_secs_f64()) as u64;
        let next = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        let threads: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (next, address) = (Arc::clone(&next), self.address);
                let request = self.honest(client);
                std::thread::spawn(move || ask(address, &request, (&next, due), (began, rate)))
            })
            .collect();
        let all = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("it runs"));
        let mut latencies: Vec<f64> = all.collect();
        latencies.sort_by(f64::total_cmp);
        Served { due, latencies }
    }

    /// The memory that the server holds.
    fn memory(&self) -> f64 {
        memory::mebibytes(&self.running)
    }
}

/// How many tokens were due, and how late those came that came, in seconds, sorted.
struct Served {
    due: u64,
    latencies: Vec<f64>,
}

fn ask(
    address: SocketAddr,
    request: &[u8],
    (next, due): (&AtomicU64, u64),
    (began, rate): (Instant, f64),
) -> Vec<f64> {
    let mut stream: TcpStream = connect(address);
    let mut latencies = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= due || began.elapsed() > TIME * 2 {
            return latencies;
        }
        let at = began + Duration::from_secs_f64(number as f64 / rate);
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        if answer(&mut stream, request).0 == 200 {
            latencies.push(at.elapsed().as_secs_f64());
        }
    }
}

fn secret(client: usize) -> String {
    format!("the-secret-of-honest-{client}")
}

/// Writes the catalog, and each secret into a file: in clear it would be for `grantd dev` alone.
fn write_catalog(directory: &Path) {
    let mut catalog = Worker::new().catalog();
    let honest = (0..CLIENTS).map(|client| (format!("honest-{client}"), secret(client)));
    let victim = ("victim".to_owned(), "the-secret-of-the-victim".to_owned());
    let besieged = (0..siege::CLIENTS).map(|number| (siege::client(number), siege::secret(number)));
    for (id, secret) in honest.chain([victim]).chain(besieged) {
        fs::write(directory.join(format!("secret-of-{id}")), secret).expect("it is written");
        let _ = write!(
            catalog,
            "[[client]]\nid = \"{id}\"\nsecret = \"file:secret-of-{id}\"\n[[client.policy]]\n\
             audience = \"pricing\"\nscopes = [\"read\"]\ndefault_scopes = [\"read\"]\n"
        );
    }
    fs::write(directory.join("catalog.toml"), catalog).expect("the catalog is written");
}
