//! The table `used_assertions`: what may be used once.

use super::Store;
use super::error::StoreError;
use super::transaction::on_db;
use crate::domain::timestamp::Timestamp;

impl Store {
    /// Notes the use of each key, and tells for each whether it is the first one; all is durable by then.
    ///
    /// # Errors
    /// A database out of reach: then nothing is known of any of them.
    pub async fn use_assertions(
        &self,
        used: &[(String, Timestamp)],
    ) -> Result<Vec<bool>, StoreError> {
        self.database
            .bounded(async {
                let mut tx = self.begin_write().await?;
                let mut first = Vec::with_capacity(used.len());
                for (key, expires_at) in used {
                    let inserted = on_db!(&mut tx, conn => {
                        sqlx::query(
                            "INSERT INTO used_assertions (key, expires_at) VALUES ($1, $2) \
                             ON CONFLICT DO NOTHING",
                        )
                        .bind(key)
                        .bind(expires_at.unix())
                        .execute(conn)
                        .await?
                        .rows_affected()
                    });
                    first.push(inserted == 1);
                }
                tx.commit().await?;
                Ok(first)
            })
            .await
    }
}
