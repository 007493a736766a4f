//! The end of a replica behind a load balancer: unready first, gone later.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::process::{eventually, request};
use crate::serve::Platform;

/// A load balancer that asks `/readyz` has as long as `drain_delay` to notice.
#[tokio::test]
async fn a_replica_that_is_told_to_stop_is_unready_at_once_and_serves_for_the_drain_delay() {
    let platform = Platform::new().await;
    platform.done(&["migrate"]);
    platform.apply();
    let mut replica = platform.replica_by("a.log", |command| {
        command.env("GRANTD_LIMITS__DRAIN_DELAY", "3s");
    });
    eventually("the replica is ready", || replica.is_ready());
    assert!(!says_close(&head(replica.public)));
    replica.server.signal("TERM");
    eventually("the replica is unready", || !replica.is_ready());
    let (status, body) = request(replica.operations, "GET /readyz", "").unwrap();
    assert_eq!(status, 503);
    assert!(body.contains(r#""what":"draining""#), "{body}");
    for _ in 0..5 {
        let (status, answer) = replica.token();
        assert_eq!(status, 200, "{answer}");
        let head = head(replica.public);
        assert!(
            head.starts_with("HTTP/1.1 200 ") && says_close(&head),
            "{head}"
        );
    }
    assert!(replica.server.wait().success());
    assert_eq!(request(replica.public, "GET /oauth2/jwks", ""), None);
}

/// The head of an answer to somebody who would stay connected.
fn head(address: SocketAddr) -> String {
    let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
    let request = format!("GET /oauth2/jwks HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    let lines = stream.lines().map(Result::unwrap);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    head.join("\n")
}

fn says_close(answer: &str) -> bool {
    answer.to_ascii_lowercase().contains("\nconnection: close")
}

/// The second signal is of somebody who does not want to wait.
#[tokio::test]
async fn a_second_signal_ends_the_drain_delay_and_the_process() {
    let platform = Platform::new().await;
    platform.done(&["migrate"]);
    let mut replica = platform.replica_by("a.log", |command| {
        command.env("GRANTD_LIMITS__DRAIN_DELAY", "1h");
    });
    eventually("it listens", || {
        request(replica.operations, "GET /livez", "").is_some()
    });
    replica.server.signal("TERM");
    eventually("it stops", || {
        replica
            .server
            .log()
            .contains("unready, serving for 3600s more")
    });
    replica.server.signal("TERM");
    assert_eq!(replica.server.wait().code(), Some(130));
}
