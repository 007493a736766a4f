//! Credentials of clients as administrators list them.

use sqlx::QueryBuilder;

use super::{CredentialRow, by_client, read_owner};
use crate::domain::credential::Credential;
use crate::domain::identifier::ClientId;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::transaction::on_db;

/// Which credentials are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// All of them.
    All,
    /// Those live at `now` that expire before `until`.
    Expiring {
        /// The instant.
        now: Timestamp,
        /// The end of what is looked at.
        until: Timestamp,
    },
    /// Those live at `now` that nobody used since, and that were there then.
    UnusedSince {
        /// The instant.
        now: Timestamp,
        /// Since when.
        since: Timestamp,
    },
    /// Those live at `now` that are the only one of their kind which their client has, retired ones counted.
    NeverRotated {
        /// The instant.
        now: Timestamp,
    },
}

impl Store {
    /// Credentials with their clients, of `client` or of all, sorted by client and age.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn list_credentials(
        &self,
        listed: Listed,
        client: Option<&ClientId>,
    ) -> Result<Vec<(ClientId, Credential)>, StoreError> {
        self.read_all(async |tx| {
            let rows: Vec<CredentialRow> = on_db!(tx, conn => {
                let mut statement = QueryBuilder::new(CredentialRow::SELECT);
                let live = |now: Timestamp| format!(
                    " AND (retired_at IS NULL OR retired_at > {0}) \
                     AND (expires_at IS NULL OR expires_at > {0})",
                    now.unix(),
                );
                // Only numbers of our own are written into it.
                statement.push(match listed {
                    Listed::All => " WHERE 1 = 1".to_owned(),
                    Listed::Expiring { now, until } => {
                        format!(" WHERE expires_at < {}{}", until.unix(), live(now))
                    }
                    Listed::UnusedSince { now, since } => format!(
                        " WHERE coalesce(last_used_at, active_from, created_at) <= {0} \
                         AND created_at <= {0}{1}",
                        since.unix(),
                        live(now),
                    ),
                    Listed::NeverRotated { now } => format!(
                        " WHERE NOT EXISTS (SELECT 1 FROM credentials AS others \
                         WHERE others.client_id = credentials.client_id \
                         AND others.kind = credentials.kind AND others.id <> credentials.id){}",
                        live(now),
                    ),
                });
                if let Some(client) = client {
                    statement.push(" AND client_id = ").push_bind(client.as_str());
                }
                statement.build_query_as().fetch_all(conn).await?
            });
            let mut all = Vec::new();
            for (client, credentials) in by_client(rows)? {
                let owner = read_owner(&client, &client)?;
                all.extend(credentials.into_iter().map(|it| (owner.clone(), it)));
            }
            all.sort_by(|(a, _), (b, _)| a.cmp(b));
            Ok(all)
        })
        .await
    }
}
