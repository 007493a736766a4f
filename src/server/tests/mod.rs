//! The server over real sockets, with small limits.

mod drain;
mod http2;
mod limits;
mod slow;
mod smuggling;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::bounds::Bounds;
use super::listener;
use super::room::Room;
use super::serve::{Listener, Stops, serve};
use super::shutdown::{Shutdown, Trigger};
use crate::http::sample;

/// Far beyond what any step here may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bounds with which each wait is over soon, but no step of a healthy request fails.
fn quick() -> Bounds {
    Bounds {
        handshake_time: Duration::from_millis(200),
        first_bytes_time: Duration::from_millis(200),
        head_time: Duration::from_millis(300),
        stall_time: Duration::from_millis(600),
        ..Bounds::default()
    }
}

struct Running {
    address: SocketAddr,
    stop: Trigger,
    entered: Arc<Notify>,
    leave: Arc<Notify>,
    server: JoinHandle<()>,
}

fn start(bounds: Bounds) -> Running {
    let socket = listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, shutdown) = Shutdown::manual();
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let router = sample::router(Arc::clone(&entered), Arc::clone(&leave));
    let listener = Listener {
        name: "test",
        sockets: vec![socket],
        service: router,
        tls: None,
        room: Room::new(bounds),
        traffic: Arc::default(),
        stops: Stops::First,
    };
    let server = tokio::spawn(serve(listener, shutdown));
    Running {
        address,
        stop,
        entered,
        leave,
        server,
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a new connection, and gives all that comes until the server closes.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may answer and close before it has read all.
        let _ = stream.write_all(bytes).await;
        read_to_end(&mut stream).await
    }
}

/// What comes until the other side closes; a reset is a close.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    let _ = read.expect("the server closes");
    String::from_utf8_lossy(&answer).into_owned()
}

/// What comes until it holds `text`.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains(text) {
        let read = timeout(PATIENCE, stream.read_buf(&mut answer)).await;
        assert_ne!(read.expect("an answer").unwrap(), 0, "closed before {text}");
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn post(body: &str) -> String {
    format!(
        "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
