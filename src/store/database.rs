//! The two databases: how they are opened, and how long an answer may take.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};

use super::error::StoreError;

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
    pub(super) options: DatabaseOptions,
}

impl Database {
    /// Opens lazily: no connection is made before the first use.
    pub(super) fn open(options: DatabaseOptions) -> Result<Self, StoreError> {
        let pools = Pools::open(&options)?;
        Ok(Self { pools: ArcSwap::from_pointee(pools), options })
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
        let connect = PgConnectOptions::from_str(&options.url)
            .map_err(|_| StoreError::Url)?
            .application_name("grantd");
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .connect_lazy_with(connect);
        Ok(Self::Postgres(pool))
    }

    fn open_sqlite(options: &DatabaseOptions) -> Result<Self, StoreError> {
        let connect = SqliteConnectOptions::from_str(&options.url)
            .map_err(|_| StoreError::Url)?
            .create_if_missing(true)
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
