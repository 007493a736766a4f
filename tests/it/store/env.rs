//! What the tests of the store need beside the harness: SQL by hand, locks that are held, and waiting.

use std::time::Duration;

use grantd::store::DatabaseOptions;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Sqlite, SqlitePool, Transaction};

use crate::harness::{Answer, Database, Env};

/// SQL by hand, past grantd.
pub(crate) enum Sql {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

/// A transaction that is held open; its locks go when it is dropped or released.
pub(crate) enum Held {
    Postgres(Transaction<'static, Postgres>),
    Sqlite(Transaction<'static, Sqlite>),
}

impl Sql {
    pub(crate) async fn of(database: &Database) -> Self {
        if database.is_postgres() {
            Self::Postgres(PgPool::connect(&database.url).await.unwrap())
        } else {
            Self::Sqlite(SqlitePool::connect(&database.url).await.unwrap())
        }
    }

    pub(crate) async fn run(&self, sql: &str) {
        for statement in sql
            .split(';')
            .filter(|statement| !statement.trim().is_empty())
        {
            let query = sqlx::query::<Postgres>(AssertSqlSafe(statement.to_owned()));
            match self {
                Self::Postgres(pool) => drop(query.execute(pool).await.unwrap()),
                Self::Sqlite(pool) => {
                    let query = sqlx::query::<Sqlite>(AssertSqlSafe(statement.to_owned()));
                    query.execute(pool).await.unwrap();
                }
            }
        }
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
            Self::Sqlite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
        }
    }

    /// Holds what every change needs: the row of `feed_head`, or SQLite's one writer.
    pub(crate) async fn hold_writers(&self) -> Held {
        match self {
            Self::Postgres(_) => self.hold("SELECT n FROM feed_head FOR UPDATE").await,
            Self::Sqlite(pool) => Held::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await.unwrap()),
        }
    }

    /// Holds readers of `table`; Postgres only, in SQLite nobody can.
    pub(crate) async fn hold_readers(&self, table: &str) -> Held {
        self.hold(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
            .await
    }

    /// Holds whoever spends a `jti`, and no reader; Postgres only.
    pub(crate) async fn hold_spending(&self) -> Held {
        self.hold("LOCK TABLE used_assertions IN SHARE MODE").await
    }

    async fn hold(&self, lock: &str) -> Held {
        let Self::Postgres(pool) = self else {
            panic!("Postgres only")
        };
        let mut tx = pool.begin().await.unwrap();
        sqlx::query(AssertSqlSafe(lock.to_owned()))
            .execute(&mut *tx)
            .await
            .unwrap();
        Held::Postgres(tx)
    }

    /// Waits until `count` sessions wait for a lock on `table`; Postgres only.
    pub(crate) async fn until_waiting(&self, table: &str, count: i64) {
        let waiting = format!(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass"
        );
        eventually("somebody waits for the table", async || {
            self.number(&waiting).await >= count
        })
        .await;
    }

    /// Waits until a session waits for the row of `feed_head`; Postgres only.
    pub(crate) async fn until_waiting_for_row(&self) {
        let waiting = "SELECT count(*) FROM pg_locks w JOIN pg_locks h ON h.pid = w.pid \
                       WHERE NOT w.granted AND w.locktype = 'transactionid' \
                       AND h.relation = 'feed_head'::regclass";
        eventually("somebody waits for the row", async || {
            self.number(waiting).await > 0
        })
        .await;
    }
}

impl Held {
    pub(crate) async fn release(self) {
        match self {
            Self::Postgres(tx) => tx.rollback().await.unwrap(),
            Self::Sqlite(tx) => tx.rollback().await.unwrap(),
        }
    }
}

/// Asks until it is so; fails after ten seconds.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let limit = Duration::from_secs(10);
    assert!(
        tokio::time::timeout(limit, asking).await.is_ok(),
        "not within {limit:?}: {what}"
    );
}

/// The database of `env` with short waits.
pub(crate) fn impatient(env: &Env) -> DatabaseOptions {
    DatabaseOptions {
        acquire_timeout: Duration::from_secs(1),
        statement_timeout: Duration::from_secs(2),
        lock_timeout: Duration::from_millis(200),
        ..DatabaseOptions::new(env.database.url.clone())
    }
}

/// 503 with `Retry-After`.
#[track_caller]
pub(crate) fn assert_unavailable(answer: &Answer) {
    answer.assert_error(503, "temporarily_unavailable");
    assert!(
        answer.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse::<u32>()
            .is_ok()
    );
}
