//! The table `audit_events`: what happened, never with secret material.

use std::borrow::Cow;

use sqlx::QueryBuilder;

use super::Store;
use super::change::ChangeTx;
use super::error::StoreError;
use super::row::ROWS_AT_ONCE;
use super::transaction::{Tx, on_db};
use crate::domain::timestamp::Timestamp;

/// One event.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    /// Its random id.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it: a client id, or `operator`.
    pub actor: String,
    /// What was done.
    pub action: Cow<'static, str>,
    /// To what.
    pub target: String,
    /// More of it, as JSON.
    pub details: serde_json::Value,
}

impl Store {
    /// Writes events that change nothing themselves, such as refusals.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn write_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        self.write(async |tx| {
            for some in events.chunks(ROWS_AT_ONCE) {
                tx.insert_audit_events(some).await?;
            }
            Ok(())
        })
        .await
    }

    /// The number of events with this action; for tests and listings.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn count_audit_events(&self, action: &str) -> Result<i64, StoreError> {
        self.read_all(async |tx| {
            Ok(on_db!(tx, conn => {
                sqlx::query_scalar("SELECT count(*) FROM audit_events WHERE action = $1")
                    .bind(action)
                    .fetch_one(conn)
                    .await?
            }))
        })
        .await
    }
}

impl ChangeTx {
    /// Writes events that stand or fall with this change; so many are made at once as one statement takes.
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
            self.tx.insert_audit_events(&some).await?;
        }
    }
}

impl Tx {
    /// At least one.
    async fn insert_audit_events(&mut self, events: &[AuditEvent]) -> Result<(), StoreError> {
        on_db!(self, conn => {
            let mut statement = QueryBuilder::new(
                "INSERT INTO audit_events (id, at, actor, action, target, details) ",
            );
            statement.push_values(events, |mut row, event| {
                row.push_bind(&event.id)
                    .push_bind(event.at.unix())
                    .push_bind(&event.actor)
                    .push_bind(&*event.action)
                    .push_bind(&event.target)
                    .push_bind(event.details.to_string());
            });
            statement.push(" ON CONFLICT DO NOTHING");
            statement.build().persistent(false).execute(conn).await?;
        });
        Ok(())
    }
}
