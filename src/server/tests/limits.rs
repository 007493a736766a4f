//! Heads and bodies that are too large, and more connections than there is room for (STANDARDS B-H02, B-H03).

use super::*;

/// B-H02.
#[tokio::test]
async fn a_head_that_is_too_large_is_answered_by_431() {
    let running = start(quick());
    let large = format!(
        "GET /peer HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "x".repeat(100 * 1024)
    );
    let many: Vec<String> = (0..1000).map(|n| format!("X{n}: y\r\n")).collect();
    for request in [
        large,
        format!("GET /peer HTTP/1.1\r\nHost: a\r\n{}\r\n", many.concat()),
    ] {
        let answer = running.exchange(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}

/// B-H02.
#[tokio::test]
async fn a_uri_of_64_kib_is_answered_by_414() {
    let running = start(quick());
    let request = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(64 * 1024));
    let answer = running.exchange(request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 414 "), "{answer}");
}

/// 6749-32: however its length is said, or when it is not (B-H03).
#[tokio::test]
async fn a_body_over_the_limit_is_answered_by_413() {
    let running = start(quick());
    let body = "x".repeat(100 * 1024);
    let chunked = format!(
        "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    for request in [post(&body), chunked] {
        let mut stream = running.connect().await;
        let _ = stream.write_all(request.as_bytes()).await;
        let answer = read_until(&mut stream, "}").await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains("\"error\":\"invalid_request\""), "{answer}");
    }
}

/// A reset would take the answer away from a client that is still sending (6749-32).
#[tokio::test]
async fn a_refused_body_does_not_reset_the_connection() {
    let running = start(quick());
    let request = post(&"x".repeat(100 * 1024));
    let (now, later) = request.as_bytes().split_at(10 * 1024);
    let mut stream = running.connect().await;
    stream.write_all(now).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    // The first piece would be answered by the reset, and the next one would meet it.
    for piece in later.chunks(30 * 1024) {
        stream.write_all(piece).await.expect("a close, not a reset");
    }
}

#[tokio::test]
async fn a_connection_over_the_limit_waits_until_there_is_room() {
    let running = start(Bounds {
        connections: 1,
        ..Bounds::default()
    });
    let mut first = running.connect().await;
    first.write_all(post("a=1").as_bytes()).await.unwrap();
    read_until(&mut first, "HTTP/1.1 200 ").await;

    let mut second = running.connect().await;
    second.write_all(post("a=2").as_bytes()).await.unwrap();
    let early = timeout(Duration::from_millis(100), second.read_u8()).await;
    assert!(
        early.is_err(),
        "the second one is not served beside the first"
    );

    drop(first);
    read_until(&mut second, "HTTP/1.1 200 ").await;
}

/// B-H04.
#[tokio::test]
async fn while_nobody_else_can_connect_an_idle_connection_makes_room() {
    let long = PATIENCE * 10;
    let limits = Bounds {
        connections: 1,
        stall_time: long,
        head_time: long,
        ..Bounds::default()
    };
    let running = start(limits);
    let mut idle = running.connect().await;
    idle.write_all(post("a=1").as_bytes()).await.unwrap();
    read_until(&mut idle, "HTTP/1.1 200 ").await;
    let mut next = running.connect().await;
    next.write_all(post("a=2").as_bytes()).await.unwrap();
    read_until(&mut next, "HTTP/1.1 200 ").await;
}

#[tokio::test]
async fn requests_know_their_connection() {
    let running = start(quick());
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET /peer HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let own = stream.local_addr().unwrap().to_string();
    read_until(&mut stream, &own).await;
}
