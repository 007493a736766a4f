//! Puts rows back to what they were. Marks of killed tokens go back with them, as nothing else lets them: this is for
//! `grantd dev` alone, where a test begins anew.

use sqlx::QueryBuilder;

use super::change::ChangeTx;
use super::error::StoreError;
use super::feed::{Change, ChangeKind, FeedPosition};
use super::lists::listed;
use super::row::ROWS_AT_ONCE;
use super::signing_keys::StoredKey;
use super::transaction::on_db;
use crate::domain::audience::Audience;
use crate::domain::identifier::{AudienceId, ClientId, IssuerId};
use crate::domain::known_client::KnownClient;
use crate::domain::trusted_issuer::TrustedIssuer;

/// Clients, audiences and issuers that were changed, and what they were; what is among `changed` alone was not there.
#[derive(Debug, Default)]
pub struct Earlier<'e> {
    /// The ids of clients.
    pub changed_clients: Vec<ClientId>,
    /// Those that there were, none of them deleted.
    pub clients: Vec<&'e KnownClient>,
    /// The identifiers of audiences.
    pub changed_audiences: Vec<AudienceId>,
    /// Those that there were.
    pub audiences: Vec<&'e Audience>,
    /// The ids of issuers.
    pub changed_issuers: Vec<IssuerId>,
    /// Those that there were.
    pub issuers: Vec<&'e TrustedIssuer>,
}

impl ChangeTx {
    /// What was changed after `seen`; `None` where that cannot be told any more.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn changed_since(
        &mut self,
        seen: &FeedPosition,
    ) -> Result<Option<Vec<Change>>, StoreError> {
        self.tx.changed_since(seen).await
    }

    /// Puts clients, with all that belongs to them, and audiences back to what they were.
    ///
    /// # Errors
    /// A database out of reach, or a client with a policy for an audience that there was not.
    pub async fn put_back(&mut self, earlier: &Earlier<'_>) -> Result<(), StoreError> {
        self.remove_clients(&earlier.changed_clients).await?;
        let stays = |id: &&AudienceId| earlier.audiences.iter().any(|it| it.id == **id);
        for id in earlier.changed_audiences.iter().filter(|id| !stays(id)) {
            self.remove_audience(id).await?;
        }
        for audience in &earlier.audiences {
            self.put_audience(audience).await?;
        }
        self.forget_issuers(&earlier.changed_issuers).await?;
        let issuers: Vec<_> = earlier.issuers.iter().copied().cloned().collect();
        self.put_issuers(&issuers).await?;
        let clients: Vec<_> = earlier.clients.iter().map(|it| it.client.clone()).collect();
        self.put_clients(&clients).await?;
        let of_each = earlier.clients.iter().map(|it| (&it.client.id, it));
        let credentials: Vec<_> = of_each
            .clone()
            .flat_map(|(id, it)| it.credentials.iter().map(|it| (id.clone(), it.clone())))
            .collect();
        self.put_credentials(&credentials).await?;
        let policies: Vec<_> = of_each
            .clone()
            .flat_map(|(id, it)| it.policies.iter().map(|it| (id.clone(), it.clone())))
            .collect();
        self.put_policies(&policies).await?;
        let marks: Vec<_> = of_each
            .flat_map(|(id, it)| {
                let marks = it.policy_marks.iter();
                marks.map(|(audience, mark)| (id.clone(), audience.clone(), *mark))
            })
            .collect();
        self.mark_policies(&marks).await
    }

    /// Puts the signing keys back to these.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn put_keys_back(&mut self, keys: &[StoredKey]) -> Result<(), StoreError> {
        let gone: Vec<String> = on_db!(&mut self.tx, conn => {
            sqlx::query_scalar("DELETE FROM signing_keys RETURNING kid").fetch_all(conn).await?
        });
        for kid in &gone {
            self.note(ChangeKind::SigningKey, kid);
        }
        for key in keys {
            self.insert_signing_key(key).await?;
        }
        Ok(())
    }

    /// Forgets each revocation of a token and each `jti` that is spent. Whoever spends one meanwhile must be waited for.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn forget_revocations_and_uses(&mut self) -> Result<(), StoreError> {
        on_db!(&mut self.tx, conn => {
            sqlx::query("DELETE FROM revoked_tokens").execute(&mut *conn).await?;
            sqlx::query("DELETE FROM used_assertions").execute(conn).await?;
        });
        Ok(())
    }

    /// Removes clients with all that belongs to them, and leaves no tombstones.
    async fn remove_clients(&mut self, ids: &[ClientId]) -> Result<(), StoreError> {
        const TABLES: [&str; 4] = [
            "DELETE FROM credentials WHERE ",
            "DELETE FROM policies WHERE ",
            "DELETE FROM policy_marks WHERE ",
            "DELETE FROM clients WHERE ",
        ];
        for some in ids.chunks(ROWS_AT_ONCE) {
            on_db!(&mut self.tx, conn => {
                for table in TABLES {
                    let mut statement = QueryBuilder::new(table);
                    listed!(statement, "client_id", some);
                    statement.build().persistent(false).execute(&mut *conn).await?;
                }
            });
        }
        for id in ids {
            self.note(ChangeKind::Client, id.as_str());
        }
        Ok(())
    }

    /// Removes an audience that nobody has a policy for any more.
    async fn remove_audience(&mut self, id: &AudienceId) -> Result<(), StoreError> {
        on_db!(&mut self.tx, conn => {
            sqlx::query("DELETE FROM audiences WHERE identifier = $1")
                .bind(id.as_str())
                .execute(conn)
                .await?;
        });
        self.note(ChangeKind::Audience, id.as_str());
        Ok(())
    }
}
