//! What runs beside the requests is there, or the process is not.

use std::time::Duration;

use grantd::server::replica::Replica;
use grantd::server::shutdown::Shutdown;
use grantd::store::DatabaseOptions;

use crate::harness::*;

/// A replica that runs until one of its tasks ends, and why it stopped.
async fn stopped(adjust: impl FnOnce(&mut Replica)) -> String {
    let env = Env::new(Database::sqlite()).await;
    let database = DatabaseOptions::new(&env.database.url);
    let mut replica = env.server(env.clock.clone(), database, |_| {});
    adjust(&mut replica);
    let (_trigger, shutdown) = Shutdown::manual();
    let run = tokio::time::timeout(Duration::from_mins(1), replica.run(shutdown));
    run.await.expect("it stops").unwrap_err()
}

/// It has one number to give, and a caller that asks for another one panics.
async fn ends_at(number: usize) {
    let numbers = std::future::ready([0]).await;
    assert_eq!(numbers[number], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_background_task_that_panics_stops_the_replica_with_its_name() {
    let why = stopped(|replica| {
        let background = std::mem::take(&mut replica.background);
        replica.background = background.with("of the test", ends_at(1));
    });
    let expected = "the background task \"of the test\" panicked: ";
    let why = why.await;
    assert!(
        why.starts_with(expected) && why.lines().count() == 1,
        "{why}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_background_task_that_ends_stops_the_replica_with_its_name() {
    let why = stopped(|replica| {
        let background = std::mem::take(&mut replica.background);
        replica.background = background.with("of the test", ends_at(0));
    });
    let expected = "the background task \"of the test\" ended early: ";
    let why = why.await;
    assert!(why.starts_with(expected), "{why}");
}

/// Whoever adds one adds it here, and has thought of how it ends.
#[tokio::test]
async fn every_background_task_has_a_name() {
    let env = Env::new(Database::sqlite()).await;
    let database = DatabaseOptions::new(&env.database.url);
    let replica = env.server(env.clock.clone(), database, |_| {});
    let names = format!("{:?}", replica.background);
    let expected = [
        "change feed",
        "database writes",
        "loads of revocations and ids",
        "replay cache",
        "revocations",
        "audit log",
        "last uses of credentials",
        "rotation of signing keys",
        "token usage",
        "keys by URL",
        "survey for metrics",
        "sweeper",
        "lines of changes",
        "alerts",
        "log",
    ];
    assert_eq!(names, format!("{expected:?}"));
}
