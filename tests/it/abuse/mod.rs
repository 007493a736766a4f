//! What strangers can do to a whole process: the real binary, and sockets of our own that speak as badly as they like.

mod descriptors;
mod log_reader;
mod memory;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::place::{Dev, Place};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Kinds of frames.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
/// A flag of HEADERS and CONTINUATION.
const END_HEADERS: u8 = 4;
/// A flag of HEADERS and DATA.
const END_STREAM: u8 = 1;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The id of the nth stream that a client opens.
fn stream(n: u32) -> u32 {
    2 * n + 1
}

/// A string of HPACK in plain text.
fn string(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    assert!(length < 127);
    [&[length], text.as_bytes()].concat()
}

/// A field that is put into no table.
fn field(name: &str, value: &str) -> Vec<u8> {
    [vec![0], string(name), string(value)].concat()
}

/// The pseudo-header fields of a request for a token.
fn post() -> Vec<u8> {
    [
        vec![0x83, 0x86, 4],
        string("/oauth2/token"),
        vec![1],
        string("a"),
    ]
    .concat()
}

/// Those of a request that anybody may send.
fn get() -> Vec<u8> {
    [
        vec![0x82, 0x86, 4],
        string("/.well-known/oauth-authorization-server"),
        vec![1],
        string("a"),
    ]
    .concat()
}

fn address(url: &str) -> SocketAddr {
    let authority = url.split_once("://").unwrap().1.split('/').next().unwrap();
    authority.parse().unwrap()
}

/// Sends as much as the other side takes at once; what comes back is left in the kernel.
fn send(stream: &mut TcpStream, bytes: &[u8]) {
    stream.set_nonblocking(true).unwrap();
    let mut rest = bytes;
    while let Ok(sent @ 1..) = stream.write(rest) {
        rest = &rest[sent..];
    }
}

/// A token over a connection of its own, as an ordinary client asks for it.
fn is_served(dev: &Dev) -> bool {
    dev.ask("orders-service", "orders-demo-secret").0 == 200
}

/// Whether a path of the operations listener answers.
fn is_alive(dev: &Dev) -> bool {
    let Ok(mut stream) = TcpStream::connect(address(dev.url("operations"))) else {
        return false;
    };
    stream
        .set_read_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    let mut answer = String::new();
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200 ")
}

/// The soft limit of file descriptors of this process, which holds the other ends.
fn descriptors() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    line.split_whitespace().nth(3).unwrap().parse().unwrap()
}
