//! Requests in flight while the clock is moved: each gets an answer, and none of them a fault of ours.

use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::json;

use super::*;
use crate::assertion::signer::{self, Key};

const TASKS: usize = 6;
const REQUESTS: usize = 60;

const MOVES: [&str; 12] = [
    r#"{"advance":"61m"}"#,
    r#"{"freeze":true}"#,
    r#"{"advance":"31d"}"#,
    r#"{"set":"2019-12-31T23:59:59Z"}"#,
    r#"{"freeze":false}"#,
    r#"{"advance":"1s"}"#,
    r#"{"reset":true}"#,
    r#"{"set":"2030-06-01T00:00:00Z"}"#,
    r#"{"advance":"65d"}"#,
    r#"{"set":"2026-01-01T00:00:00Z"}"#,
    r#"{"freeze":true}"#,
    r#"{"reset":true}"#,
];

on_both! {
    async fn no_request_meets_a_fault_of_ours_while_the_clock_moves(env) {
        let key = Arc::new(Key::new(SigningAlgorithm::Es256));
        let lab = Arc::new(Lab::new(env, &signer::catalog(&[&key], "")).await);
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            let (lab, key) = (Arc::clone(&lab), Arc::clone(&key));
            tasks.spawn(async move {
                for number in 0..REQUESTS {
                    let answer = lab.replica.token("reader", READER, "").await;
                    assert_eq!(answer.status, 200, "{answer:?}");
                    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
                    let answer = lab.replica.introspect("api", API, &token).await;
                    assert_eq!(answer.status, 200, "{answer:?}");
                    let now = START + lab.after();
                    let mut claims = signer::claims("worker", &format!("{task}-{number}"));
                    claims["iat"] = json!(now);
                    claims["exp"] = json!(now + 60);
                    // Its time may have passed already.
                    let answer = signer::token(&lab.replica, &key.sign(&claims)).await;
                    assert!([200, 401].contains(&answer.status.as_u16()), "{answer:?}");
                    let answer = lab.replica.revoke("reader", READER, &token).await;
                    assert_eq!(answer.status, 200, "{answer:?}");
                    assert_eq!(lab.replica.get("/oauth2/jwks").await.status, 200);
                }
            });
        }
        let mut rounds = 0;
        while !tasks.is_empty() {
            lab.put_clock(MOVES[rounds % MOVES.len()]).await;
            rounds += 1;
            while let Some(done) = tasks.try_join_next() {
                done.unwrap();
            }
        }
        assert!(rounds > 3, "{rounds}");
    }

    async fn moves_at_once_take_turns(env) {
        let lab = Arc::new(Lab::new(env, CATALOG).await);
        let moves = (0..20).map(|_| {
            let lab = Arc::clone(&lab);
            tokio::spawn(async move { lab.advance("1h").await })
        });
        for done in moves.collect::<Vec<_>>() {
            done.await.unwrap();
        }
        assert_eq!(lab.after(), 20 * 3600);
    }
}
