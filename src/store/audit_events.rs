//! The table `audit_events`: what happened, never with secret material.

use super::Store;
use super::change::ChangeTx;
use super::error::StoreError;
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
    pub action: &'static str,
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
            for event in events {
                tx.insert_audit_event(event).await?;
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
    /// Writes an event that stands or falls with this change.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn audit(&mut self, event: &AuditEvent) -> Result<(), StoreError> {
        self.tx.insert_audit_event(event).await
    }
}

impl Tx {
    async fn insert_audit_event(&mut self, event: &AuditEvent) -> Result<(), StoreError> {
        on_db!(self, conn => {
            sqlx::query(
                "INSERT INTO audit_events (id, at, actor, action, target, details) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            )
            .bind(&event.id)
            .bind(event.at.unix())
            .bind(&event.actor)
            .bind(event.action)
            .bind(&event.target)
            .bind(event.details.to_string())
            .execute(conn)
            .await?;
        });
        Ok(())
    }
}
