//! A change: one transaction that ends with the feed, so that every replica hears of it.

use super::Store;
use super::database_clock::DatabaseClock;
use super::error::StoreError;
use super::feed::{Change, ChangeKind, FeedPosition};
use super::transaction::Tx;
use crate::domain::timestamp::Timestamp;

/// Of one change replicas tell so many audit events.
const MOST_TOLD: usize = 100;
/// Before the number of those that they do not tell, in place of an id.
pub const MORE_EVENTS: char = '+';

/// A transaction that changes what replicas remember.
pub struct ChangeTx {
    pub(super) tx: Tx,
    changes: Vec<Change>,
    /// Audit events of this change.
    events: usize,
    clock: DatabaseClock,
    now: Timestamp,
    random_id: String,
}

/// A connection as Postgres sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// `session_user`: the role that logged in.
    pub user: String,
    /// `inet_client_addr()`.
    pub address: String,
}

/// A change that holds: what to forget, and its number.
#[derive(Clone, Debug, Default)]
pub struct Committed {
    /// What changed.
    pub changes: Vec<Change>,
    /// Its position in the feed; the position before the first change if nothing changed.
    pub position: FeedPosition,
}

impl Store {
    /// Begins a change. `random_id` marks its rows in the feed, so that rows restored from a backup are told apart.
    ///
    /// # Errors
    /// An unreachable database, or held by another writer.
    pub async fn begin_change(&self, random_id: String) -> Result<ChangeTx, StoreError> {
        let beginning = async {
            let mut tx = self.begin_write().await?;
            let now = tx.time(&self.clock).await?.second();
            Ok((tx, now))
        };
        let (tx, now) = self.database.bounded(beginning).await?;
        Ok(ChangeTx {
            tx,
            changes: Vec::new(),
            events: 0,
            clock: self.clock.clone(),
            now,
            random_id,
        })
    }
}

impl ChangeTx {
    /// When the change is made, by the database's clock: the machine that makes it may have a wrong one.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Waits for other administrators, so that what this change reads stays as it is until it ends.
    ///
    /// SQLite has one writer at a time anyhow. The change is made when its turn has come. Between two statements it may
    /// think for a minute: a catalog of 100,000 clients is compared meanwhile, on a machine that may be busy.
    ///
    /// # Errors
    /// An unreachable database, or an administrator who takes too long.
    pub async fn lock_administration(&mut self) -> Result<(), StoreError> {
        if let Tx::Postgres(tx) = &mut self.tx {
            sqlx::raw_sql(
                "SET LOCAL idle_in_transaction_session_timeout = '60s'; \
                 SELECT pg_advisory_xact_lock(hashtext('grantd administration ' || current_schema()))",
            )
            .execute(tx.connection()?)
            .await?;
        }
        self.now = self.tx.time(&self.clock).await?.second();
        Ok(())
    }

    /// Who the database says is connected: with a pooler before it, the pooler.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn session(&mut self) -> Result<Option<Session>, StoreError> {
        let Tx::Postgres(tx) = &mut self.tx else {
            return Ok(None);
        };
        let (user, address) = sqlx::query_as(
            "SELECT session_user::text, coalesce(host(inet_client_addr()), 'local socket')",
        )
        .fetch_one(tx.connection()?)
        .await?;
        Ok(Some(Session { user, address }))
    }

    /// Whether an audience, a client or a signing key was changed after `seen`.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn has_changed_since(&mut self, seen: &FeedPosition) -> Result<bool, StoreError> {
        self.tx.has_changed_since(seen).await
    }

    pub(super) fn note(&mut self, kind: ChangeKind, key: &str) {
        self.changes.push(Change {
            kind,
            key: key.to_owned(),
        });
    }

    /// Lets replicas tell of the event `id`; of a change with very many events they tell the first ones, and how many more
    /// there are.
    pub(super) fn note_event(&mut self, id: &str) {
        if self.events < MOST_TOLD {
            self.note(ChangeKind::AuditEvent, id);
        }
        self.events += 1;
    }

    /// Ends the change. The caller forgets what changed before it answers.
    ///
    /// # Errors
    /// An unreachable database: then it is not known whether the change holds.
    pub async fn commit(mut self) -> Result<Committed, StoreError> {
        let untold = self.events.saturating_sub(MOST_TOLD);
        if untold > 0 {
            self.note(ChangeKind::AuditEvent, &format!("{MORE_EVENTS}{untold}"));
        }
        self.changes.sort();
        self.changes.dedup();
        if self.changes.is_empty() {
            self.tx.commit().await?;
            return Ok(Committed::default());
        }
        let n = self
            .tx
            .append_changes(&self.changes, (self.now, &self.random_id))
            .await?;
        self.tx.commit().await?;
        let position = FeedPosition {
            n,
            random_id: self.random_id,
        };
        Ok(Committed {
            changes: self.changes,
            position,
        })
    }
}
