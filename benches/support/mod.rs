//! What the benchmarks share: processes that are ended, and a plain HTTP/1.1 client.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The grantd of this build.
pub(crate) const GRANTD: &str = env!("CARGO_BIN_EXE_grantd");

/// A child process that ends with its owner.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `program` on the first core, where `taskset` is there.
pub(crate) fn pinned(program: &str) -> Command {
    let has_taskset = Command::new("taskset")
        .arg("-V")
        .stdout(Stdio::null())
        .status()
        .is_ok();
    if has_taskset {
        let mut command = Command::new("taskset");
        command.args(["-c", "0", program]);
        command
    } else {
        Command::new(program)
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Connects as soon as somebody listens.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    for _ in 0..20_000 {
        if let Ok(stream) = TcpStream::connect(address) {
            stream.set_nodelay(true).expect("nodelay");
            return stream;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    panic!("nobody listens on {address}");
}

/// Sends a request and reads the whole answer, which must be a 200; gives its body.
pub(crate) fn exchange(stream: &mut TcpStream, request: &[u8]) -> Vec<u8> {
    let (status, body) = answer(stream, request);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    body
}

/// Sends a request and reads the whole answer: status and body.
pub(crate) fn answer(stream: &mut TcpStream, request: &[u8]) -> (u16, Vec<u8>) {
    stream.write_all(request).expect("the request is sent");
    let mut answer = Vec::with_capacity(2048);
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).expect("an answer comes");
        assert!(read > 0, "the server closed the connection");
        answer.extend_from_slice(&chunk[..read]);
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .and_then(|length| length.parse().ok())
            .expect("a length");
        if answer.len() >= end + 4 + length {
            return (status.expect("a status"), answer.split_off(end + 4));
        }
    }
}

/// The middle of `values`.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
