//! A transaction on either database, and the macro that compiles one body for both.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use deadpool::managed::Object;
use futures_util::FutureExt as _;
use sqlx::AssertSqlSafe;

use super::Store;
use super::database::Pools;
use super::error::{DatabaseName, StoreError};
use super::guarded::guarded;
use super::pool::{Pool, SqliteFile};
use super::postgres::{PostgresServer, cannot_write};
use super::rollback::Rollback;

/// A transaction on either database.
pub(super) enum Tx {
    Postgres(Open<PostgresServer>),
    Sqlite(Open<SqliteFile>),
}

/// A connection with a transaction, or with one statement that is its own.
///
/// What is not committed is rolled back, also where the caller went away. A connection whose rollback fails is
/// thrown away: the driver and the database would disagree for ever on whether a transaction is open, as SQLite
/// ends one by itself when the disk is full.
pub(super) struct Open<M: Rollback> {
    connection: Option<Object<M>>,
    name: DatabaseName,
    limit: Duration,
    /// Whether a transaction was begun.
    begun: bool,
}

/// Compiles one body for both databases; `$conn` is the connection inside the transaction.
macro_rules! on_db {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::store::transaction::Tx::Postgres(tx) => {
                let $conn = tx.connection()?;
                let result = $crate::store::guarded::guarded(async { Ok($body) }).await;
                tx.judge(result)?
            }
            $crate::store::transaction::Tx::Sqlite(tx) => {
                let $conn = tx.connection()?;
                let result = $crate::store::guarded::guarded(async { Ok($body) }).await;
                tx.judge(result)?
            }
        }
    };
}
pub(super) use on_db;

impl Store {
    /// What `read` finds in one snapshot, within the time of one operation.
    pub(super) async fn read<T>(
        &self,
        read: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.database.bounded(self.in_snapshot(read)).await
    }

    /// What `read` finds in one snapshot, for as long as it takes: what grows with the number of rows.
    pub(super) async fn read_all<T>(
        &self,
        read: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.database.judged(self.in_snapshot(read)).await
    }

    async fn in_snapshot<T>(
        &self,
        read: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut tx = self.begin_snapshot().await?;
        let found = read(&mut tx).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Commits what `write` does unless it fails, within the time limit of one operation.
    pub(super) async fn write<T>(
        &self,
        write: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.within_limit(async {
            let mut tx = self.begin_write().await?;
            let done = write(&mut tx).await?;
            tx.commit().await?;
            Ok(done)
        })
        .await
    }

    /// Begins to read: all statements see one snapshot.
    pub(super) async fn begin_snapshot(&self) -> Result<Tx, StoreError> {
        match &*self.database.pools() {
            Pools::Postgres(pool) => {
                let begin = concat!(
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ",
                    cannot_write!()
                );
                Ok(Tx::Postgres(
                    self.begin_postgres(pool.acquire().await?, begin.into())
                        .await?,
                ))
            }
            Pools::Sqlite { readers, .. } => Ok(Tx::Sqlite(
                self.begin_sqlite(readers.acquire().await?, "BEGIN").await?,
            )),
        }
    }

    /// Begins to write. What is set is local to the transaction, because a pooler such as PgBouncer loses
    /// settings of a session; the timeouts free a lock whose holder hangs.
    pub(super) async fn begin_write(&self) -> Result<Tx, StoreError> {
        match &*self.database.pools() {
            Pools::Postgres(pool) => Ok(Tx::Postgres(self.begin_write_on(pool).await?)),
            Pools::Sqlite { writer, .. } => Ok(Tx::Sqlite(
                self.begin_sqlite(writer.acquire().await?, "BEGIN IMMEDIATE")
                    .await?,
            )),
        }
    }

    pub(super) async fn begin_write_on(
        &self,
        pool: &Pool<PostgresServer>,
    ) -> Result<Open<PostgresServer>, StoreError> {
        let options = &self.database.options;
        let (lock, statement) = (
            options.lock_timeout.as_millis(),
            options.statement_timeout.as_millis(),
        );
        // One round trip; only numbers of our own are written into it.
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; \
             SET LOCAL lock_timeout = '{lock}ms'; \
             SET LOCAL statement_timeout = '{statement}ms'; \
             SET LOCAL idle_in_transaction_session_timeout = '{statement}ms'; \
             SET LOCAL synchronous_commit = 'on'; {}",
            cannot_write!()
        );
        self.begin_postgres(pool.acquire().await?, begin).await
    }

