//! When and from where credentials were last used: columns of `credentials`, written off the hot path.

use std::net::IpAddr;

use super::Store;
use super::error::StoreError;
use super::transaction::on_db;
use crate::domain::identifier::CredentialId;
use crate::domain::timestamp::Timestamp;

/// The last use of a credential.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CredentialUse {
    /// Which.
    pub id: CredentialId,
    /// When.
    pub at: Timestamp,
    /// The source address.
    pub from: IpAddr,
}

/// Last uses that one transaction writes.
const USES_STEP: usize = 500;

impl Store {
    /// Notes when and from where credentials were last used; no change that anybody needs to hear of. In small steps, so that
    /// no other writer waits for long.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn note_credential_use(&self, uses: &[CredentialUse]) -> Result<(), StoreError> {
        // In one order everywhere, so that replicas do not lock each other out.
        let mut uses: Vec<_> = uses.iter().collect();
        uses.sort();
        for step in uses.chunks(USES_STEP) {
            self.write_credential_uses(step).await?;
        }
        Ok(())
    }

    async fn write_credential_uses(&self, uses: &[&CredentialUse]) -> Result<(), StoreError> {
        self.write(async |tx| {
            for CredentialUse { id, at, from } in uses {
                on_db!(tx, conn => {
                    sqlx::query(
                        "UPDATE credentials SET last_used_at = $2, last_used_from = $3 WHERE id = $1 \
                         AND (last_used_at IS NULL OR last_used_at < $2)",
                    )
                    .bind(id.as_str())
                    .bind(at.unix())
                    .bind(from.to_string())
                    .execute(conn)
                    .await?;
                });
            }
            Ok(())
        })
        .await
    }
}
