//! What grantd keeps, on Postgres or SQLite: one schema and one SQL text for both. The only user of sqlx.

mod database;
mod row;
mod transaction;

pub mod audiences;
pub mod audit_events;
pub mod change;
pub mod clients;
pub mod credentials;
pub mod error;
pub mod feed;
pub mod feed_news;
pub mod memory;
pub mod policies;
pub mod revoked_tokens;
pub mod schema;
pub mod signing_keys;
pub mod sweep;

pub use database::DatabaseOptions;

use database::Database;
use error::StoreError;

/// The store: one database, Postgres or SQLite.
#[derive(Debug)]
pub struct Store {
    database: std::sync::Arc<Database>,
}

impl Store {
    /// Opens a database lazily: the first use connects.
    ///
    /// # Errors
    /// A URL that is none of ours.
    pub fn open(options: DatabaseOptions) -> Result<Self, StoreError> {
        Ok(Self { database: std::sync::Arc::new(Database::open(options)?) })
    }
}
