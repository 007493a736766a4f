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
    let io = TokioIo::new(running.connect().await);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
    tokio::spawn(connection);
    let mut request =
        Request::post("http://a/form").header("content-type", "application/x-www-form-urlencoded");
    for n in 0..headers {
        request = request.header(format!("x{n}"), "y".repeat(1000));
    }
    let answer = sender.send_request(request.body("a=b".to_owned()).unwrap()).await?;
    Ok(answer.status())
}

#[tokio::test]
async fn a_request_is_served_over_http_2() {
    let running = start(quick());
    assert_eq!(request(&running, 0).await.unwrap(), StatusCode::OK);
}

#[tokio::test]
async fn headers_over_the_limit_are_refused_b_h05() {
    let running = start(quick());
    match request(&running, 30).await {
        Ok(status) => assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        Err(error) => assert!(!error.is_timeout(), "{error}"),
    }
}

/// A connection that only pings is closed: the watch counts requests, not bytes.
#[tokio::test]
async fn pings_do_not_keep_a_connection_b_h05() {
    let running = start(quick());
    let mut stream = running.connect().await;
    stream.write_all(&[PREFACE, SETTINGS].concat()).await.unwrap();
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

/// CVE-2023-44487: requests that are reset at once; the connection ends, the server lives.
#[tokio::test]
async fn a_flood_of_resets_ends_its_connection_b_h05() {
    let running = start(quick());
    let mut flood = [PREFACE, SETTINGS].concat();
    for n in 0..5000_u32 {
        let id = (2 * n + 1).to_be_bytes();
        // HEADERS with END_HEADERS: GET, http, `/`, authority `a`; then RST_STREAM with CANCEL.
        flood.extend([&[0, 0, 6, 1, 4][..], &id, &[0x82, 0x86, 0x84, 0x41, 1, b'a']].concat());
        flood.extend([&[0, 0, 4, 3, 0][..], &id, &[0, 0, 0, 8]].concat());
    }
    let mut stream = running.connect().await;
    let _ = stream.write_all(&flood).await;
    read_to_end(&mut stream).await;
    assert_eq!(request(&running, 0).await.unwrap(), StatusCode::OK);
}

/// RUSTSEC-2024-0332: a header block that never ends.
#[tokio::test]
async fn a_flood_of_continuations_ends_its_connection_b_h05() {
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
