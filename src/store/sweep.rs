//! Removes rows that nobody needs any more, in small steps.

use super::Store;
use super::database_clock::DatabaseTime;
use super::error::StoreError;
use super::transaction::on_db;
use crate::domain::timestamp::Seconds;

/// Rows that one step removes at most.
const STEP: i64 = 1000;
/// No token outlives the day that the catalog allows it, so what keeps tokens dead may go then.
const TOMBSTONE_KEPT: Seconds = Seconds::new(24 * 3600);

impl Store {
    /// Removes expired revocations, spent assertions that nobody would accept any more, signing keys that verify
    /// nothing any more, and what keeps tokens dead of which the last has expired: tombstones of clients, and marks of
    /// policies and issuers.
    ///
    /// Only the database's clock says what has expired: a replica whose own is fast would take from the others what
    /// they need.
    ///
    /// Returns whether another step may find more.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn sweep(&self, now: DatabaseTime) -> Result<bool, StoreError> {
        let end = now.forget_before();
        self.write(async |tx| {
            let (removed, forgotten) = on_db!(tx, conn => {
                sqlx::query(
                    "DELETE FROM clients WHERE status = 'deleted' AND deleted_at < $1",
                )
                .bind(end.minus(TOMBSTONE_KEPT).unix())
                .execute(&mut *conn)
                .await?;
                sqlx::query("DELETE FROM signing_keys WHERE expires_at < $1")
                    .bind(end.unix())
                    .execute(&mut *conn)
                    .await?;
                sqlx::query("DELETE FROM policy_marks WHERE tokens_not_before < $1")
                    .bind(end.minus(TOMBSTONE_KEPT).unix())
                    .execute(&mut *conn)
                    .await?;
                sqlx::query("DELETE FROM issuer_marks WHERE tokens_not_before < $1")
                    .bind(end.minus(TOMBSTONE_KEPT).unix())
                    .execute(&mut *conn)
                    .await?;
                let removed = sqlx::query(
                    "DELETE FROM revoked_tokens WHERE jti IN \
                     (SELECT jti FROM revoked_tokens WHERE expires_at < $1 LIMIT $2)",
                )
                .bind(end.unix())
                .bind(STEP)
                .execute(&mut *conn)
                .await?
                .rows_affected();
                let forgotten = sqlx::query(
                    "DELETE FROM used_assertions WHERE key IN \
                     (SELECT key FROM used_assertions WHERE expires_at < $1 LIMIT $2)",
                )
                .bind(end.unix())
                .bind(STEP)
                .execute(conn)
                .await?
                .rows_affected();
                (removed, forgotten)
            });
            Ok(removed.max(forgotten) >= STEP.unsigned_abs())
        })
        .await
    }
}
