//! How the database is used.

use std::time::Duration;

use crate::config::settings::{self, Settings};

/// How the database is used.
#[derive(Clone, Debug)]
pub struct DatabaseOptions {
    /// `postgres://…`, with one host or several, or `sqlite://…`.
    pub url: String,
    /// The most connections of one replica.
    pub max_connections: u32,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
    /// How long one operation of the store may take.
    pub statement_timeout: Duration,
    /// How long a writer waits for another.
    pub lock_timeout: Duration,
    /// Whether statements keep a name on Postgres; not behind a pooler that shares connections.
    pub prepared_statements: bool,
}

impl DatabaseOptions {
    /// Those of the settings.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self::within(settings.database_url.expose(), &settings.database)
    }

    /// The default limits for the database at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self::within(url, &settings::Database::default())
    }

    fn within(url: impl Into<String>, limits: &settings::Database) -> Self {
        Self {
            url: url.into(),
            max_connections: limits.max_connections,
            acquire_timeout: limits.acquire_timeout.duration(),
            statement_timeout: limits.statement_timeout.duration(),
            lock_timeout: limits.lock_timeout.duration(),
            prepared_statements: limits.prepared_statements,
        }
    }
}
