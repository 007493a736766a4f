//! Which credentials end next, of all clients.

use super::Store;
use super::error::StoreError;
use super::transaction::on_db;
use crate::domain::timestamp::{Seconds, Timestamp};

/// A credential that has ended is still among them for so long.
const SHOWN_AFTER: Seconds = Seconds::new(24 * 3600);

/// A credential that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// Its client's id.
    pub client: String,
    /// Its own.
    pub credential: String,
    /// Its kind, as in listings.
    pub kind: String,
    /// When it ends.
    pub at: Timestamp,
}

impl Store {
    /// The `most` credentials that end first, after `now` or in the day before, of clients that are not deleted; without
    /// those that are retired.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn next_expiries(
        &self,
        now: Timestamp,
        most: i64,
    ) -> Result<Vec<Expiry>, StoreError> {
        // However long it takes: nobody waits for it, and a timeout would leave all connections behind.
        self.read_all(async |tx| {
            let rows: Vec<(String, String, String, i64)> = on_db!(tx, conn => {
                sqlx::query_as(
                    "SELECT c.client_id, c.id, c.kind, c.expires_at FROM credentials c \
                     JOIN clients k ON k.client_id = c.client_id AND k.status <> 'deleted' \
                     WHERE c.expires_at IS NOT NULL AND c.expires_at > $1 \
                     AND (c.retired_at IS NULL OR c.retired_at > $2) \
                     ORDER BY c.expires_at, c.id LIMIT $3",
                )
                .bind(now.minus(SHOWN_AFTER).unix())
                .bind(now.unix())
                .bind(most)
                .fetch_all(conn)
                .await?
            });
            Ok(rows.into_iter().map(Expiry::from).collect())
        })
        .await
    }
}

impl From<(String, String, String, i64)> for Expiry {
    fn from((client, credential, kind, at): (String, String, String, i64)) -> Self {
        Self {
            client,
            credential,
            kind,
            at: Timestamp::from_unix(at),
        }
    }
}
