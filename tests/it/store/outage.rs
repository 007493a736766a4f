//! Postgres that is down, cut off, silent, and back again (6749-34, 7009-08, B-T04).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use grantd::domain::timestamp::Seconds;
use grantd::store::DatabaseOptions;

use super::env::{Sql, assert_unavailable, eventually, impatient};
use crate::chaos_proxy::{ChaosProxy, Mode};
use crate::harness::*;

/// Paths that must answer once they were loaded, whatever the database does.
const PUBLISHED: [&str; 4] = [
    "/oauth2/jwks",
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
];

async fn prepared() -> Env {
    let env = Env::new(Database::postgres().await).await;
    env.apply(CATALOG).await;
    env
}

/// The address of the tests' Postgres.
pub(crate) fn upstream(env: &Env) -> SocketAddr {
    let (_, address) = env.database.url.split_once('@').unwrap();
    address
        .split_once('/')
        .unwrap()
        .0
        .replace("localhost", "127.0.0.1")
        .parse()
        .unwrap()
}

/// The database of `env` behind `proxy`, with short waits.
pub(crate) fn behind(env: &Env, proxy: &ChaosProxy) -> DatabaseOptions {
    let direct = format!("@{}", upstream(env));
    let database = impatient(env);
    let url = database.url.replace("localhost", "127.0.0.1");
    let url = url.replace(&direct, &format!("@127.0.0.1:{}", proxy.port));
    // Long enough for a test to see who waits.
    DatabaseOptions {
        url,
        lock_timeout: Duration::from_secs(1),
        ..database
    }
}

/// Follows the feed until it can be read.
pub(crate) async fn until_back(replica: &Replica) {
    eventually("the feed is read", async || {
        replica.grantd.follow_feed().await.is_ok()
    })
    .await;
}

