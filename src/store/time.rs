//! What time it is by the database's clock.

use super::Store;
use super::database_clock::{DatabaseClock, DatabaseTime, postgres_time, sqlite_time};
use super::error::StoreError;
use super::transaction::{Tx, on_db};
use crate::clock::Clock;

impl Store {
    /// This store with `clock` in the place of the database's own, where tests move it.
    #[must_use]
    pub fn following(self, clock: Clock) -> Self {
        Self {
            clock: DatabaseClock::Following(clock),
            ..self
        }
    }

    /// What time it is by the database's clock.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn now(&self) -> Result<DatabaseTime, StoreError> {
        self.read(async |tx| {
            let now = tx.time(&self.clock).await?;
            Ok(now)
        })
        .await
    }
}

impl Tx {
    /// What time it is by the database's clock.
    pub(super) async fn time(&mut self, clock: &DatabaseClock) -> Result<DatabaseTime, StoreError> {
        let statement = match self {
            Self::Postgres(_) => concat!("SELECT ", postgres_time!()),
            Self::Sqlite(_) => concat!("SELECT ", sqlite_time!()),
        };
        let milliseconds =
            on_db!(self, conn => sqlx::query_scalar(statement).fetch_one(conn).await?);
        Ok(clock.read(milliseconds))
    }
}
