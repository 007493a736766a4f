//! The end of the server: requests in flight are finished, within bounds.

use hyper::client::conn::http2;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::*;

const WAIT: &[u8] = b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn a_request_in_flight_is_finished_before_the_end() {
    let running = start(Bounds::default());
    let mut idle = running.connect().await;
    idle.write_all(post("a=b").as_bytes()).await.unwrap();
    read_until(&mut idle, "HTTP/1.1 200 ").await;
    let mut busy = running.connect().await;
    busy.write_all(WAIT).await.unwrap();
    running.entered.notified().await;

    running.stop.stop();
    read_to_end(&mut idle).await;
    assert!(!running.server.is_finished());
    assert!(
        TcpStream::connect(running.address).await.is_err(),
        "no new connections"
    );

    running.leave.notify_one();
    let answer = read_to_end(&mut busy).await;
    assert!(answer.ends_with("waited"), "{answer}");
    timeout(PATIENCE, running.server)
        .await
        .expect("the server ends")
        .unwrap();
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_when_the_time_is_over() {
    let running = start(Bounds {
        drain_time: Duration::from_millis(100),
        ..Bounds::default()
    });
    let mut busy = running.connect().await;
    busy.write_all(WAIT).await.unwrap();
    running.entered.notified().await;

    running.stop.stop();
    timeout(PATIENCE, running.server)
        .await
        .expect("the server ends")
        .unwrap();
    assert_eq!(read_to_end(&mut busy).await, "");
}

/// While a load balancer has not noticed yet, everything is served and each connection told to go.
#[tokio::test]
async fn while_it_leaves_everything_is_served_and_told_to_go() {
    let running = start(Bounds::default());
    let mut old = running.connect().await;
    old.write_all(post("a=b").as_bytes()).await.unwrap();
    let before = read_until(&mut old, "HTTP/1.1 200 ").await;
    assert!(
        !before.to_lowercase().contains("connection: close"),
        "{before}"
    );
    let mut busy = running.connect().await;
    busy.write_all(WAIT).await.unwrap();
    running.entered.notified().await;

    running.stop.leave();
    // A connection that is idle is not cut: a request may be on its way.
    old.write_all(post("a=b").as_bytes()).await.unwrap();
    running.leave.notify_one();
    let mut new = running.connect().await;
    new.write_all(post("a=b").as_bytes()).await.unwrap();
    for stream in [&mut old, &mut busy, &mut new] {
        // Each is closed after its answer.
        let answer = read_to_end(stream).await;
        assert!(answer.contains("HTTP/1.1 200 "), "{answer}");
        assert!(
            answer.to_lowercase().contains("connection: close"),
            "{answer}"
        );
    }
    assert!(!running.server.is_finished());
    running.stop.stop();
    timeout(PATIENCE, running.server)
        .await
        .expect("the server ends")
        .unwrap();
}

/// A connection of HTTP/2.
struct Http2 {
    sender: http2::SendRequest<String>,
    connection: JoinHandle<Result<(), hyper::Error>>,
}

impl Http2 {
    async fn open(running: &Running) -> Self {
        let io = TokioIo::new(running.connect().await);
        let handshake = http2::handshake(TokioExecutor::new(), io).await;
        let (sender, connection) = handshake.unwrap();
        let connection = tokio::spawn(connection);
        Self { sender, connection }
    }

    async fn get(&mut self) -> StatusCode {
        let request = Request::get("http://a/peer").body(String::new()).unwrap();
        self.sender.send_request(request).await.unwrap().status()
    }

    /// Ends with the connection, which must end well.
    async fn ends(self) {
        let ended = timeout(PATIENCE, self.connection).await;
        ended.expect("the server ends it").unwrap().unwrap();
    }
}

/// RFC 9113 section 6.8. A client may take a GOAWAY before its first request for a fault.
#[tokio::test]
async fn while_it_leaves_an_http2_connection_has_an_answer_before_its_goaway() {
    let running = start(Bounds::default());
    let (mut old, mut new) = (Http2::open(&running).await, Http2::open(&running).await);
    assert_eq!(old.get().await, 200);
    running.stop.leave();
    old.ends().await;
    assert_eq!(new.get().await, 200);
    new.ends().await;
    let mut late = Http2::open(&running).await;
    assert_eq!(late.get().await, 200);
    late.ends().await;
    assert!(!running.server.is_finished());
}
