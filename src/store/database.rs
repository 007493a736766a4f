//! The two databases: how they are opened, and how long an answer may take.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::error::{DatabaseName, StoreError};
use super::guarded::guarded;
use super::options::DatabaseOptions;
use super::pool::{Pool, SqliteFile};
use super::postgres::{Hosts, PostgresServer};
use crate::domain::database_url::DatabaseUrl;
use crate::telemetry::metrics::Counter;

/// Connections that loads leave free, so that the feed can be read however many unknown names strangers send.
const NOT_FOR_LOADS: u32 = 2;

/// The connections to one database.
#[derive(Debug)]
pub(super) enum Pools {
    Postgres(Pool<PostgresServer>),
    /// One writer, and readers beside it.
    Sqlite {
        writer: Pool<SqliteFile>,
        readers: Pool<SqliteFile>,
    },
}

/// Where connections come from.
#[derive(Debug)]
enum Source {
    Postgres(Arc<Hosts>),
    Sqlite(Box<SqliteConnectOptions>),
}

/// The database, whose connections are replaced whole when one of them no longer answers or can no longer write.
#[derive(Debug)]
pub(super) struct Database {
    source: Source,
    pools: ArcSwap<Pools>,
    replaced: watch::Sender<()>,
    loads: Semaphore,
    /// Set for good, because after a mix-up nothing that was read can be trusted, and the next one is a matter of
    /// time.
    mixed: AtomicBool,
    /// Why the last write failed; `None` if it succeeded.
    write_fault: ArcSwapOption<String>,
    /// Faults of the database since the start.
    pub(super) errors: Counter,
    pub(super) options: DatabaseOptions,
}

impl Database {
    /// Opens lazily: no connection is made before the first use.
    pub(super) fn open(options: DatabaseOptions) -> Result<Self, StoreError> {
        let source = Source::new(&options)?;
        let pools = ArcSwap::from_pointee(source.pools(&options)?);
        let loads = options.max_connections.saturating_sub(NOT_FOR_LOADS).max(1);
        let loads = Semaphore::new(usize::try_from(loads).unwrap_or(1));
        let (replaced, mixed) = (watch::Sender::default(), AtomicBool::new(false));
        let errors = Counter::default();
        Ok(Self {
            source,
            pools,
            replaced,
            loads,
            mixed,
            write_fault: ArcSwapOption::empty(),
            errors,
            options,
        })
    }

    /// Remembers whether a write could be done, whatever it was.
    pub(super) fn noted<T>(&self, written: Result<T, StoreError>) -> Result<T, StoreError> {
        match &written {
            Ok(_) => {
                if self.write_fault.load().is_some() {
                    self.write_fault.store(None);
                }
            }
            Err(error) if error.is_outage() => {
                self.write_fault.store(Some(Arc::new(error.to_string())));
            }
            Err(_) => {}
        }
        written
    }

    /// Why the last write failed; `None` if it succeeded.
    pub(super) fn write_fault(&self) -> Option<Arc<String>> {
        self.write_fault.load_full()
    }

    /// Waits for its turn to load what a request named.
    pub(super) async fn turn_to_load(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        let limit = self.options.acquire_timeout;
        match tokio::time::timeout(limit, self.loads.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(StoreError::Crowded {
                database: self.name(),
                limit,
            }),
        }
    }

    pub(super) fn pools(&self) -> Arc<Pools> {
        self.pools.load_full()
    }

    /// Changes whenever all connections are replaced.
    pub(super) fn replaced(&self) -> watch::Receiver<()> {
        self.replaced.subscribe()
    }

    /// The hosts, where it is Postgres.
    pub(super) const fn hosts(&self) -> Option<&Arc<Hosts>> {
        match &self.source {
            Source::Postgres(hosts) => Some(hosts),
            Source::Sqlite(_) => None,
        }
    }

