//! The one of several hosts that can write, and sessions that cannot.

use std::sync::Arc;

use grantd::store::error::StoreError;
use grantd::store::{DatabaseOptions, Store};
use sqlx::AssertSqlSafe;

use super::env::{assert_unavailable, impatient};
use super::outage::{behind, until_back, upstream};
use crate::chaos_proxy::{ChaosProxy, Mode};
use crate::cluster::Cluster;
use crate::harness::*;

async fn prepared() -> Env {
    let env = Env::new(Database::postgres().await).await;
    env.apply(CATALOG).await;
    env
}

/// The database of `env` behind both proxies.
fn behind_both(env: &Env, first: &ChaosProxy, second: &ChaosProxy) -> DatabaseOptions {
    let mut options = behind(env, first);
    let (one, both) = (
        format!(":{}/", first.port),
        format!(":{},127.0.0.1:{}/", first.port, second.port),
    );
    options.url = options.url.replace(&one, &both);
    options
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_cannot_write_is_an_outage_with_its_name() {
    let env = prepared().await;
    let mut options = impatient(&env);
    options.url += "%20-c%20default_transaction_read_only%3Don";
    let replica = env.replica_over(options, |_| {});
    let error = replica.grantd.follow_feed().await.unwrap_err();
    let place = upstream(&env);
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error}");
    assert_eq!(
        error.to_string(),
        format!("the database postgres at {place} is read-only: a standby or a demoted primary")
    );
    assert_unavailable(&replica.token("reader", READER, "").await);
}

/// A pool keeps sessions, and what a session may do can change meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_transaction_sees_that_its_session_can_no_longer_write() {
    let env = prepared().await;
    // A function in the search path that comes before Postgres' own tells what a demotion would.
    let mut options = DatabaseOptions {
        max_connections: 1,
        ..impatient(&env)
    };
    options.url += ",pg_catalog";
    let (_, schema) = env.database.url.split_once("search_path%3D").unwrap();
    let replica = env.replica_over(options, |_| {});
    replica.follow().await;
    assert_eq!(replica.token("reader", READER, "").await.status, 200);
    let demoted =
        "CREATE FUNCTION pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'";
    env.database.execute(demoted).await;
    let error = replica.grantd.follow_feed().await.unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error}");
    env.database
        .execute(&format!("DROP FUNCTION {schema}.pg_is_in_recovery()"))
        .await;
    replica.follow().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_hosts_another_is_used_when_one_is_gone() {
    let env = prepared().await;
    let mut first = ChaosProxy::refusing(upstream(&env));
    let second = ChaosProxy::passing(upstream(&env));
    let replica = env.replica_over(behind_both(&env, &first, &second), |_| {});
    until_back(&replica).await;
    assert_eq!(replica.token("reader", READER, "").await.status, 200);

    second.set(Mode::Cut);
    replica.grantd.follow_feed().await.unwrap_err();
    let error = replica.grantd.follow_feed().await.unwrap_err().to_string();
    for port in [first.port, second.port] {
        let named = format!("the database postgres at 127.0.0.1:{port} is out of reach");
        assert!(error.contains(&named), "{error}");
    }
    first.listen();
    until_back(&replica).await;
    let token = replica.issued("reader", READER, "").await;
    assert_eq!(replica.revoke("reader", READER, &token).await.status, 200);
}

/// A host that swallows everything costs its share of the wait, not all of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_host_does_not_hide_the_one_behind_it() {
    let env = prepared().await;
    let silent = ChaosProxy::passing(upstream(&env));
    silent.set(Mode::Blackhole);
    let good = ChaosProxy::passing(upstream(&env));
    let replica = env.replica_over(behind_both(&env, &silent, &good), |_| {});
    until_back(&replica).await;
    assert_eq!(replica.token("reader", READER, "").await.status, 200);
}

#[test]
fn a_url_that_asks_for_another_kind_of_session_is_refused() {
    for attribute in ["any", "standby", "prefer-standby", "read-only"] {
        let url = format!("postgres://a,b/db?target_session_attrs={attribute}");
        let error = Store::open(DatabaseOptions::new(url))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("target_session_attrs must be read-write, primary"),
            "{error}"
        );
    }
}

/// After a failover sessions to the old primary stay open where nothing cuts them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_BIN, the folder of a Postgres server's binaries; ./check sets it"]
async fn a_demoted_primary_is_left_for_the_new_one() {
    let old = Cluster::new("");
    let standby = Cluster::standby_of(&old);
    let url = format!(
        "postgres://grantd@127.0.0.1:{},127.0.0.1:{}/postgres?target_session_attrs=read-write",
        standby.port, old.port
    );
    let env = Env::new(Database::at(url)).await;
    env.apply(CATALOG).await;
    let replica = Arc::new(env.replica().await);
    assert_eq!(replica.token("reader", READER, "").await.status, 200);

    let admin = sqlx::PgPool::connect(&old.url()).await.unwrap();
    let written = sqlx::query_scalar("SELECT pg_current_wal_lsn()::text");
    let written: String = written.fetch_one(&admin).await.unwrap();
    let replica_of_old = sqlx::PgPool::connect(&standby.url()).await.unwrap();
    super::env::eventually("the standby has all", async || {
        let wal = sqlx::query_scalar::<_, String>(AssertSqlSafe(format!(
            "SELECT (pg_last_wal_replay_lsn() >= '{written}')::text"
        )));
        wal.fetch_one(&replica_of_old).await.unwrap() == "true"
    })
    .await;
    for statement in [
        "ALTER SYSTEM SET default_transaction_read_only = on",
        "SELECT pg_reload_conf()",
    ] {
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&admin)
            .await
            .unwrap();
    }
    standby.promote();
    super::env::eventually("the feed's reader sees it", async || {
        replica.grantd.follow_feed().await.is_err_and(|error| {
            matches!(error, StoreError::ReadOnly(_))
                && error.to_string().contains(&old.port.to_string())
        })
    })
    .await;
    // The sessions of the administrator are of the old one, too.
    env.store.feed_position().await.unwrap_err();
    env.apply(&CATALOG.replace("id = \"reader\"", "id = \"reader\"\nstatus = \"disabled\""))
        .await;
    until_back(&replica).await;
    replica
        .token("reader", READER, "")
        .await
        .assert_error(401, "invalid_client");
}
