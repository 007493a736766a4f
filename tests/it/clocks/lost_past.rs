//! A failover to a standby that lagged, or a restore: what was made before counts no more, because nobody knows
//! whether it was used.

use std::sync::Arc;

use grantd::crypto::random;
use grantd::domain::timestamp::{Seconds, Timestamp};
use grantd::store::revoked_tokens::RevokedToken;
use serde_json::{Value, json};

use crate::assertion::signer::{Key, assert_refused, claims, token, worker};
use crate::captured_log::watch;
use crate::dpop::Prover;
use crate::harness::*;
use crate::store::env::Sql;

/// Takes the last change and all uses back, as a standby that lagged would.
async fn fail_over(env: &Env) {
    Sql::of(&env.database)
        .await
        .run(
            "DELETE FROM used_assertions;
             DELETE FROM changes WHERE n = (SELECT n FROM feed_head);
             UPDATE feed_head SET n = n - 1",
        )
        .await;
}

/// Claims of `worker` made `after` the start, without `iat` where it says so.
fn made(jti: &str, after: i64, with_iat: bool) -> Value {
    let mut made = claims("worker", jti);
    made["iat"] = json!(START + after);
    made["exp"] = json!(START + after + 60);
    if !with_iat {
        made.as_object_mut().unwrap().remove("iat");
    }
    made
}

async fn assert_forgotten_before(replica: &Replica, key: &Key, after: i64) {
    let id = random::token_id();
    let old = key.sign(&made(&id, after - 1, true));
    assert_refused(replica, std::slice::from_ref(&old)).await;
    let new = key.sign(&made(&id, after, true));
    assert_eq!(token(replica, &new).await.status, 200);
}

on_both! {
    async fn a_spent_assertion_is_refused_after_a_failover(env) {
        let (here, key) = worker(&env).await;
        let there = env.replica().await;
        let assertion = key.sign(&claims("worker", "1"));
        assert_eq!(token(&here, &assertion).await.status, 200);
        env.apply(&CATALOG.replace("id = \"api\"", "id = \"api\"\nname = \"after the standby\"")).await;
        for replica in [&here, &there] {
            replica.follow().await;
        }
        fail_over(&env).await;
        env.clock.advance(Seconds::new(20));
        there.follow().await;
        assert_refused(&there, std::slice::from_ref(&assertion)).await;
        assert_forgotten_before(&there, &key, 20).await;
        // One that starts now never knew the past, and one that hears of it later hears of it as it was.
        env.clock.advance(Seconds::new(5));
        let late = env.replica().await;
        assert_refused(&late, std::slice::from_ref(&assertion)).await;
        assert_forgotten_before(&late, &key, 20).await;
        here.follow().await;
        assert_forgotten_before(&here, &key, 25).await;
    }

    /// Uses are spent far more often than anything changes: what is lost may be no change at all.
    async fn uses_that_are_lost_are_noticed_although_the_feed_goes_on(env) {
        let (here, key) = worker(&env).await;
        let there = env.replica().await;
        let assertion = key.sign(&claims("worker", "1"));
        assert_eq!(token(&here, &assertion).await.status, 200);
        Sql::of(&env.database).await.run("DELETE FROM used_assertions").await;
        env.clock.advance(Seconds::new(20));
        for replica in [&here, &there] {
            replica.follow().await;
        }
        assert_refused(&there, std::slice::from_ref(&assertion)).await;
        assert_forgotten_before(&there, &key, 20).await;
        // It is one loss, not one at each reading.
        env.clock.advance(Seconds::new(5));
        for replica in [&here, &there] {
            replica.follow().await;
            assert_forgotten_before(replica, &key, 20).await;
        }
    }

    /// Without `iat` it may have been made as long before its end as the client's assertions may live at most.
    async fn an_assertion_without_iat_is_dated_by_its_end(env) {
        let (replica, key) = worker(&env).await;
        env.store.mark_past_lost(Timestamp::from_unix(START)).await.unwrap();
        replica.follow().await;
        let ending = |after: i64| {
            let mut ending = made(&random::token_id(), 0, false);
            ending["exp"] = json!(START + after);
            key.sign(&ending)
        };
        assert_refused(&replica, &[ending(60), ending(300)]).await;
        assert_eq!(token(&replica, &ending(301)).await.status, 200);
    }

    async fn a_proof_of_possession_from_before_a_loss_is_refused(env) {
        env.apply(CATALOG).await;
        let (here, there) = (env.replica().await, env.replica().await);
        let prover = Prover::new();
        let proof = prover.right();
        assert_eq!(here.prove(&[&proof], "").await.status, 200);
        Sql::of(&env.database).await.run("DELETE FROM used_assertions").await;
        env.clock.advance(Seconds::new(3));
        for replica in [&here, &there] {
            replica.follow().await;
        }
        there.prove(&[&proof], "").await.assert_error(400, "invalid_dpop_proof");
        let new = prover.proof(&json!({ "iat": START + 3 }));
        assert_eq!(there.prove(&[&new], "").await.status, 200);
    }

    async fn neither_a_huge_change_nor_a_sweep_nor_a_first_start_is_a_loss(env) {
        let (replica, key) = worker(&env).await;
        let before = |jti: &str| key.sign(&claims("worker", jti));
        assert_eq!(token(&replica, &before("1")).await.status, 200);
        let expires_at = Timestamp::from_unix(START + 60);
        let tokens: Vec<_> =
            (0..10_001).map(|_| RevokedToken { jti: random::token_id(), expires_at }).collect();
        let mut change = env.store.begin_change(random::token_id()).await.unwrap();
        change.revoke_tokens(&tokens).await.unwrap();
        change.commit().await.unwrap();
        env.clock.advance(Seconds::new(10));
        replica.follow().await;
        for replica in [&replica, &env.replica().await] {
            assert_eq!(token(replica, &before(&random::token_id())).await.status, 200);
        }
        env.clock.advance(Seconds::new(671));
        replica.follow().await;
        replica.grantd.sweep().await;
        replica.follow().await;
        let earlier = key.sign(&made("2", 660, true));
        assert_eq!(token(&replica, &earlier).await.status, 200);
    }
}

