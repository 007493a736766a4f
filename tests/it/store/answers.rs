//! Whatever a database or a pooler answers is an outage with its reason, never a panic.

use grantd::clock::Clock;
use grantd::store::error::StoreError;
use grantd::store::feed::FeedPosition;
use grantd::store::{DatabaseOptions, Store};

use super::env::assert_unavailable;
use super::fake_postgres::{self, Says};
use crate::harness::*;

fn url(port: u16) -> String {
    format!("postgres://me:hidden@127.0.0.1:{port}/db?sslmode=prefer")
}

async fn answer(says: Says) -> (u16, StoreError) {
    let port = fake_postgres::start(says).await;
    let store = Store::open(DatabaseOptions::new(url(port))).unwrap();
    (port, store.feed_position().await.unwrap_err())
}

#[tokio::test]
async fn a_row_of_another_statement_is_an_outage_and_no_panic() {
    let (port, error) = answer(Says::ShortRow).await;
    assert!(matches!(error, StoreError::Unreadable(_)), "{error}");
    let named = format!("cannot read the answer of the database db at 127.0.0.1:{port}");
    assert!(error.to_string().starts_with(&named), "{error}");
}

/// The same of columns that are read by their names.
#[tokio::test]
async fn a_row_with_other_columns_is_one_of_another_statement() {
    let port = fake_postgres::start(Says::ShortRow).await;
    let store = Store::open(DatabaseOptions::new(url(port))).unwrap();
    let position = FeedPosition {
        n: 1,
        random_id: "x".into(),
    };
    let error = store
        .read_feed(&position, None, &Clock::system())
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::MixedStatements(_)), "{error}");
}

#[tokio::test]
async fn what_the_database_means_by_its_code_is_told_with_its_name() {
    for (code, told) in [
        ("57P01", "is out of reach"),
        ("25006", "is read-only: a standby or a demoted primary"),
        ("55P03", "is busy"),
        (
            "42P01",
            "refused a statement: error returned from database: as the test says",
        ),
        (
            "22P02",
            "refused a statement: a value that it cannot take (SQLSTATE 22P02)",
        ),
        ("26000", "prepared_statements = false"),
        ("42P05", "prepared_statements = false"),
    ] {
        let (port, error) = answer(Says::Error(code)).await;
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("the database db at 127.0.0.1:{port} ")),
            "{code}: {text}"
        );
        assert!(text.contains(told), "{code}: {text}");
        assert!(
            !text.contains("me:") && !text.contains("hidden"),
            "{code}: {text}"
        );
    }
}

/// What was read may be the answer to another statement, so nothing is issued any more, also by memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_statements_were_mixed_up_nothing_is_served_until_a_restart() {
    let env = Env::new(Database::sqlite()).await;
    let port = fake_postgres::start(Says::Error("26000")).await;
    let replica = env.replica_over(DatabaseOptions::new(url(port)), |_| {});
    let following = tokio::spawn(
        std::sync::Arc::clone(replica.grantd.feed())
            .keep_following(std::time::Duration::from_millis(10)),
    );
    super::env::eventually("it is told", async || {
        let degraded = replica.grantd.degraded();
        degraded
            .iter()
            .any(|it| it.what.as_str() == "database" && it.blocks)
    })
    .await;
    let before = replica.grantd.degraded();
    let told = |degraded: &[grantd::operations::troubles::Degraded]| {
        degraded
            .iter()
            .filter(|it| it.message.contains("prepared_statements = false"))
            .count()
    };
    assert_eq!(told(&before), 2, "database and feed: {before:?}");
    assert_unavailable(&replica.token("reader", READER, "").await);
    let error = replica.grantd.follow_feed().await.unwrap_err();
    assert!(matches!(error, StoreError::MixedStatements(_)), "{error}");
    assert_eq!(told(&replica.grantd.degraded()), 2);
    following.abort();
}