    /// How to connect without writing, where it is SQLite.
    pub(super) fn sqlite_reader(&self) -> Option<SqliteConnectOptions> {
        match &self.source {
            Source::Postgres(_) => None,
            Source::Sqlite(file) => Some(reader(file)),
        }
    }

    /// Which database it is, for faults.
    pub(super) fn name(&self) -> DatabaseName {
        match &self.source {
            Source::Postgres(hosts) => hosts.name(),
            Source::Sqlite(file) => DatabaseName::new(&file.get_filename().display().to_string()),
        }
    }

    /// Runs `work` within the statement timeout.
    ///
    /// If the database silently drops packets, connections never answer and the pool waits for them. So after a
    /// timeout all connections are replaced.
    pub(super) fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> impl Future<Output = Result<T, StoreError>> {
        let work = self.judged(work);
        async move {
            let before = self.pools();
            let limit = self.options.statement_timeout;
            if let Ok(result) = tokio::time::timeout(limit, work).await {
                return result;
            }
            self.errors.increment();
            self.leave(&before)?;
            Err(StoreError::Timeout {
                database: self.name(),
                limit,
            })
        }
    }

    /// Runs `work` without a time limit, and adds the database's name to its fault. If the host cannot write, all
    /// connections are replaced, so that new ones find the host that can.
    pub(super) fn judged<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> impl Future<Output = Result<T, StoreError>> {
        let work = guarded(work);
        async move {
            if self.mixed.load(Ordering::Relaxed) {
                return Err(StoreError::MixedStatements(self.name()));
            }
            let before = self.pools();
            let result = work.await;
            if result.as_ref().is_err_and(StoreError::is_outage) {
                self.errors.increment();
            }
            match &result {
                Err(StoreError::ReadOnly(_)) => self.leave(&before)?,
                Err(StoreError::MixedStatements(_)) => self.mixed.store(true, Ordering::Relaxed),
                _ => {}
            }
            result.map_err(|error| error.of(&self.name()))
        }
    }

    fn leave(&self, before: &Arc<Pools>) -> Result<(), StoreError> {
        if matches!(**before, Pools::Postgres(_)) && Arc::ptr_eq(before, &self.pools()) {
            self.pools
                .store(Arc::new(self.source.pools(&self.options)?));
            self.replaced.send_replace(());
        }
        Ok(())
    }
}

impl Source {
    fn new(options: &DatabaseOptions) -> Result<Self, StoreError> {
        match DatabaseUrl::parse(&options.url)? {
            DatabaseUrl::Postgres(urls) => {
                Ok(Self::Postgres(Arc::new(Hosts::new(&urls, options)?)))
            }
            DatabaseUrl::Sqlite(url) => Ok(Self::Sqlite(Box::new(open_sqlite(&url, options)?))),
        }
    }

    fn pools(&self, options: &DatabaseOptions) -> Result<Pools, StoreError> {
        let DatabaseOptions {
            max_connections,
            acquire_timeout,
            lock_timeout,
            ..
        } = options;
        match self {
            Self::Postgres(hosts) => {
                let hosts = PostgresServer(Arc::clone(hosts));
                Ok(Pools::Postgres(Pool::new(
                    hosts,
                    *max_connections,
                    *acquire_timeout,
                )?))
            }
            Self::Sqlite(file) => {
                let limit = *acquire_timeout + *lock_timeout;
                let readers = SqliteFile(reader(file));
                Ok(Pools::Sqlite {
                    writer: Pool::new(SqliteFile((**file).clone()), 1, limit)?,
                    readers: Pool::new(readers, *max_connections, limit)?,
                })
            }
        }
    }
}

fn reader(file: &SqliteConnectOptions) -> SqliteConnectOptions {
    file.clone().pragma("query_only", "ON")
}

fn open_sqlite(url: &str, options: &DatabaseOptions) -> Result<SqliteConnectOptions, StoreError> {
    Ok(SqliteConnectOptions::from_str(url)
        .map_err(|_| StoreError::UrlParameter)?
        // Only a migration creates the file: a typo in a path must not.
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(options.lock_timeout))
}
