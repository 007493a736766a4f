//! A transaction on either database, and the macro that compiles one body for both.

use sqlx::{Postgres, Sqlite, Transaction};

use super::Store;
use super::database::Pools;
use super::error::StoreError;

/// A transaction on either database.
pub(super) enum Tx {
    Postgres(Transaction<'static, Postgres>),
    Sqlite(Transaction<'static, Sqlite>),
}

/// Compiles one body for both databases; `$conn` is the connection inside the transaction.
macro_rules! on_db {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::store::transaction::Tx::Postgres(tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::store::transaction::Tx::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}
pub(super) use on_db;

impl Store {
    /// Begins to read: all statements see one snapshot.
    pub(super) async fn begin_snapshot(&self) -> Result<Tx, StoreError> {
        Ok(match &*self.database.pools() {
            Pools::Postgres(pool) => Tx::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
            ),
            Pools::Sqlite { readers, .. } => Tx::Sqlite(readers.begin().await?),
        })
    }

    /// Begins to write. What is set is local to the transaction, because a pooler such as PgBouncer loses
    /// settings of a session; the timeouts free a lock whose holder hangs.
    pub(super) async fn begin_write(&self) -> Result<Tx, StoreError> {
        match &*self.database.pools() {
            Pools::Postgres(pool) => {
                let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
                let options = &self.database.options;
                sqlx::query(
                    "SELECT set_config('lock_timeout', $1, true), \
                     set_config('statement_timeout', $2, true), \
                     set_config('idle_in_transaction_session_timeout', $2, true), \
                     set_config('synchronous_commit', 'on', true)",
                )
                .bind(format!("{}ms", options.lock_timeout.as_millis()))
                .bind(format!("{}ms", options.statement_timeout.as_millis()))
                .execute(&mut *tx)
                .await?;
                Ok(Tx::Postgres(tx))
            }
            Pools::Sqlite { writer, .. } => {
                Ok(Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?))
            }
        }
    }
}

impl Tx {
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Postgres(tx) => tx.commit().await?,
            Self::Sqlite(tx) => tx.commit().await?,
        }
        Ok(())
    }
}
