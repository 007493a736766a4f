//! Strangers who send as fast as they can, in a process of their own beside the load of the honest clients.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use grantd::crypto::random;

use crate::assertions::Worker;
use crate::handshakes::Handshakes;
use crate::siege;

/// Set for the process that attacks: the attack, the address, and that of the TLS listener.
const ORDERS: &str = "GRANTD_BENCH_ATTACK";
/// How many connections attack at once.
const CONNECTIONS: usize = 64;
/// How long the attacker needs to be at full speed.
pub(crate) const WARM_UP: Duration = Duration::from_secs(1);

/// What they do.
pub(crate) const ATTACKS: [(&str, &str); 6] = [
    ("a", "wrong imported secrets for a known client"),
    ("b", "wrong imported secrets for random clients"),
    ("c", "wrong generated secrets, right checksum"),
    ("d", "bogus assertions"),
    ("e", "bodies that dribble"),
    ("f", "TLS handshakes without a request"),
];

/// Attacks for `time`, in another process; its count of attempts is on its standard output.
pub(crate) fn start(name: &str, address: SocketAddr, tls: SocketAddr, time: Duration) -> Child {
    let own = std::env::current_exe().expect("our own path");
    let orders = format!("{name} {address} {tls} {}", time.as_millis());
    // Beside honest clients on one core: who waits for his turn there is not the server's doing.
    let mut command = Command::new("nice");
    command
        .args(["-n", "10"])
        .arg(own)
        .env(ORDERS, orders)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command.spawn().expect("the attacker starts")
}

/// Attacks, where this process was started to do so.
pub(crate) fn run_if_ordered() -> bool {
    let Ok(orders) = std::env::var(ORDERS) else {
        return false;
    };
    let mut words = orders.split(' ');
    let mut word = || words.next().expect("an order").to_owned();
    let (name, address, tls) = (word(), word(), word());
    let (address, tls) = (
        address.parse().expect("an address"),
        tls.parse().expect("an address"),
    );
    let end = Instant::now() + Duration::from_millis(word().parse().expect("milliseconds"));
    let count = Arc::new(AtomicU64::new(0));
    let is_siege = name == siege::NAME;
    let target = is_siege.then(siege::target);
    let lanes = if is_siege {
        siege::CONNECTIONS
    } else {
        CONNECTIONS
    };
    let threads: Vec<_> = (0..lanes)
        .map(|lane| {
            let (name, count, target) = (name.clone(), Arc::clone(&count), target.clone());
            std::thread::spawn(move || match target {
                Some(target) => siege::besiege(lane, address, (&target, &count, end)),
                None => attack(&name, lane, (address, tls), (&count, end)),
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("an attacker does not panic");
    }
    println!("{}", count.load(Ordering::Relaxed));
    true
}

fn attack(
    name: &str,
    lane: usize,
    (address, tls): (SocketAddr, SocketAddr),
    (count, end): (&AtomicU64, Instant),
) {
    match name {
        "e" => repeat((count, end), || dribble(address, end)),
        "f" => {
            let handshakes = Handshakes::new();
            repeat((count, end), || handshakes.one(tls));
        }
        _ => {
            // Made before, so that the attacker's core is not what bounds the attack.
            let requests: Vec<Vec<u8>> = (0..256)
                .map(|n| request(name, lane * 256 + n, address))
                .collect();
            let mut next = requests.iter().cycle();
            let mut stream = None;
            repeat((count, end), || {
                let request = next.next().expect("a cycle");
                exchange(&mut stream, || TcpStream::connect(address), request);
            });
        }
    }
}

pub(crate) fn repeat((count, end): (&AtomicU64, Instant), mut once: impl FnMut()) {
    while Instant::now() < end {
        once();
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn request(name: &str, number: usize, address: SocketAddr) -> Vec<u8> {
    match name {
        "a" => by_secret(address, "victim", &format!("a-wrong-secret-of-{number}")),
        "b" => by_secret(
            address,
            &format!("stranger-{number}"),
            "a-secret-of-a-stranger",
        ),
        "c" => {
            let secret = random::generated_secret(&random::credential_id());
            by_secret(address, "victim", secret.expose())
        }
        _ => Worker::new().request(address),
    }
}

/// A token request by `client_secret_basic`; id and secret need no encoding.
pub(crate) fn by_secret(address: SocketAddr, client: &str, secret: &str) -> Vec<u8> {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{client}:{secret}"));
    let body = "grant_type=client_credentials";
    format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {pair}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends a request and reads some answer; a connection that is lost is made anew the next time.
pub(crate) fn exchange(
    stream: &mut Option<TcpStream>,
    connect: impl FnOnce() -> std::io::Result<TcpStream>,
    request: &[u8],
) {
    let mut open = match stream.take() {
        Some(open) => open,
        None => match connect() {
            Ok(open) => open,
            Err(_) => return,
        },
    };
    let _ = open.set_nodelay(true);
    let _ = open.set_read_timeout(Some(Duration::from_secs(5)));
    let mut answer = [0; 4096];
    if open.write_all(request).is_ok() && open.read(&mut answer).is_ok_and(|read| read > 0) {
        *stream = Some(open);
    }
}

/// A body of a kilobyte of which a byte comes now and then, until the server has enough.
fn dribble(address: SocketAddr, end: Instant) {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return;
    };
    let head = format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: {address}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n"
    );
    let mut sent = stream.write_all(head.as_bytes());
    while sent.is_ok() && Instant::now() < end {
        sent = stream.write_all(b"a");
        std::thread::sleep(Duration::from_millis(1));
    }
}
