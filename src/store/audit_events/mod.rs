//! The table `audit_events`: what happened, never with secret material. Nothing but time and number removes an event, and
//! nothing but the count of an alert changes.

mod read;
mod retention;

pub use read::{AuditPage, EventPlace, StoredEvent};
pub use retention::AuditRetention;

use std::borrow::Cow;

use sqlx::QueryBuilder;

use super::Store;
use super::change::ChangeTx;
use super::error::StoreError;
use super::row::ROWS_AT_ONCE;
use super::transaction::{Tx, on_db};
use crate::domain::client::named;
use crate::domain::timestamp::Timestamp;

/// One event.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    /// Its own, and of none other; an alert has the same on every replica.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it: a client id, or who runs a command.
    pub actor: String,
    /// What was done.
    pub action: Cow<'static, str>,
    /// To what.
    pub target: String,
    /// More of it, as JSON.
    pub details: serde_json::Value,
}

named! {
    /// What kind of event it is.
    AuditKind {
        /// Somebody changed what grantd keeps.
        Change = "change",
        /// A request was refused or abandoned, or its token is inactive; or so many were left out.
        Refusal = "refusal",
        /// Something that a person should look at.
        Alert = "alert",
    }
}

impl Store {
    /// Writes events that change nothing themselves: refusals, and alerts with how often each happened. An alert that is
    /// there already is counted on.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn write_audit_events(
        &self,
        refusals: &[AuditEvent],
        alerts: &[(AuditEvent, u32)],
    ) -> Result<(), StoreError> {
        self.write(async |tx| {
            for some in refusals.chunks(ROWS_AT_ONCE) {
                let once = some.iter().map(|event| (event, 1));
                tx.insert_audit_events(AuditKind::Refusal, once).await?;
            }
            for some in alerts.chunks(ROWS_AT_ONCE) {
                let counted = some.iter().map(|(event, count)| (event, *count));
                tx.insert_audit_events(AuditKind::Alert, counted).await?;
            }
            Ok(())
        })
        .await
    }

    /// How often this action happened; for tests and listings.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn count_audit_events(&self, action: &str) -> Result<i64, StoreError> {
        self.read_all(async |tx| {
            Ok(on_db!(tx, conn => {
                sqlx::query_scalar(
                    "SELECT CAST(COALESCE(sum(count), 0) AS BIGINT) FROM audit_events WHERE action = $1",
                )
                .bind(action)
                .fetch_one(conn)
                .await?
            }))
        })
        .await
    }
}

impl ChangeTx {
    /// Writes events that stand or fall with this change; so many are made at once as one statement takes. Replicas hear
    /// of them in the feed.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn audit(
        &mut self,
        events: impl IntoIterator<Item = AuditEvent>,
    ) -> Result<(), StoreError> {
        let mut events = events.into_iter();
        loop {
            let some: Vec<AuditEvent> = events.by_ref().take(ROWS_AT_ONCE).collect();
            if some.is_empty() {
                return Ok(());
            }
            for event in &some {
                self.note_event(&event.id);
            }
            let once = some.iter().map(|event| (event, 1));
            self.tx.insert_audit_events(AuditKind::Change, once).await?;
        }
    }
}

impl Tx {
    /// At least one.
    async fn insert_audit_events<'e>(
        &mut self,
        kind: AuditKind,
        events: impl Iterator<Item = (&'e AuditEvent, u32)>,
    ) -> Result<(), StoreError> {
        on_db!(self, conn => {
            let mut statement = QueryBuilder::new(
                "INSERT INTO audit_events (id, at, kind, count, actor, action, target, details) ",
            );
            statement.push_values(events, |mut row, (event, count)| {
                row.push_bind(&event.id)
                    .push_bind(event.at.unix())
                    .push_bind(kind.as_str())
                    .push_bind(i64::from(count))
                    .push_bind(&event.actor)
                    .push_bind(&*event.action)
                    .push_bind(&event.target)
                    .push_bind(event.details.to_string());
            });
            statement.push(
                " ON CONFLICT (id) DO UPDATE SET count = audit_events.count + excluded.count \
                 WHERE audit_events.kind = 'alert'",
            );
            statement.build().persistent(false).execute(conn).await?;
        });
        Ok(())
    }
}
