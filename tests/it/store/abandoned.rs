//! Callers that go away: what they began is either done or leaves nothing behind.

use std::sync::Arc;
use std::time::Duration;

use grantd::domain::identifier::ClientId;
use grantd::store::DatabaseOptions;
use grantd::store::feed::{Change, ChangeKind};

use super::env::{Sql, eventually, impatient};
use super::outage::{behind, until_back, upstream};
use crate::chaos_proxy::{ChaosProxy, Mode};
use crate::harness::*;

on_both! {
    /// B-T04: the transaction is not the caller's.
    async fn a_caller_who_goes_away_does_not_cancel_its_revocation(env) {
        env.apply(CATALOG).await;
        let (replica, other) = (env.replica().await, env.replica().await);
        let token = replica.issued("reader", READER, "").await;
        let held = Sql::of(&env.database).await.hold_writers().await;
        let revoking = replica.revoke("reader", READER, &token);
        let gone = tokio::time::timeout(Duration::ZERO, revoking).await;
        assert!(gone.is_err(), "it waits for the writer that is held: {gone:?}");
        held.release().await;
        eventually("it is revoked all the same", async || {
            other.follow().await;
            other.introspect("api", API, &token).await.json()["active"] == false
        })
        .await;
    }

    async fn a_load_whose_caller_goes_away_at_any_point_leaves_a_working_pool(env) {
        env.apply(CATALOG).await;
        let database = DatabaseOptions { max_connections: 1, ..impatient(&env) };
        let replica = env.replica_over(database, |_| {});
        replica.follow().await;
        let reader = ClientId::parse("reader").unwrap();
        let of_reader = Change { kind: ChangeKind::Client, key: reader.to_string() };
        for steps in 0..60 {
            replica.grantd.directory().forget(0, std::slice::from_ref(&of_reader));
            let mut load = Box::pin(replica.grantd.directory().client(&reader));
            for _ in 0..steps {
                if tokio::time::timeout(Duration::ZERO, &mut load).await.is_ok() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        replica.follow().await;
        assert_eq!(replica.token("reader", READER, "").await.status, 200);
    }
}

/// A pool waits for the rest of an answer that nobody wants any more; not for ever, where it never comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_go_away_while_packets_are_dropped_leave_no_connection_hanging() {
    let env = Env::new(Database::postgres().await).await;
    env.apply(CATALOG).await;
    let sql = Sql::of(&env.database).await;
    let proxy = ChaosProxy::passing(upstream(&env));
    let database = DatabaseOptions {
        max_connections: 1,
        ..behind(&env, &proxy)
    };
    let replica = Arc::new(env.replica_over(database, |_| {}));
    until_back(&replica).await;
    let held = sql.hold_readers("credentials").await;
    let gone = tokio::spawn({
        let replica = Arc::clone(&replica);
        async move { replica.token("reader", READER, "").await }
    });
    sql.until_waiting("credentials", 1).await;
    proxy.set(Mode::Blackhole);
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    held.release().await;
    proxy.set(Mode::Pass);
    until_back(&replica).await;
    assert_eq!(replica.token("reader", READER, "").await.status, 200);
}
