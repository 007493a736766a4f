//! What grantd keeps, on Postgres or SQLite: one schema and one SQL text for both. The only user of sqlx.

mod database;
mod pg_connection;
mod pool;
mod postgres;
mod row;
mod sqlite_file;
mod transaction;

pub mod audiences;
pub mod audit_events;
pub mod change;
pub mod clients;
pub mod credentials;
pub mod database_clock;
pub mod error;
pub mod feed;
pub mod feed_news;
pub mod memory;
pub mod policies;
pub mod revoked_tokens;
pub mod schema;
pub mod signing_keys;
pub mod sweep;
pub mod used_assertions;

pub use database::DatabaseOptions;

use database::Database;
use database_clock::DatabaseClock;
use error::StoreError;
use transaction::Tx;

/// The store: one database, Postgres or SQLite.
#[derive(Debug)]
pub struct Store {
    database: std::sync::Arc<Database>,
    clock: DatabaseClock,
}

impl Store {
    /// Opens a database lazily: the first use connects.
    ///
    /// # Errors
    /// Not a URL of a database.
    pub fn open(options: DatabaseOptions) -> Result<Self, StoreError> {
        let database = std::sync::Arc::new(Database::open(options)?);
        Ok(Self {
            database,
            clock: DatabaseClock::default(),
        })
    }

    /// Runs `work`, which writes and may be a whole change, within the time that one operation of the store may take.
    ///
    /// # Errors
    /// [`StoreError::Timeout`], or what `work` says.
    pub fn within_limit<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> impl Future<Output = Result<T, StoreError>> {
        let work = self.database.bounded(work);
        async move { self.database.noted(work.await) }
    }

    /// Which database it is, as faults name it.
    #[must_use]
    pub fn name(&self) -> error::DatabaseName {
        self.database.name()
    }

    /// What `read` finds in one snapshot, within the time of one operation.
    async fn read<T>(
        &self,
        read: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.database.bounded(self.in_snapshot(read)).await
    }

    /// What `read` finds in one snapshot, for as long as it takes: what grows with the number of rows.
    async fn read_all<T>(
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

    /// Commits what `write` does where it is no fault, within the time of one operation.
    async fn write<T>(
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

    /// Why the last write failed: `None` where it did not.
    #[must_use]
    pub fn write_fault(&self) -> Option<std::sync::Arc<String>> {
        self.database.write_fault()
    }

    /// Writes a row as it is, to find out whether that can be done.
    ///
    /// # Errors
    /// It cannot.
    pub async fn try_to_write(&self) -> Result<(), StoreError> {
        self.write(async |tx| {
            transaction::on_db!(tx, conn => {
                sqlx::query("UPDATE feed_head SET lost_at = lost_at")
                    .execute(conn)
                    .await?;
            });
            Ok(())
        })
        .await
    }

    /// Waits for its turn to load what a request named; loads leave some connections to others.
    pub(super) async fn turn_to_load(
        &self,
    ) -> Result<tokio::sync::SemaphorePermit<'_>, StoreError> {
        self.database.turn_to_load().await
    }
}