    /// Begins to write for as long as it takes, and after nobody but another such transaction.
    pub(super) async fn begin_migration(&self) -> Result<Tx, StoreError> {
        match &*self.database.pools() {
            Pools::Postgres(pool) => {
                let begin = concat!("BEGIN ISOLATION LEVEL READ COMMITTED; ", cannot_write!());
                let mut tx = self
                    .begin_postgres(pool.acquire().await?, begin.into())
                    .await?;
                // A lock of the transaction, not of the session: a pooler may lose a session's lock, or never release
                // it.
                let lock = "SELECT pg_advisory_xact_lock(hashtext('grantd migration ' || current_schema()))";
                sqlx::raw_sql(lock).execute(tx.connection()?).await?;
                Ok(Tx::Postgres(tx))
            }
            Pools::Sqlite { .. } => self.begin_write().await,
        }
    }

    /// `begin` is one simple query that ends with whether the session cannot write.
    async fn begin_postgres(
        &self,
        connection: Object<PostgresServer>,
        begin: String,
    ) -> Result<Open<PostgresServer>, StoreError> {
        let mut tx = self.use_connection(connection, true);
        let row = sqlx::raw_sql(AssertSqlSafe(begin))
            .fetch_one(tx.connection()?)
            .await?;
        if sqlx::Row::try_get(&row, 0)? {
            return Err(StoreError::ReadOnly(tx.name.clone()));
        }
        Ok(tx)
    }

    pub(super) async fn begin_sqlite(
        &self,
        connection: Object<SqliteFile>,
        begin: &'static str,
    ) -> Result<Open<SqliteFile>, StoreError> {
        let mut tx = self.use_connection(connection, true);
        match sqlx::raw_sql(begin)
            .execute(tx.connection()?)
            .await
            .map_err(StoreError::from)
        {
            Ok(_) => Ok(tx),
            Err(error) => {
                if matches!(error, StoreError::Busy(_)) {
                    // No transaction was begun, and the connection is fine.
                    drop(tx.connection.take());
                }
                Err(error)
            }
        }
    }

    /// A connection for one statement that is a transaction by itself.
    pub(super) fn open_for_one_statement(
        &self,
        connection: Object<PostgresServer>,
    ) -> Open<PostgresServer> {
        self.use_connection(connection, false)
    }

    fn use_connection<M: Rollback>(&self, connection: Object<M>, begun: bool) -> Open<M> {
        let limit = self.database.options.statement_timeout;
        Open {
            connection: Some(connection),
            name: self.database.name(),
            limit,
            begun,
        }
    }
}

impl Tx {
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Postgres(tx) => tx.commit().await,
            Self::Sqlite(tx) => tx.commit().await,
        }
    }
}

impl<M: Rollback> Open<M> {
    /// The connection; gone once a panic left it in an unknown state.
    pub(super) fn connection(&mut self) -> Result<&mut M::Type, StoreError> {
        let name = &self.name;
        let gone = || StoreError::Unreadable(name.clone());
        self.connection.as_deref_mut().ok_or_else(gone)
    }

    /// Says which database a fault is of, and throws the connection away where an answer could not be read.
    pub(super) fn judge<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        result.map_err(|error| {
            if matches!(
                error,
                StoreError::Unreadable(_) | StoreError::MixedStatements(_)
            ) {
                self.connection.take().map(Object::take);
            }
            error.of(&self.name)
        })
    }
}

macro_rules! commits {
    ($($manager:ty),+) => {$(
        impl Open<$manager> {
            pub(super) async fn commit(mut self) -> Result<(), StoreError> {
                if self.begun {
                    let connection = self.connection()?;
                    let committed = guarded(async {
                        sqlx::raw_sql("COMMIT").execute(connection).await.map_err(StoreError::from)
                    });
                    let committed = committed.await;
                    self.judge(committed)?;
                }
                // Nothing is left to roll back: the connection goes home.
                drop(self.connection.take());
                Ok(())
            }
        }
    )+};
}
commits!(PostgresServer, SqliteFile);

impl<M: Rollback> Drop for Open<M> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if !std::thread::panicking() => {
                runtime.spawn(roll_back(connection, self.limit));
            }
            _ => drop(Object::take(connection)),
        }
    }
}

async fn roll_back<M: Rollback>(connection: Object<M>, limit: Duration) {
    // Taken out of the pool until it is known to be whole.
    let mut connection = connection;
    let rolling_back = AssertUnwindSafe(M::roll_back(&mut connection)).catch_unwind();
    if !matches!(
        tokio::time::timeout(limit, rolling_back).await,
        Ok(Ok(Ok(())))
    ) {
        drop(Object::take(connection));
    }
}
