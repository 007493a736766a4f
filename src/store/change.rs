//! A change: one transaction that ends with the feed, so that every replica hears of it.

use super::Store;
use super::error::StoreError;
use super::feed::{Change, ChangeKind, FeedPosition};
use super::transaction::Tx;
use crate::domain::timestamp::Timestamp;

/// A transaction that changes what replicas remember.
pub struct ChangeTx {
    pub(super) tx: Tx,
    changes: Vec<Change>,
    now: Timestamp,
    random_id: String,
}

/// A change that holds: what to forget, and its number.
#[derive(Clone, Debug, Default)]
pub struct Committed {
    /// What changed.
    pub changes: Vec<Change>,
    /// Its place in the feed; the place before the first where nothing changed.
    pub position: FeedPosition,
}

impl Store {
    /// Begins a change at `now`; `random_id` tells its rows from those of any other past.
    ///
    /// # Errors
    /// A database out of reach, or held by another writer.
    pub async fn begin_change(
        &self,
        now: Timestamp,
        random_id: String,
    ) -> Result<ChangeTx, StoreError> {
        let tx = self.database.bounded(self.begin_write()).await?;
        Ok(ChangeTx { tx, changes: Vec::new(), now, random_id })
    }
}

impl ChangeTx {
    /// When the change is made.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Waits for other administrators, so that what this change reads stays as it is until it ends.
    ///
    /// SQLite has one writer at a time anyhow.
    ///
    /// # Errors
    /// A database out of reach, or an administrator who takes too long.
    pub async fn lock_administration(&mut self) -> Result<(), StoreError> {
        if let Tx::Postgres(tx) = &mut self.tx {
            sqlx::query(
                "SELECT pg_advisory_xact_lock(hashtext('grantd administration ' || current_schema()))",
            )
            .execute(tx.connection()?)
            .await?;
        }
        Ok(())
    }

    pub(super) fn note(&mut self, kind: ChangeKind, key: &str) {
        self.changes.push(Change { kind, key: key.to_owned() });
    }

    /// Ends the change. The caller forgets what changed before it answers.
    ///
    /// # Errors
    /// A database out of reach: then it is not known whether the change holds.
    pub async fn commit(mut self) -> Result<Committed, StoreError> {
        self.changes.sort();
        self.changes.dedup();
        if self.changes.is_empty() {
            self.tx.commit().await?;
            return Ok(Committed::default());
        }
        let n = self.tx.append_changes(&self.changes, (self.now, &self.random_id)).await?;
        self.tx.commit().await?;
        let position = FeedPosition { n, random_id: self.random_id };
        Ok(Committed { changes: self.changes, position })
    }
}