/// The operator hears what happened and until when assertions are refused; the client's owner what to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loss_and_its_refusals_are_explained() {
    let env = Env::new(Database::sqlite()).await;
    let (replica, key) = worker(&env).await;
    assert_eq!(
        token(&replica, &key.sign(&claims("worker", "1")))
            .await
            .status,
        200
    );
    Sql::of(&env.database)
        .await
        .run("DELETE FROM used_assertions")
        .await;
    env.clock.advance(Seconds::new(41));
    let (loss, refusal) = (
        watch("2026-01-01T00:00:41Z are refused"),
        watch("make a new assertion, with iat"),
    );
    for _ in 0..2 {
        replica.follow().await;
    }
    assert_eq!(loss.lines().len(), 1, "{:?}", loss.lines());
    assert_refused(&replica, &[key.sign(&claims("worker", "2"))]).await;
    assert_eq!(refusal.lines().len(), 1, "{:?}", refusal.lines());
}

/// What a request waits to spend while the past is lost counts no more, either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_that_waits_through_the_loss_is_refused() {
    let env = Env::new(Database::postgres().await).await;
    let (replica, key) = worker(&env).await;
    let replica = Arc::new(replica);
    let sql = Sql::of(&env.database).await;
    let held = sql.hold_spending().await;
    let asking = tokio::spawn({
        let (replica, assertion) = (Arc::clone(&replica), key.sign(&claims("worker", "1")));
        async move { token(&replica, &assertion).await }
    });
    sql.until_waiting("used_assertions", 1).await;
    env.store
        .mark_past_lost(Timestamp::from_unix(START + 1))
        .await
        .unwrap();
    replica.follow().await;
    held.release().await;
    asking.await.unwrap().assert_error(401, "invalid_client");
}
