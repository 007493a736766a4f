//! HTTP/2 without TLS, by prior knowledge (RFC 9113 section 3.3; STANDARDS B-H05).

use hyper::client::conn::http2;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::*;

/// An empty SETTINGS frame.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// A PING frame.
const PING: &[u8] = &[0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

async fn request(running: &Running, headers: usize) -> Result<StatusCode, hyper::Error> {
    request_with(running, headers, 1000).await
}

/// With so many header fields more than it needs, of so many bytes each.
async fn request_with(
    running: &Running,
    headers: usize,
    bytes: usize,
) -> Result<StatusCode, hyper::Error> {
    let io = TokioIo::new(running.connect().await);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
    tokio::spawn(connection);
    let mut request =
        Request::post("http://a/form").header("content-type", "application/x-www-form-urlencoded");
    for n in 0..headers {
        request = request.header(format!("x{n}"), "y".repeat(bytes));
    }
    let answer = sender
        .send_request(request.body("a=b".to_owned()).unwrap())
        .await?;
    Ok(answer.status())
}

#[tokio::test]
async fn a_request_is_served_over_http_2() {
    let running = start(quick());
    assert_eq!(request(&running, 0).await.unwrap(), StatusCode::OK);
}

/// The same limits as over HTTP/1.1, in number and in bytes (B-H05).
#[tokio::test]
async fn headers_over_the_limits_are_answered_by_431() {
    let running = start(Bounds::default());
    let most = Bounds::default().headers;
    // Content-type and content-length are fields, too.
    assert_eq!(
        request_with(&running, most - 2, 10).await.unwrap(),
        StatusCode::OK
    );
    for (headers, bytes) in [(most - 1, 10), (2 * most, 1), (60, 1300)] {
        let status = request_with(&running, headers, bytes).await.unwrap();
        assert_eq!(
            status,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "{headers} x {bytes}"
        );
    }
}

/// Frames that belong to no request: the connection is closed long before any stall time (B-H05).
#[tokio::test]
async fn floods_that_finish_nothing_end_their_connection() {
    let running = start(Bounds {
        stall_time: 10 * PATIENCE,
        ..Bounds::default()
    });
    let settings = |window: u8| [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, window];
    let window_update = [0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let priority = [0, 0, 5, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1];
    let unknown = [0, 0, 0, 99, 0, 0, 0, 0, 0];
    for flood in [
        PING.to_vec(),
        [settings(1), settings(2)].concat(),
        window_update.to_vec(),
        priority.to_vec(),
        unknown.to_vec(),
    ] {
        let mut stream = running.connect().await;
        stream
            .write_all(&[PREFACE, SETTINGS].concat())
            .await
            .unwrap();
        let (mut reading, mut writing) = stream.into_split();
        let answers = tokio::spawn(async move {
            let mut space = [0; 4096];
            while matches!(reading.read(&mut space).await, Ok(1..)) {}
        });
        let closed = timeout(PATIENCE, async {
            let flood = flood.repeat(100);
            while writing.write_all(&flood).await.is_ok() {}
        });
        closed.await.expect("the server closes");
        answers.abort();
    }
    assert_eq!(request(&running, 0).await.unwrap(), StatusCode::OK);
}

/// What finishes requests pays for its frames: as many as a chatty client sends, for as long as it likes.
/// (B-H05).
#[tokio::test]
async fn a_chatty_client_that_finishes_requests_stays() {
    let running = start(Bounds::default());
    let mut stream = running.connect().await;
    stream
        .write_all(&[PREFACE, SETTINGS].concat())
        .await
        .unwrap();
    for n in 0..200_u32 {
        stream.write_all(&PING.repeat(20)).await.unwrap();
        let id = (2 * n + 1).to_be_bytes();
        // HEADERS with END_STREAM: GET, http, `/`, authority `a`.
        let head = [
            &[0, 0, 6, 1, 5][..],
            &id,
            &[0x82, 0x86, 0x84, 0x41, 1, b'a'],
        ]
        .concat();
        stream.write_all(&head).await.unwrap();
        let mut answer = Vec::new();
        // The 404 is a HEADERS frame of this stream, which ends in DATA.
        let wanted = [&[1, 4][..], &id].concat();
        while !answer.windows(6).any(|part| part == wanted) {
            let read = timeout(PATIENCE, stream.read_buf(&mut answer)).await;
            assert_ne!(read.expect("an answer").unwrap(), 0, "closed at {n}");
        }
    }
}

/// One of many on its connection finds no place; another connection does.
#[tokio::test]
async fn requests_beyond_the_limit_are_answered_by_503_and_others_are_served() {
    let running = start(Bounds {
        requests: 5,
        ..Bounds::default()
    });
    let io = TokioIo::new(running.connect().await);
    let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let wait = |mut sender: http2::SendRequest<String>| async move {
        let request = Request::get("http://a/wait").body(String::new()).unwrap();
        sender.send_request(request).await.unwrap()
    };
    for _ in 0..2 {
        tokio::spawn(wait(sender.clone()));
        running.entered.notified().await;
    }
    let refused = wait(sender.clone()).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refused.headers()["cache-control"], "no-store");
    assert!(refused.headers().contains_key("x-request-id"));
    assert_eq!(request(&running, 0).await.unwrap(), StatusCode::OK);
    // Its own first one is answered, which makes room.
    running.leave.notify_one();
    assert_eq!(request(&running, 0).await.unwrap(), StatusCode::OK);
}

/// A connection that only pings is closed: the watch counts requests, not bytes (B-H05).
#[tokio::test]
async fn pings_do_not_keep_a_connection() {
    let running = start(quick());
    let mut stream = running.connect().await;
    stream
        .write_all(&[PREFACE, SETTINGS].concat())
        .await
        .unwrap();
    let closed = timeout(PATIENCE, async {
        while stream.write_all(PING).await.is_ok() {
            let mut answers = [0; 1024];
            let read = timeout(Duration::from_millis(20), stream.read(&mut answers)).await;
            if matches!(read, Ok(Ok(0) | Err(_))) {
                break;
            }
        }
    });
    closed.await.expect("the server closes");
}

/// CVE-2023-44487: requests that are reset at once; the connection ends, the server lives (B-H05).
#[tokio::test]
async fn a_flood_of_resets_ends_its_connection() {
    let running = start(quick());
    let mut flood = [PREFACE, SETTINGS].concat();
    for n in 0..5000_u32 {
        let id = (2 * n + 1).to_be_bytes();
        // HEADERS with END_HEADERS: GET, http, `/`, authority `a`; then RST_STREAM with CANCEL.
        flood.extend(
            [
                &[0, 0, 6, 1, 4][..],
                &id,
                &[0x82, 0x86, 0x84, 0x41, 1, b'a'],
            ]
            .concat(),
        );
        flood.extend([&[0, 0, 4, 3, 0][..], &id, &[0, 0, 0, 8]].concat());
    }
    let mut stream = running.connect().await;
    let _ = stream.write_all(&flood).await;
    read_to_end(&mut stream).await;
    assert_eq!(request(&running, 0).await.unwrap(), StatusCode::OK);
}

/// RUSTSEC-2024-0332: a header block that never ends (B-H05).
#[tokio::test]
async fn a_flood_of_continuations_ends_its_connection() {
    let running = start(quick());
    let mut flood = [PREFACE, SETTINGS, &[0, 0, 1, 1, 0, 0, 0, 0, 1, 0x82]].concat();
    for _ in 0..2000 {
        flood.extend([0, 0, 6, 9, 0, 0, 0, 0, 1, 0x40, 1, b'x', 2, b'y', b'y']);
    }
    let mut stream = running.connect().await;
    let _ = stream.write_all(&flood).await;
    read_to_end(&mut stream).await;
    assert_eq!(request(&running, 0).await.unwrap(), StatusCode::OK);
}
