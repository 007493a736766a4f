//! What grantd keeps, on Postgres or SQLite: one schema and one SQL text for both. The only user of sqlx.

mod database;
mod guarded;
mod lists;
mod options;
mod pg_connection;
mod pool;
mod postgres;
mod rollback;
mod row;
mod sqlite_file;
mod time;
mod touched;
mod transaction;

pub mod audiences;
pub mod audit_events;
pub mod change;
mod client_ids;
pub mod clients;
pub mod credential_uses;
pub mod credentials;
pub mod database_clock;
pub mod error;
pub mod expiries;
pub mod feed;
pub mod feed_news;
pub mod identities;
pub mod issuers;
pub mod loaded;
pub mod memory;
pub mod policies;
pub mod policy_marks;
pub mod restore;
pub mod revoked_tokens;
pub mod schema;
pub mod signing_keys;
pub mod sweep;
pub mod token_usage;
pub mod used_assertions;

pub use options::DatabaseOptions;

use database::Database;
use database_clock::DatabaseClock;
use error::StoreError;

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

    /// How often the database did not do what it was asked to since the start.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.database.errors.get()
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
