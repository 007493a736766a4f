//! The schema: one text on both databases, and a version that is checked.

use std::sync::Arc;

use grantd::store::error::StoreError;
use grantd::store::{DatabaseOptions, Store};

use super::env::{Sql, assert_unavailable};
use crate::harness::*;

on_both! {
    async fn migrating_twice_changes_nothing(env) {
        env.apply(CATALOG).await;
        env.store.migrate().await.unwrap();
        env.store.check_schema().await.unwrap();
        assert_eq!(env.replica().await.token("reader", READER, "").await.status, 200);
    }

    async fn a_newer_schema_is_left_alone(env) {
        Sql::of(&env.database).await.run(
            "UPDATE _sqlx_migrations SET version = 9999 \
             WHERE version = (SELECT max(version) FROM _sqlx_migrations)",
        ).await;
        assert!(matches!(env.store.check_schema().await, Err(StoreError::SchemaNewer)));
        assert!(matches!(env.store.migrate().await, Err(StoreError::SchemaNewer)));
        let replica = env.unloaded_replica(|_| {});
        assert!(matches!(replica.grantd.follow_feed().await, Err(StoreError::SchemaNewer)));
        assert_unavailable(&replica.token("reader", READER, "").await);
    }
}

async fn an_empty_database_is_older(database: Database) {
    let store = Store::open(DatabaseOptions::new(database.url.clone())).unwrap();
    if let Some(path) = database.url.strip_prefix("sqlite://") {
        assert!(matches!(
            store.check_schema().await,
            Err(StoreError::NoDatabase(_))
        ));
        std::fs::write(path, "").unwrap();
    }
    assert!(matches!(
        store.check_schema().await,
        Err(StoreError::SchemaOlder)
    ));
    let env = Env::new(database).await;
    env.store.check_schema().await.unwrap();
}

#[tokio::test]
async fn an_empty_database_is_older_on_sqlite() {
    an_empty_database_is_older(Database::sqlite()).await;
}

#[tokio::test]
async fn an_empty_database_is_older_on_postgres() {
    an_empty_database_is_older(Database::postgres().await).await;
}

#[tokio::test]
async fn two_who_migrate_at_once_make_one_schema() {
    for database in [Database::sqlite(), Database::postgres().await] {
        let open = || Arc::new(Store::open(DatabaseOptions::new(database.url.clone())).unwrap());
        let (one, other) = (open(), open());
        let both = tokio::join!(one.migrate(), other.migrate());
        both.0.unwrap();
        both.1.unwrap();
        one.check_schema().await.unwrap();
    }
}

type Column = (String, String, String, bool);

/// DESIGN 1: one schema on both, of `TEXT`, `BIGINT` and `BOOLEAN` only.
#[tokio::test]
async fn both_databases_have_the_same_schema() {
    let sqlite = Env::new(Database::sqlite()).await;
    let Sql::Sqlite(pool) = Sql::of(&sqlite.database).await else {
        unreachable!()
    };
    let on_sqlite: Vec<Column> = sqlx::query_as(
        "SELECT t.name, c.name, lower(c.type), c.\"notnull\" = 1 OR c.pk > 0 \
         FROM sqlite_schema t, pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY 1, 2",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let postgres = Env::new(Database::postgres().await).await;
    let Sql::Postgres(pool) = Sql::of(&postgres.database).await else {
        unreachable!()
    };
    let mut on_postgres: Vec<Column> = sqlx::query_as(
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'NO' \
         FROM information_schema.columns WHERE table_schema = current_schema() \
         AND table_name NOT LIKE '\\_%'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    on_postgres.sort();
    assert_eq!(on_sqlite, on_postgres);
    assert!(on_sqlite.len() > 60, "{}", on_sqlite.len());
    for (table, column, kind, _) in on_sqlite {
        assert!(
            ["text", "bigint", "boolean"].contains(&kind.as_str()),
            "{table}.{column}: {kind}"
        );
    }
}