async fn assert_published(replica: &Replica) {
    for path in PUBLISHED {
        let answer = replica.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
}

async fn assert_works(replica: &Replica) {
    let token = replica.issued("reader", READER, "").await;
    assert_eq!(
        replica.introspect("api", API, &token).await.json()["active"],
        true
    );
    assert_eq!(replica.revoke("reader", READER, &token).await.status, 200);
    assert_eq!(
        replica.introspect("api", API, &token).await.json()["active"],
        false
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn started_without_a_database_everything_is_503_until_it_is_there() {
    let env = prepared().await;
    let mut proxy = ChaosProxy::refusing(upstream(&env));
    let replica = env.replica_over(behind(&env, &proxy), |_| {});
    let error = replica.grantd.follow_feed().await.unwrap_err();
    let named = format!(
        "the database postgres at 127.0.0.1:{} is out of reach: ",
        proxy.port
    );
    assert!(error.to_string().starts_with(&named), "{error}");
    assert!(error.to_string().contains("Connection refused"), "{error}");
    assert_unavailable(&replica.token("reader", READER, "").await);
    assert_unavailable(&replica.introspect("api", API, "x").await);
    assert_unavailable(&replica.revoke("reader", READER, "x").await);
    for path in PUBLISHED {
        assert_unavailable(&replica.get(path).await);
    }
    proxy.listen();
    until_back(&replica).await;
    assert_published(&replica).await;
    assert_works(&replica).await;
}

/// A load, a revocation and a reading of the feed are cut while the database works on them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_cut_in_the_middle_is_503_and_works_again_afterwards() {
    let env = prepared().await;
    let sql = Sql::of(&env.database).await;
    let proxy = ChaosProxy::passing(upstream(&env));
    let replica = Arc::new(env.replica_over(behind(&env, &proxy), |_| {}));
    until_back(&replica).await;
    let token = replica.issued("reader", READER, "").await;

    let held = [
        sql.hold_readers("revoked_tokens").await,
        sql.hold_readers("changes").await,
    ];
    let run = |what: &'static str| {
        let (replica, token) = (Arc::clone(&replica), token.clone());
        tokio::spawn(async move {
            match what {
                "load" => Some(replica.introspect("api", API, &token).await),
                "revocation" => Some(replica.revoke("reader", READER, &token).await),
                _ => {
                    replica.grantd.follow_feed().await.unwrap_err();
                    None
                }
            }
        })
    };
    let cut = [run("load"), run("revocation"), run("reading")];
    sql.until_waiting("revoked_tokens", 1).await;
    sql.until_waiting("changes", 2).await;
    proxy.set(Mode::Cut);
    for answer in cut {
        if let Some(answer) = answer.await.unwrap() {
            assert_unavailable(&answer);
        }
    }
    assert_published(&replica).await;
    assert_eq!(replica.token("reader", READER, "").await.status, 200);
    for held in held {
        held.release().await;
    }
    proxy.set(Mode::Pass);
    until_back(&replica).await;
    assert_eq!(
        replica.introspect("api", API, &token).await.json()["active"],
        true
    );
    assert_works(&replica).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_drops_packets_is_503_where_it_is_needed_and_comes_back() {
    let env = prepared().await;
    let sql = Sql::of(&env.database).await;
    let proxy = ChaosProxy::passing(upstream(&env));
    let replica = Arc::new(env.replica_over(behind(&env, &proxy), |_| {}));
    until_back(&replica).await;
    let token = replica.issued("reader", READER, "").await;

    // One revocation is in the middle of its transaction, another has not begun.
    let held = sql.hold_readers("revoked_tokens").await;
    let begun = tokio::spawn({
        let (replica, token) = (Arc::clone(&replica), token.clone());
        async move { replica.revoke("reader", READER, &token).await }
    });
    sql.until_waiting("revoked_tokens", 1).await;
    proxy.set(Mode::Blackhole);
    let (load, revocation, reading) = tokio::join!(
        replica.introspect("api", API, &token),
        replica.revoke("reader", READER, &token),
        replica.grantd.follow_feed(),
    );
    assert_unavailable(&load);
    assert_unavailable(&begun.await.unwrap());
    assert_unavailable(&revocation);
    reading.unwrap_err();
    held.release().await;
    assert_published(&replica).await;
    assert_eq!(replica.token("reader", READER, "").await.status, 200);

    proxy.set(Mode::Pass);
    until_back(&replica).await;
    assert_works(&replica).await;
    assert_eq!(replica.revoke("reader", READER, &token).await.status, 200);
    assert_eq!(
        replica.introspect("api", API, &token).await.json()["active"],
        false
    );
}

/// What is remembered is trusted for `max_staleness` and no longer; keys and metadata always are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_max_staleness_nothing_is_issued_introspected_or_revoked() {
    let env = prepared().await;
    let proxy = ChaosProxy::passing(upstream(&env));
    let replica = env.replica_over(behind(&env, &proxy), |_| {});
    until_back(&replica).await;
    replica.follow().await;
    let token = replica.issued("reader", READER, "").await;
    assert_eq!(
        replica.introspect("api", API, &token).await.json()["active"],
        true
    );

    proxy.set(Mode::Cut);
    env.clock.advance(Seconds::new(30));
    replica.grantd.follow_feed().await.unwrap_err();
    assert_eq!(replica.token("reader", READER, "").await.status, 200);
    assert_eq!(
        replica.introspect("api", API, &token).await.json()["active"],
        true
    );
    env.clock.advance(Seconds::new(1));
    assert!(!replica.grantd.is_fresh());
    assert_unavailable(&replica.token("reader", READER, "").await);
    assert_unavailable(&replica.introspect("api", API, &token).await);
    assert_unavailable(&replica.revoke("reader", READER, &token).await);
    assert_published(&replica).await;

    // The database answers again, but what this replica remembers is as old as before until it reads the feed.
    proxy.set(Mode::Pass);
    assert_unavailable(&replica.token("reader", READER, "").await);
    until_back(&replica).await;
    assert!(replica.grantd.is_fresh());
    assert_works(&replica).await;
}

/// A change that commits while the replica is cut off holds as soon as it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_during_the_outage_is_not_missed() {
    let env = prepared().await;
    let proxy = ChaosProxy::passing(upstream(&env));
    let replica = env.replica_over(behind(&env, &proxy), |_| {});
    until_back(&replica).await;
    assert_eq!(replica.token("reader", READER, "").await.status, 200);
    proxy.set(Mode::Cut);
    replica.grantd.follow_feed().await.unwrap_err();
    env.apply(&CATALOG.replace("id = \"reader\"", "id = \"reader\"\nstatus = \"disabled\""))
        .await;
    proxy.set(Mode::Pass);
    until_back(&replica).await;
    replica
        .token("reader", READER, "")
        .await
        .assert_error(401, "invalid_client");
}

/// The revocations are loaded in the background; until they are, the database is asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_revoked_while_a_replica_starts_is_inactive_there() {
    let env = prepared().await;
    let sql = Sql::of(&env.database).await;
    let first = env.replica().await;
    let token = first.issued("reader", READER, "").await;
    let other = first.issued("reader", READER, "").await;
    assert_eq!(first.revoke("reader", READER, &token).await.status, 200);
    let starting = env.unloaded_replica(|_| {});
    // The load of all revocations is held; `FOR UPDATE` is not what a reader waits for, a table lock is.
    let held = sql.hold_readers("revoked_tokens").await;
    starting.grantd.follow_feed().await.unwrap();
    assert!(!starting.grantd.revocations().is_loaded());
    held.release().await;
    assert_eq!(
        starting.introspect("api", API, &token).await.json()["active"],
        false
    );
    assert_eq!(
        starting.introspect("api", API, &other).await.json()["active"],
        true
    );
}
