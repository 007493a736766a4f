//! Removes events that were kept for long enough, or are too many, in small steps.

use super::{AuditKind, EventPlace};
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::store::Store;
use crate::store::database_clock::DatabaseTime;
use crate::store::error::StoreError;
use crate::store::transaction::on_db;

/// Rows that one step removes at most.
const STEP: i64 = 1000;

/// What is kept of the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditRetention {
    /// For how long, of changes and alerts.
    pub changes: Seconds,
    /// For how long, of refusals.
    pub refusals: Seconds,
    /// How many refusals, whatever their age.
    pub most_refusals: u32,
}

impl Store {
    /// Removes what is not to be kept, the oldest first; a step at a time, so that no writer waits for long.
    ///
    /// # Errors
    /// A database out of reach: what was removed by then is removed.
    pub async fn sweep_audit_events(
        &self,
        now: DatabaseTime,
        retention: AuditRetention,
    ) -> Result<(), StoreError> {
        let end = now.forget_before();
        let too_many = self.first_refusal_past(retention.most_refusals).await?;
        let too_old = before(end.minus(retention.refusals));
        let last = too_many.map_or(too_old.clone(), |it| it.max(too_old));
        self.remove_events(AuditKind::Refusal, &last).await?;
        let too_old = before(end.minus(retention.changes));
        self.remove_events(AuditKind::Change, &too_old).await?;
        self.remove_events(AuditKind::Alert, &too_old).await
    }

    /// The newest refusal that has `most` newer ones.
    async fn first_refusal_past(&self, most: u32) -> Result<Option<EventPlace>, StoreError> {
        // It steps over as many entries of an index; nobody waits for it.
        self.read_all(async |tx| {
            let found: Option<(i64, String)> = on_db!(tx, conn => {
                sqlx::query_as(
                    "SELECT at, id FROM audit_events WHERE kind = 'refusal' \
                     ORDER BY at DESC, id DESC LIMIT 1 OFFSET $1",
                )
                .bind(i64::from(most))
                .fetch_optional(conn)
                .await?
            });
            Ok(found.map(|(at, id)| EventPlace {
                at: Timestamp::from_unix(at),
                id,
            }))
        })
        .await
    }

    /// Removes the events of `kind` up to `last`.
    async fn remove_events(&self, kind: AuditKind, last: &EventPlace) -> Result<(), StoreError> {
        loop {
            let removed = self
                .write(async |tx| {
                    Ok(on_db!(tx, conn => {
                        sqlx::query(
                            "DELETE FROM audit_events WHERE id IN (SELECT id FROM audit_events \
                             WHERE kind = $1 AND at <= $2 AND (at < $2 OR id <= $3) \
                             ORDER BY at, id LIMIT $4)",
                        )
                        .bind(kind.as_str())
                        .bind(last.at.unix())
                        .bind(last.id.as_str())
                        .bind(STEP)
                        .execute(conn)
                        .await?
                        .rows_affected()
                    }))
                })
                .await?;
            if removed < STEP.unsigned_abs() {
                return Ok(());
            }
        }
    }
}

/// The place before all of that second.
const fn before(at: Timestamp) -> EventPlace {
    EventPlace {
        at,
        id: String::new(),
    }
}
