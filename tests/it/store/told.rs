//! What the operator is told: that the database is gone, why, and that it is back.

use std::sync::Arc;
use std::time::Duration;

use grantd::domain::timestamp::Timestamp;
use grantd::operations::replay_cache::Spending;
use grantd::operations::troubles::{Degraded, Trouble};
use grantd::store::DatabaseOptions;

use super::env::{assert_unavailable, eventually};
use super::outage::{behind, upstream};
use crate::captured_log::watch;
use crate::chaos_proxy::{ChaosProxy, Mode};
use crate::harness::*;

fn trouble(replica: &Replica) -> Option<Degraded> {
    replica
        .grantd
        .degraded()
        .into_iter()
        .find(|it| it.what == Trouble::Database)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_gone_and_back_is_told_in_a_pair_while_warm_clients_are_served() {
    let env = Env::new(Database::postgres().await).await;
    env.apply(CATALOG).await;
    let proxy = ChaosProxy::passing(upstream(&env));
    let place = format!("postgres at 127.0.0.1:{}", proxy.port);
    let log = watch(&place);
    let replica = env.replica_over(behind(&env, &proxy), |_| {});
    replica.follow().await;
    assert_eq!(replica.token("reader", READER, "").await.status, 200);
    let feed = Arc::clone(replica.grantd.feed());
    let following = tokio::spawn(feed.keep_following(Duration::from_millis(10)));
    for _ in 0..2 {
        proxy.set(Mode::Cut);
        eventually("it is told", async || trouble(&replica).is_some()).await;
        let told = trouble(&replica).unwrap();
        assert!(!told.blocks, "{told:?}");
        assert!(
            told.message
                .starts_with(&format!("the database {place} is out of reach")),
            "{told:?}"
        );
        assert_eq!(replica.token("reader", READER, "").await.status, 200);
        proxy.set(Mode::Pass);
        eventually("it is back", async || trouble(&replica).is_none()).await;
    }
    following.abort();
    let lines = log.lines();
    let of = |level: &str| lines.iter().filter(|line| line.contains(level)).count();
    assert_eq!((of(" WARN "), of(" INFO ")), (2, 2), "{lines:?}");
}

/// A reading that hangs may hang for as long as a statement may take.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_swallows_everything_is_told_before_its_time_is_over() {
    let env = Env::new(Database::postgres().await).await;
    env.apply(CATALOG).await;
    let proxy = ChaosProxy::passing(upstream(&env));
    let patient = Duration::from_mins(10);
    let patient = DatabaseOptions {
        acquire_timeout: patient,
        statement_timeout: patient,
        ..behind(&env, &proxy)
    };
    let replica = env.replica_over(patient, |_| {});
    replica.follow().await;
    proxy.set(Mode::Blackhole);
    let feed = Arc::clone(replica.grantd.feed());
    let following = tokio::spawn(feed.keep_following(Duration::from_millis(10)));
    eventually("it is told", async || trouble(&replica).is_some()).await;
    let told = trouble(&replica).unwrap().message;
    assert!(told.ends_with("did not answer within 1.5s"), "{told}");
    following.abort();
}

on_both! {
    /// A table that is missing is no shutdown.
    async fn the_cause_of_an_outage_is_told(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        env.database.hide_table("used_assertions").await;
        let (made_at, dead_at) = (Timestamp::from_unix(START), Timestamp::from_unix(START + 60));
        let spending =
            Spending { kind: "assertion", scope: &[b"worker"], jti: "1", made_at, dead_at };
        let outage = replica.grantd.replay_cache().spend(spending).await.unwrap_err().to_string();
        assert!(outage.starts_with("the use of a jti could not be written: "), "{outage}");
        assert!(outage.contains("used_assertions"), "{outage}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_that_fails_says_why_in_its_line_of_the_log() {
    let env = Env::new(Database::sqlite()).await;
    env.apply(CATALOG).await;
    let file = env.database.url.trim_start_matches("sqlite://").to_owned();
    let replica = env.replica().await;
    let token = replica.issued("reader", READER, "").await;
    let log = watch(&file);
    env.database.hide_table("revoked_tokens").await;
    assert_unavailable(&replica.revoke("reader", READER, &token).await);
    let lines = log.lines();
    let why = "the revocation could not be written: the database ";
    let line = lines
        .iter()
        .find(|line| line.contains("answered 503"))
        .expect("it has a line");
    assert!(
        line.contains(why) && line.contains("no such table: main.revoked_tokens")
            || line.contains("no such table: revoked_tokens"),
        "{line}"
    );
}
