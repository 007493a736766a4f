//! A replica whose clock differs from the database's: what it says of it, and from where on it stops.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use grantd::domain::timestamp::Seconds;
use grantd::http::health::HealthState;
use grantd::http::routes;
use grantd::server::server_metrics::ServerMetrics;
use serde_json::Value;

use crate::captured_log::watch;
use crate::harness::*;

/// What the operations listener of `replica` says of its readiness.
async fn readiness(replica: &Replica) -> Value {
    let health = HealthState {
        grantd: Arc::clone(&replica.grantd),
        draining: Arc::new(AtomicBool::new(false)),
        server: Arc::new(ServerMetrics::default()),
    };
    let request = axum::http::Request::get("/readyz")
        .header("host", "localhost")
        .body(axum::body::Body::empty())
        .unwrap();
    let answer = tower::ServiceExt::oneshot(routes::operations(health), request)
        .await
        .unwrap();
    let body = http_body_util::BodyExt::collect(answer.into_body())
        .await
        .unwrap()
        .to_bytes();
    serde_json::from_slice(&body).unwrap()
}

async fn assert_issues(replica: &Replica) {
    let token = replica.issued("reader", READER, "").await;
    assert!(replica.is_active(&token).await);
}

#[track_caller]
fn assert_stopped(answer: &Answer) {
    answer.assert_error(503, "temporarily_unavailable");
    assert!(answer.headers.contains_key("retry-after"));
}

on_both! {
    async fn two_seconds_apart_is_nothing_and_three_are_told(env) {
        env.apply(CATALOG).await;
        let (replica, clock) = env.replica_apart(2).await;
        assert_eq!(readiness(&replica).await, serde_json::json!({"ready": true, "degraded": []}));
        for set_by in [1, -6] {
            clock.set_by(set_by);
            replica.follow().await;
            let told = readiness(&replica).await;
            assert_eq!(told["ready"], true);
            assert_eq!(told["degraded"][0]["what"], "clock", "{told}");
            assert_issues(&replica).await;
        }
        clock.set_by(3);
        replica.follow().await;
        assert_eq!(readiness(&replica).await["degraded"], serde_json::json!([]));
    }

    /// Issuing and introspecting stop at once, and not only when the feed is read the next time.
    async fn more_than_a_minute_apart_nothing_is_issued_or_introspected(env) {
        env.apply(CATALOG).await;
        let other = env.replica().await;
        for side in [1, -1] {
            let (replica, clock) = env.replica_apart(60 * side).await;
            assert_eq!(replica.token("reader", READER, "").await.status, 200);
            clock.set_by(side);
            for _ in 0..2 {
                let token = other.issued("reader", READER, "").await;
                assert_stopped(&replica.token("reader", READER, "").await);
                assert_stopped(&replica.introspect("api", API, &token).await);
                for path in ["/oauth2/jwks", "/.well-known/oauth-authorization-server"] {
                    assert_eq!(replica.get(path).await.status, 200);
                }
                replica.follow().await;
            }
            let told = readiness(&replica).await;
            assert_eq!((&told["ready"], &told["degraded"][0]["what"]), (&false.into(), &"clock".into()));
            assert!(told["degraded"][0]["message"].as_str().unwrap().contains("61.0 s"), "{told}");
            clock.set_by(-side);
            assert_eq!(replica.token("reader", READER, "").await.status, 200);
            replica.follow().await;
            assert_eq!(readiness(&replica).await["ready"], true);
        }
    }

    /// To its clock the token has long expired, or was not even issued; to the others it lives.
    async fn a_replica_that_is_an_hour_off_revokes_all_the_same(env) {
        env.apply(CATALOG).await;
        let other = env.replica().await;
        for apart in [4320, -4320] {
            let (replica, _) = env.replica_apart(apart).await;
            let token = other.issued("reader", READER, "").await;
            assert_eq!(replica.revoke("reader", READER, &token).await.status, 200);
            other.follow().await;
            assert!(!other.is_active(&token).await, "{apart}");
        }
    }

    async fn a_difference_is_told_once_and_not_at_each_reading(env) {
        env.apply(CATALOG).await;
        // A difference of its own, as the log is that of all tests.
        let apart = if env.database.is_postgres() { 4337 } else { 4339 };
        let lines = watch(&format!("clock is {apart}.0 s ahead of the database's"));
        let (replica, _) = env.replica_apart(apart).await;
        for _ in 0..3 {
            replica.follow().await;
        }
        let lines = lines.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("ERROR") && lines[0].contains("NTP"), "{lines:?}");
    }

    /// Replicas are close together, and yet one issues in a second that has not begun for another.
    async fn a_token_of_a_replica_two_seconds_ahead_is_active_and_ends_exactly(env) {
        env.apply(CATALOG).await;
        let here = env.replica().await;
        let (ahead, clock) = env.replica_apart(2).await;
        let token = ahead.issued("reader", READER, "").await;
        assert!(here.is_active(&token).await);
        clock.set_by(1);
        let too_far = ahead.issued("reader", READER, "").await;
        assert!(!here.is_active(&too_far).await);
        let life = decoded(&token).1["exp"].as_i64().unwrap() - START;
        env.clock.advance(Seconds::new(u32::try_from(life).unwrap() - 1));
        here.follow().await;
        assert!(here.is_active(&token).await);
        env.clock.advance(Seconds::new(1));
        assert!(!here.is_active(&token).await);
    }
}
