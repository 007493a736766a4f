//! A client whose secret was imported and that nobody has verified yet, while strangers elsewhere send wrong ones for it.

use std::io::{BufRead as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::attacks::{self, by_secret, repeat};
use crate::support::answer;

/// The attack's name, and how many connections it has, each from an address of its own.
pub(crate) const NAME: &str = "siege";
pub(crate) const CONNECTIONS: usize = 150;
/// How many clients are besieged, one after the other: a secret that was verified once is no longer hashed.
pub(crate) const CLIENTS: usize = 100;
/// Within so much time each shall have its token.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the strangers need to turn to the next client.
const TURN: Duration = Duration::from_millis(300);

pub(crate) fn client(number: usize) -> String {
    format!("besieged-{number}")
}

pub(crate) fn secret(number: usize) -> String {
    format!("the-secret-of-besieged-{number}")
}

/// Besieges one client after the other, and prints how many of them got a token in time.
pub(crate) fn print(title: &str, address: SocketAddr) {
    let longest = (PATIENCE + TURN) * u32::try_from(2 * CLIENTS).expect("a number");
    let mut strangers = attacks::start(NAME, address, address, longest);
    let mut took: Vec<Duration> = (0..CLIENTS)
        .filter_map(|number| {
            turn_to(&mut strangers, number);
            std::thread::sleep(TURN);
            first_token(address, number)
        })
        .collect();
    let _ = strangers.kill();
    let _ = strangers.wait();
    took.sort();
    let at = |part: usize| {
        let index = (took.len() * part / 100).min(took.len().saturating_sub(1));
        took.get(index)
            .map_or(f64::NAN, |it| 1000.0 * it.as_secs_f64())
    };
    println!(
        "besieged by {CONNECTIONS} connections, {title}: {} of {CLIENTS} had a token within {PATIENCE:?}; p50 {:.0} ms, p95 {:.0} ms",
        took.len(),
        at(50),
        at(95)
    );
}

fn turn_to(strangers: &mut Child, number: usize) {
    let orders = strangers.stdin.as_mut().expect("its input");
    writeln!(orders, "{number}").expect("the strangers listen");
}

/// Asks, and again when the server says, as long as it is patient; how long that took.
fn first_token(address: SocketAddr, number: usize) -> Option<Duration> {
    let request = by_secret(address, &client(number), &secret(number));
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        // From an address where nobody failed, neither now nor in the attacks before.
        let mut stream = connect_from(CONNECTIONS, address).expect("grantd listens");
        let (status, _) = answer(&mut stream, &request);
        if status == 200 {
            return Some(began.elapsed()).filter(|it| *it <= PATIENCE);
        }
        assert!([429, 503].contains(&status), "{status}");
        // The least that `Retry-After` can say.
        std::thread::sleep(Duration::from_secs(1));
    }
    None
}

/// Whom the strangers besiege, as their standard input says.
pub(crate) fn target() -> Arc<AtomicUsize> {
    let target = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&target);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let number = line.expect("a line").parse().expect("a number");
            told.store(number, Ordering::Relaxed);
        }
    });
    target
}

/// Sends wrong secrets for the client of the moment, over one connection at a time.
pub(crate) fn besiege(
    lane: usize,
    address: SocketAddr,
    (target, count, end): (&AtomicUsize, &AtomicU64, Instant),
) {
    let mut stream = None;
    let mut number = 0;
    repeat((count, end), || {
        number += 1;
        let client = client(target.load(Ordering::Relaxed));
        let request = by_secret(
            address,
            &client,
            &format!("a-wrong-secret-of-{lane}-{number}"),
        );
        attacks::exchange(&mut stream, || connect_from(lane, address), &request);
    });
}

/// From an address of loopback that is this lane's own.
fn connect_from(lane: usize, address: SocketAddr) -> std::io::Result<TcpStream> {
    let last = u8::try_from(1 + lane).map_err(std::io::Error::other)?;
    let source = SocketAddr::from((Ipv4Addr::new(127, 1, 0, last), 0));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&source.into())?;
    socket.connect(&address.into())?;
    Ok(socket.into())
}
