//! Connections that take their time: each is closed, whatever it dribbles (STANDARDS B-H04).

use super::*;

/// Bounds where only the stall time can end a connection.
fn only_stall() -> Bounds {
    Bounds {
        stall_time: Duration::from_millis(400),
        ..Bounds::default()
    }
}

/// B-H04.
#[tokio::test]
async fn a_silent_connection_is_closed() {
    let running = start(quick());
    assert_eq!(running.exchange(b"").await, "");
}

/// B-H04.
#[tokio::test]
async fn the_preface_of_http_2_in_pieces_does_not_buy_time() {
    let running = start(quick());
    assert_eq!(running.exchange(b"PRI * HTTP/2.0\r\n\r\n").await, "");
}

/// B-H04.
#[tokio::test]
async fn a_head_that_never_ends_is_closed() {
    let running = start(Bounds {
        stall_time: PATIENCE,
        ..quick()
    });
    let answer = running
        .exchange(b"POST /form HTTP/1.1\r\nHost: a\r\n")
        .await;
    assert!(!answer.contains("200"), "{answer}");
}

/// B-H04.
#[tokio::test]
async fn an_idle_connection_is_closed() {
    let running = start(Bounds {
        stall_time: PATIENCE,
        ..quick()
    });
    let answer = running.exchange(post("a=b").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// B-H04.
#[tokio::test]
async fn a_body_that_never_ends_is_refused_and_closed() {
    let running = start(quick());
    let half = post("a=bcdefgh");
    let answer = running.exchange(&half.as_bytes()[..half.len() - 4]).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("\"error\":\"invalid_request\""), "{answer}");
}

/// B-H04.
#[tokio::test]
async fn a_client_that_does_not_read_is_closed() {
    let running = start(only_stall());
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    // Nothing is read until the server has given up: then the rest of the answer is missing.
    tokio::time::sleep(only_stall().stall_time * 2 + Duration::from_secs(2)).await;
    let answer = read_to_end(&mut stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 "),
        "{}",
        &answer[..answer.len().min(200)]
    );
    assert!(answer.len() < 8 * 1024 * 1024, "{}", answer.len());
}

/// B-H04.
#[tokio::test]
async fn healthy_requests_are_served_beside_many_slow_ones() {
    let running = start(Bounds::default());
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = running.connect().await;
        stream
            .write_all(b"POST /form HTTP/1.1\r\nHost:")
            .await
            .unwrap();
        slow.push(stream);
    }
    let mut stream = running.connect().await;
    stream.write_all(post("a=b").as_bytes()).await.unwrap();
    read_until(&mut stream, "HTTP/1.1 200 ").await;
}
