//! The end of the server: requests in flight are finished, within bounds.

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
