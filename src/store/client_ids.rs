//! The ids of clients alone, some at a time, for whoever goes through all of them.

use super::Store;
use super::error::StoreError;
use super::transaction::on_db;

impl Store {
    /// At most `limit` ids of clients, deleted ones included, in their order, after `after`.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn client_ids_after(
        &self,
        after: &str,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        self.read(async |tx| {
            Ok(on_db!(tx, conn => {
                sqlx::query_scalar(
                    "SELECT client_id FROM clients WHERE client_id > $1 ORDER BY client_id LIMIT $2",
                )
                .bind(after)
                .bind(limit)
                .fetch_all(conn)
                .await?
            }))
        })
        .await
    }

    /// At most `limit` ids of clients that were not deleted and have so many characters, from the fewest to the most.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn client_ids_by_length(
        &self,
        (fewest, most): (usize, usize),
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        let bound = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
        self.read(async |tx| {
            Ok(on_db!(tx, conn => {
                sqlx::query_scalar(
                    "SELECT client_id FROM clients WHERE status <> 'deleted' \
                     AND length(client_id) BETWEEN $1 AND $2 ORDER BY client_id LIMIT $3",
                )
                .bind(bound(fewest))
                .bind(bound(most))
                .bind(limit)
                .fetch_all(conn)
                .await?
            }))
        })
        .await
    }

    /// At most `limit` ids of clients, in their order after `after`, that may contradict the profile fapi2: those with
    /// a secret's method or a second audience of assertions, and those with a key in whose JWK `RS256` occurs.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn ids_to_judge_after(
        &self,
        after: &str,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        self.read_all(async |tx| {
            Ok(on_db!(tx, conn => {
                sqlx::query_scalar(
                    "SELECT client_id FROM clients WHERE client_id > $1 AND status <> 'deleted' \
                     AND (auth_methods LIKE '%client_secret%' OR assertion_audience <> 'issuer') \
                     UNION SELECT client_id FROM credentials WHERE client_id > $1 \
                     AND kind = 'jwk' AND retired_at IS NULL AND material LIKE '%RS256%' \
                     ORDER BY client_id LIMIT $2",
                )
                .bind(after)
                .bind(limit)
                .fetch_all(conn)
                .await?
            }))
        })
        .await
    }
}
