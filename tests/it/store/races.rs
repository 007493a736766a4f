//! Loads that a change overtakes, on Postgres: a lock on one table holds a load between two of its statements.
//! The same on SQLite stands beside the directory, where a load can be held by hand.

use std::sync::Arc;

use grantd::crypto::random;
use grantd::domain::client::{Client, ClientStatus};
use grantd::store::DatabaseOptions;

use super::env::{Held, Sql, impatient};
use crate::harness::*;

async fn prepared() -> (Env, Sql) {
    let env = Env::new(Database::postgres().await).await;
    env.apply(CATALOG).await;
    let sql = Sql::of(&env.database).await;
    (env, sql)
}

/// The client `reader`, disabled.
async fn disabled(env: &Env) -> Client {
    let clients = env.store.all_clients().await.unwrap();
    let known = clients
        .into_iter()
        .find(|known| known.client.id.as_str() == "reader")
        .unwrap();
    Client {
        status: ClientStatus::Disabled,
        ..known.client
    }
}

/// Writes a client and reads no other table than `clients`.
async fn write(env: &Env, client: &Client) {
    let mut change = env.store.begin_change(random::token_id()).await.unwrap();
    change.put_client(client).await.unwrap();
    change.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_a_change_overtakes_is_not_remembered() {
    let (env, sql) = prepared().await;
    let replica = Arc::new(env.replica().await);
    let disabled = disabled(&env).await;
    let held = sql.hold_readers("credentials").await;
    let overtaken = tokio::spawn({
        let replica = Arc::clone(&replica);
        async move { replica.token("reader", READER, "").await }
    });
    sql.until_waiting("credentials", 1).await;
    write(&env, &disabled).await;
    replica.follow().await;
    held.release().await;
    overtaken.await.unwrap().assert_error(401, "invalid_client");
    replica
        .token("reader", READER, "")
        .await
        .assert_error(401, "invalid_client");
}

/// One state permits `read` under the name of tenant `old`, the next `write` under `new`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_and_its_policies_are_of_one_moment() {
    let (env, sql) = prepared().await;
    sql.run("UPDATE clients SET tenant = 'old'; UPDATE policies SET default_scopes = '[\"read\"]'")
        .await;
    let replica = Arc::new(env.replica().await);
    let held = sql.hold_readers("policies").await;
    let request = tokio::spawn({
        let replica = Arc::clone(&replica);
        async move { replica.issued("reader", READER, "").await }
    });
    sql.until_waiting("policies", 1).await;
    let Held::Postgres(mut tx) = held else {
        unreachable!()
    };
    for change in [
        "UPDATE clients SET tenant = 'new'",
        "UPDATE policies SET default_scopes = '[\"write\"]'",
        "UPDATE feed_head SET n = n + 1",
        "INSERT INTO changes SELECT n, 'client', 'reader', 'random', 0 FROM feed_head",
    ] {
        sqlx::query(change).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    let (_, claims) = decoded(&request.await.unwrap());
    let pair = (
        claims["tenant"].as_str().unwrap(),
        claims["scope"].as_str().unwrap(),
    );
    assert!(
        [("old", "read"), ("new", "write")].contains(&pair),
        "{pair:?}"
    );
    replica.follow().await;
    let (_, claims) = decoded(&replica.issued("reader", READER, "").await);
    assert_eq!(
        (&claims["tenant"], &claims["scope"]),
        (&"new".into(), &"write".into())
    );
}

/// However many clients must be loaded at once, some connections are left to whoever follows the feed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_that_hang_do_not_keep_the_feed_from_being_read() {
    let (env, sql) = prepared().await;
    let database = DatabaseOptions {
        max_connections: 4,
        ..impatient(&env)
    };
    let replica = Arc::new(env.replica_over(database, |_| {}));
    replica.follow().await;
    let held = sql.hold_readers("clients").await;
    let flood: Vec<_> = (0..20)
        .map(|_| {
            let replica = Arc::clone(&replica);
            tokio::spawn(async move { replica.token("reader", READER, "").await })
        })
        .collect();
    sql.until_waiting("clients", 2).await;
    for _ in 0..3 {
        replica.follow().await;
    }
    held.release().await;
    for answer in flood {
        let status = answer.await.unwrap().status.as_u16();
        assert!([200, 503].contains(&status), "{status}");
    }
    write(&env, &disabled(&env).await).await;
    replica.follow().await;
    replica
        .token("reader", READER, "")
        .await
        .assert_error(401, "invalid_client");
}
