//! The identities that an issuer says.

use sqlx::QueryBuilder;

use super::{CredentialRow, read_owner};
use crate::domain::credential::Credential;
use crate::domain::identifier::{ClientId, IssuerId};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::transaction::on_db;

/// Which identities an issuer says; its id follows.
const OF_ISSUER: &str = " WHERE kind = 'identity' AND form = ";

impl Store {
    /// At most `limit` identities that `issuer` says, live or not, each with its client, sorted by both, that come after
    /// `after`. Deleted clients have none.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn identities_after(
        &self,
        issuer: &IssuerId,
        after: Option<&(ClientId, Credential)>,
        limit: i64,
    ) -> Result<Vec<(ClientId, Credential)>, StoreError> {
        let (client, id) = after.map_or(("", ""), |(client, it)| (client.as_str(), it.id.as_str()));
        self.read_all(async |tx| {
            let rows: Vec<CredentialRow> = on_db!(tx, conn => {
                QueryBuilder::new(CredentialRow::SELECT)
                    .push(OF_ISSUER)
                    .push_bind(issuer.as_str())
                    .push(" AND (client_id, id) > (")
                    .push_bind(client)
                    .push(", ")
                    .push_bind(id)
                    .push(") ORDER BY client_id, id LIMIT ")
                    .push_bind(limit)
                    .build_query_as()
                    .fetch_all(conn)
                    .await?
            });
            let read = rows.into_iter().map(|row| {
                let owner = read_owner(&row.client_id, &row.id)?;
                Ok((owner, row.into_credential()?))
            });
            read.collect()
        })
        .await
    }

    /// How many identities [`Self::identities_after`] gives of `issuer`, page after page.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn count_identities(&self, issuer: &IssuerId) -> Result<u64, StoreError> {
        let number: i64 = self
            .read_all(async |tx| {
                Ok(on_db!(tx, conn => {
                    QueryBuilder::new("SELECT count(*) FROM credentials")
                        .push(OF_ISSUER)
                        .push_bind(issuer.as_str())
                        .build_query_scalar()
                        .fetch_one(conn)
                        .await?
                }))
            })
            .await?;
        Ok(u64::try_from(number).unwrap_or_default())
    }
}
