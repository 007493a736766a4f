//! Requests that two parsers could read in two ways (STANDARDS B-H01, B-H02).

use super::*;

const HEAD: &str =
    "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n";

/// A second request rides behind each: it must never be answered (B-H01).
#[tokio::test]
async fn smuggling_shapes_are_answered_by_400_and_a_close() {
    let running = start(quick());
    let behind = "GET /peer HTTP/1.1\r\nHost: a\r\n\r\n";
    for head in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n\r\na=b",
        "Content-Length: 3\r\nContent-Length: 3\r\n\r\na=b",
        "Content-Length: 3, 3\r\n\r\na=b",
        "Content-Length: +3\r\n\r\na=b",
        "Content-Length: 0x3\r\n\r\na=b",
        "Content-Length: -3\r\n\r\na=b",
        "Content-Length: 3\n\r\na=b",
        "Content-Length: 3\r\nX: y\n\na=b",
        "X: y\r\n z\r\nContent-Length: 3\r\n\r\na=b",
        "X: a\0b\r\nContent-Length: 3\r\n\r\na=b",
        "X\0: a\r\nContent-Length: 3\r\n\r\na=b",
        "Content-Length : 3\r\n\r\na=b",
        "X: a\rb\r\nContent-Length: 3\r\n\r\na=b",
        "Transfer-Encoding: chunked\r\n\r\n3;x\na=b\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\na=b\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n+3\r\na=b\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\na=bc\r\n0\r\n\r\n",
    ] {
        let answer = running
            .exchange(format!("{HEAD}{head}{behind}").as_bytes())
            .await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{head:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{head:?}: {answer}");
    }
}

/// B-H02.
#[tokio::test]
async fn a_bad_request_line_or_target_is_refused() {
    let running = start(quick());
    for line in [
        "GET /peer HTTP/1.1\nHost: a\r\n\r\n",
        "GET  /peer HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /pe er HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /peer\r\nHost: a\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /peer HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /peer HTTP/1.1\r\nHost: a\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /peer HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
    ] {
        let answer = running.exchange(line.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{line:?}: {answer}");
    }
}

/// B-H02.
#[tokio::test]
async fn the_absolute_form_is_served() {
    let running = start(quick());
    let request = "GET http://other.example/peer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = running.exchange(request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// 6749-33: also with `Expect: 100-continue`, and requests sent one behind the other.
#[tokio::test]
async fn good_framing_is_served() {
    let running = start(quick());
    let chunked = format!(
        "{HEAD}Transfer-Encoding: chunked\r\n\r\n2;x=y\r\na=\r\n1\r\nb\r\n0\r\n\r\n{}\
         GET /peer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        post("a=c")
    );
    let answer = running.exchange(chunked.as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 3, "{answer}");

    let mut stream = running.connect().await;
    let head = format!("{HEAD}Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    read_until(&mut stream, "HTTP/1.1 100 ").await;
    stream.write_all(b"a=b").await.unwrap();
    read_until(&mut stream, "HTTP/1.1 200 ").await;
}
