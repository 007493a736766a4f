//! Several writers at once: nothing is missed, and who waits too long is told so.

use std::sync::Arc;

use grantd::crypto::random;
use grantd::domain::client::{Client, ClientStatus};
use grantd::domain::timestamp::Timestamp;
use grantd::store::change::ChangeTx;
use grantd::store::revoked_tokens::RevokedToken;

use super::env::{Sql, assert_unavailable, impatient};
use crate::harness::*;

/// A change that disables the client `id` and is not committed yet.
async fn disabling(env: &Env, id: &str) -> ChangeTx {
    let clients = env.store.all_clients().await.unwrap();
    let known = clients
        .into_iter()
        .find(|known| known.client.id.as_str() == id)
        .unwrap();
    let client = Client {
        status: ClientStatus::Disabled,
        ..known.client
    };
    let mut change = env.store.begin_change(random::token_id()).await.unwrap();
    change.put_client(&client).await.unwrap();
    change
}

/// Numbers are taken at the end and become visible in the order of commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_is_held_open_before_its_feed_update_is_not_missed_on_postgres() {
    let env = Env::new(Database::postgres().await).await;
    env.apply(CATALOG).await;
    let replica = env.replica().await;
    let token = replica.issued("reader", READER, "").await;
    assert_eq!(
        replica.introspect("api", API, &token).await.json()["active"],
        true
    );

    let slow = disabling(&env, "reader").await;
    let fast = disabling(&env, "api").await.commit().await.unwrap();
    replica.follow().await;
    replica
        .introspect("api", API, &token)
        .await
        .assert_error(401, "invalid_client");
    assert_eq!(replica.token("reader", READER, "").await.status, 200);

    let slow = slow.commit().await.unwrap();
    assert_eq!(slow.position.n, fast.position.n + 1);
    replica.follow().await;
    replica
        .token("reader", READER, "")
        .await
        .assert_error(401, "invalid_client");
}

/// While one writer holds the head of the feed, readers see neither its number nor a later one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_has_its_number_holds_later_ones_back_on_postgres() {
    let env = Env::new(Database::postgres().await).await;
    env.apply(CATALOG).await;
    let replica = env.replica().await;
    assert_eq!(replica.token("reader", READER, "").await.status, 200);
    let before = env.store.feed_position().await.unwrap();
    let Sql::Postgres(pool) = Sql::of(&env.database).await else {
        unreachable!()
    };
    let mut first = pool.begin().await.unwrap();
    for change in [
        "UPDATE clients SET status = 'disabled' WHERE client_id = 'reader'",
        "UPDATE feed_head SET n = n + 1",
        "INSERT INTO changes SELECT n, 'client', 'reader', 'first', 0 FROM feed_head",
    ] {
        sqlx::query(change).execute(&mut *first).await.unwrap();
    }
    let second = tokio::spawn(disabling(&env, "api").await.commit());
    Sql::Postgres(pool).until_waiting_for_row().await;
    assert_eq!(env.store.feed_position().await.unwrap(), before);
    replica.follow().await;
    first.commit().await.unwrap();
    let second = second.await.unwrap().unwrap();
    assert_eq!(second.position.n, before.n + 2);
    replica.follow().await;
    replica
        .token("reader", READER, "")
        .await
        .assert_error(401, "invalid_client");
    replica
        .introspect("api", API, "x")
        .await
        .assert_error(401, "invalid_client");
}

on_both! {
    /// 6749-34 7009-08: on SQLite the second writer waits for `busy_timeout`, on Postgres for `lock_timeout`.
    async fn a_writer_that_waits_too_long_is_503_and_nothing_is_lost(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_over(impatient(&env), |_| {});
        replica.follow().await;
        let token = replica.issued("reader", READER, "").await;
        let held = Sql::of(&env.database).await.hold_writers().await;
        assert_unavailable(&replica.revoke("reader", READER, &token).await);
        assert_eq!(replica.introspect("api", API, &token).await.json()["active"], true);
        assert_eq!(replica.token("reader", READER, "").await.status, 200);
        held.release().await;
        replica.follow().await;
        assert_eq!(replica.introspect("api", API, &token).await.json()["active"], true);
        assert_eq!(replica.revoke("reader", READER, &token).await.status, 200);
        assert_eq!(replica.introspect("api", API, &token).await.json()["active"], false);
    }

    async fn a_writer_that_does_not_wait_too_long_is_served(env) {
        env.apply(CATALOG).await;
        let replica = Arc::new(env.replica().await);
        let token = replica.issued("reader", READER, "").await;
        let held = Sql::of(&env.database).await.hold_writers().await;
        let mut revoking = Box::pin(replica.revoke("reader", READER, &token));
        let waits = tokio::time::timeout(std::time::Duration::ZERO, &mut revoking).await;
        assert!(waits.is_err(), "{waits:?}");
        held.release().await;
        assert_eq!(revoking.await.status, 200);
        assert_eq!(replica.introspect("api", API, &token).await.json()["active"], false);
    }

    async fn concurrent_revocations_hold_each_and_share_transactions(env) {
        env.apply(CATALOG).await;
        let replica = Arc::new(env.replica().await);
        let mut tokens = Vec::new();
        for _ in 0..20 {
            tokens.push(replica.issued("reader", READER, "").await);
        }
        let before = env.store.feed_position().await.unwrap().n;
        let revoking: Vec<_> = tokens
            .iter()
            .cloned()
            .map(|token| {
                let replica = Arc::clone(&replica);
                tokio::spawn(async move { replica.revoke("reader", READER, &token).await.status })
            })
            .collect();
        for status in revoking {
            assert_eq!(status.await.unwrap(), 200);
        }
        for token in &tokens {
            assert_eq!(replica.introspect("api", API, token).await.json()["active"], false);
        }
        let transactions = env.store.feed_position().await.unwrap().n - before;
        assert!((1..=20).contains(&transactions), "{transactions}");
    }
}

/// Two replicas that revoke the same tokens in another order wait for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_revoke_the_same_tokens_never_lock_each_other_out_on_postgres() {
    let env = Env::new(Database::postgres().await).await;
    let expires_at = Timestamp::from_unix(START + 60);
    let mut tokens: Vec<_> = (0..200)
        .map(|n| RevokedToken {
            jti: format!("{n:03}"),
            expires_at,
        })
        .collect();
    for round in 0..5 {
        let orders = [tokens.clone(), tokens.iter().rev().cloned().collect()];
        let writers = orders.map(|tokens| {
            let store = Arc::clone(&env.store);
            tokio::spawn(async move {
                let mut change = store.begin_change(random::token_id()).await?;
                change.revoke_tokens(&tokens).await?;
                change.commit().await
            })
        });
        for writer in writers {
            writer.await.unwrap().unwrap();
        }
        for token in &mut tokens {
            token.jti.push_str(&round.to_string());
        }
    }
}
