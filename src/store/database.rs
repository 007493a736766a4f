//! The two databases: how they are opened, and how long an answer may take.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, PgPool, SqlitePool};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::StoreError;

/// Connections that loads leave to others, so that the feed is read however many unknown names strangers send.
const NOT_FOR_LOADS: u32 = 2;

/// How the database is used.
#[derive(Clone, Debug)]
pub struct DatabaseOptions {
    /// `postgres://…` or `sqlite://…`.
    pub url: String,
    /// The most connections of one replica.
    pub max_connections: u32,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
    /// How long one operation of the store may take.
    pub statement_timeout: Duration,
    /// How long a writer waits for another.
    pub lock_timeout: Duration,
}

impl DatabaseOptions {
    /// The usual limits for the database at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(2),
        }
    }
}

/// The connections to one database.
#[derive(Clone, Debug)]
pub(super) enum Pools {
    Postgres(PgPool),
    /// One writer, and readers beside it.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
}

/// The database, whose connections are replaced whole when one of them no longer answers.
#[derive(Debug)]
pub(super) struct Database {
    pools: ArcSwap<Pools>,
    loads: Semaphore,
    pub(super) options: DatabaseOptions,
}

impl Database {
    /// Opens lazily: no connection is made before the first use.
    pub(super) fn open(options: DatabaseOptions) -> Result<Self, StoreError> {
        let pools = ArcSwap::from_pointee(Pools::open(&options)?);
        let loads = options.max_connections.saturating_sub(NOT_FOR_LOADS).max(1);
        let loads = Semaphore::new(usize::try_from(loads).unwrap_or(1));
        Ok(Self { pools, loads, options })
    }

    /// Waits for its turn to load what a request named.
    pub(super) async fn turn_to_load(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        let limit = self.options.acquire_timeout;
        match tokio::time::timeout(limit, self.loads.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut)),
        }
    }

    pub(super) fn pools(&self) -> Arc<Pools> {
        self.pools.load_full()
    }

    /// Runs `work` within the statement timeout.
    ///
    /// A database that silently drops packets leaves connections that never answer, and a pool that waits
    /// for them; so after a timeout all connections are left behind, and new ones are made.
    pub(super) async fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let before = self.pools();
        let limit = self.options.statement_timeout;
        if let Ok(result) = tokio::time::timeout(limit, work).await {
            return result;
        }
        if matches!(*before, Pools::Postgres(_)) && Arc::ptr_eq(&before, &self.pools()) {
            self.pools.store(Arc::new(Pools::open(&self.options)?));
        }
        Err(StoreError::Timeout(limit))
    }
}

impl Pools {
    fn open(options: &DatabaseOptions) -> Result<Self, StoreError> {
        if options.url.starts_with("postgres://") || options.url.starts_with("postgresql://") {
            Self::open_postgres(options)
        } else if options.url.starts_with("sqlite:") {
            Self::open_sqlite(options)
        } else {
            Err(StoreError::Url)
        }
    }

    fn open_postgres(options: &DatabaseOptions) -> Result<Self, StoreError> {
        Ok(Self::Postgres(postgres_pool(options, options.max_connections)?))
    }

    fn open_sqlite(options: &DatabaseOptions) -> Result<Self, StoreError> {
        let connect = SqliteConnectOptions::from_str(&options.url)
            .map_err(|_| StoreError::Url)?
            // A migration makes it, and nothing else: a typing error in a path must not.
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(options.lock_timeout);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(options.acquire_timeout + options.lock_timeout)
        };
        Ok(Self::Sqlite {
            writer: pool(1).connect_lazy_with(connect.clone()),
            readers: pool(options.max_connections)
                .connect_lazy_with(connect.pragma("query_only", "ON")),
        })
    }
}

/// A pool of at most `connections` to Postgres.
pub(super) fn postgres_pool(
    options: &DatabaseOptions,
    connections: u32,
) -> Result<PgPool, StoreError> {
    let connect = PgConnectOptions::from_str(&options.url)
        .map_err(|_| StoreError::Url)?
        .application_name("grantd")
        // We have no floats, and PgBouncer refuses settings at start that it does not know.
        .extra_float_digits(None);
    let limit = options.statement_timeout;
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(options.acquire_timeout)
        // A request that went away leaves a connection in the middle of an answer. The pool waits for its end,
        // and would wait for ever where packets are dropped silently.
        .after_release(move |connection, _| Box::pin(answers(connection, limit)));
    Ok(pool.connect_lazy_with(connect))
}

async fn answers(connection: &mut PgConnection, limit: Duration) -> Result<bool, sqlx::Error> {
    match tokio::time::timeout(limit, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}
