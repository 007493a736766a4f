//! The table `clients`, and a client read with all that belongs to it.

use super::Store;
use super::change::ChangeTx;
use super::error::StoreError;
use super::feed::{ChangeKind, FeedPosition};
use super::row::{Row, list_text, row, unix};
use super::transaction::{Tx, on_db};
use crate::domain::client::{AssertionAudience, AuthMethod, Client, ClientStatus, GrantType};
use crate::domain::identifier::ClientId;
use crate::domain::known_client::KnownClient;
use crate::domain::timestamp::Timestamp;

/// What was read, and the feed's number in the same snapshot.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The value.
    pub value: T,
    /// The feed at that moment.
    pub feed: FeedPosition,
}

row! {
    struct ClientRow {
        client_id: String,
        name: Option<String>,
        owner: Option<String>,
        environment: Option<String>,
        tenant: Option<String>,
        status: String,
        grants: String,
        auth_methods: String,
        assertion_audience: String,
        max_assertion_lifetime: Option<i64>,
        dpop_bound_access_tokens: bool,
        certificate_bound_access_tokens: bool,
        claims: String,
        tokens_not_before: i64,
        created_at: i64,
        rotated_at: Option<i64>,
    }
}

/// Columns by name: a newer schema may add some while this version still runs.
macro_rules! client_rows {
    ($condition:literal) => {
        concat!(
            "SELECT client_id, name, owner, environment, tenant, status, grants, auth_methods, ",
            "assertion_audience, max_assertion_lifetime, dpop_bound_access_tokens, ",
            "certificate_bound_access_tokens, claims, tokens_not_before, created_at, rotated_at ",
            "FROM clients WHERE ",
            $condition
        )
    };
}

impl Store {
    /// One client with its credentials and policies, in one snapshot; `None` where it does not exist.
    /// A deleted client whose tokens may still live is found, with its status.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn load_client(
        &self,
        id: &ClientId,
    ) -> Result<Loaded<Option<KnownClient>>, StoreError> {
        self.database
            .bounded(async {
                let mut tx = self.begin_snapshot().await?;
                let feed = tx.feed_position().await?;
                let value = tx.known_client(id).await?;
                tx.commit().await?;
                Ok(Loaded { value, feed })
            })
            .await
    }

    /// At most `limit` ids of clients, deleted ones included, in their order, after `after`.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn client_ids_after(
        &self,
        after: &str,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        self.database
            .bounded(async {
                let mut tx = self.begin_snapshot().await?;
                let ids = on_db!(&mut tx, conn => {
                    sqlx::query_scalar(
                        "SELECT client_id FROM clients WHERE client_id > $1 ORDER BY client_id LIMIT $2",
                    )
                    .bind(after)
                    .bind(limit)
                    .fetch_all(conn)
                    .await?
                });
                tx.commit().await?;
                Ok(ids)
            })
            .await
    }

    /// At most `limit` ids of clients, in their order after `after`, that may contradict the profile fapi2: those with
    /// a secret's method or a second audience of assertions, and those with a key in whose JWK `RS256` occurs.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn ids_to_judge_after(
        &self,
        after: &str,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        let reading = async {
            let mut tx = self.begin_snapshot().await?;
            let ids = on_db!(&mut tx, conn => {
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
            });
            tx.commit().await?;
            Ok(ids)
        };
        self.database.judged(reading).await
    }

    /// All clients but deleted ones, each with its credentials and policies, sorted by id.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn all_clients(&self) -> Result<Vec<KnownClient>, StoreError> {
        let reading = async {
            let mut tx = self.begin_snapshot().await?;
            let clients = tx.all_clients().await?;
            tx.commit().await?;
            Ok(clients)
        };
        self.database.judged(reading).await
    }
}

impl Tx {
    pub(super) async fn known_client(
        &mut self,
        id: &ClientId,
    ) -> Result<Option<KnownClient>, StoreError> {
        let row: Option<ClientRow> = on_db!(self, conn => {
            sqlx::query_as(client_rows!("client_id = $1"))
                .bind(id.as_str())
                .fetch_optional(conn)
                .await?
        });
        let Some(row) = row else { return Ok(None) };
        Ok(Some(KnownClient {
            client: row.into_client()?,
            credentials: self.credentials_of(id).await?,
            policies: self.policies_of(id).await?,
        }))
    }

    pub(super) async fn all_clients(&mut self) -> Result<Vec<KnownClient>, StoreError> {
        let rows: Vec<ClientRow> = on_db!(self, conn => {
            sqlx::query_as(client_rows!("status <> 'deleted'"))
                .fetch_all(conn)
                .await?
        });
        self.with_belongings(rows).await
    }

    /// In three statements, however many clients there are.
    async fn with_belongings(
        &mut self,
        rows: Vec<ClientRow>,
    ) -> Result<Vec<KnownClient>, StoreError> {
        let mut credentials = self.all_credentials().await?;
        let mut policies = self.all_policies().await?;
        let mut clients = Vec::with_capacity(rows.len());
        for row in rows {
            let client = row.into_client()?;
            let id = client.id.as_str();
            clients.push(KnownClient {
                credentials: credentials.remove(id).unwrap_or_default(),
                policies: policies.remove(id).unwrap_or_default(),
                client,
            });
        }
        clients.sort_by(|a, b| a.client.id.cmp(&b.client.id));
        Ok(clients)
    }
}

impl ChangeTx {
    /// One client as it stands inside this transaction.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn client(&mut self, id: &ClientId) -> Result<Option<KnownClient>, StoreError> {
        self.tx.known_client(id).await
    }

    /// All clients as they stand inside this transaction, and those that were deleted lately with them.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn clients_and_deleted_ones(&mut self) -> Result<Vec<KnownClient>, StoreError> {
        let rows: Vec<ClientRow> = on_db!(&mut self.tx, conn => {
            sqlx::query_as(client_rows!("1 = 1")).fetch_all(conn).await?
        });
        self.tx.with_belongings(rows).await
    }

    /// Writes a client, new or not. `tokens_not_before` never goes back, so that a client made anew under
    /// the id of a deleted one revives none of its tokens.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn put_client(&mut self, client: &Client) -> Result<(), StoreError> {
        on_db!(&mut self.tx, conn => {
            sqlx::query(
                "INSERT INTO clients (client_id, name, owner, environment, tenant, status, grants, \
                 auth_methods, assertion_audience, max_assertion_lifetime, dpop_bound_access_tokens, \
                 certificate_bound_access_tokens, claims, tokens_not_before, created_at, rotated_at, \
                 deleted_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, NULL) \
                 ON CONFLICT (client_id) DO UPDATE SET name = $2, owner = $3, environment = $4, \
                 tenant = $5, status = $6, grants = $7, auth_methods = $8, assertion_audience = $9, \
                 max_assertion_lifetime = $10, dpop_bound_access_tokens = $11, \
                 certificate_bound_access_tokens = $12, claims = $13, \
                 tokens_not_before = CASE WHEN clients.tokens_not_before > $14 \
                 THEN clients.tokens_not_before ELSE $14 END, \
                 created_at = $15, rotated_at = $16, deleted_at = NULL",
            )
            .bind(client.id.as_str())
            .bind(&client.name)
            .bind(&client.owner)
            .bind(&client.environment)
            .bind(&client.tenant)
            .bind(client.status.as_str())
            .bind(list_text(&client.grants))
            .bind(list_text(&client.auth_methods))
            .bind(client.assertion_audience.as_str())
            .bind(client.max_assertion_lifetime.map(|span| i64::from(span.get())))
            .bind(client.dpop_bound_access_tokens)
            .bind(client.certificate_bound_access_tokens)
            .bind(serde_json::Value::Object(client.claims.clone()).to_string())
            .bind(client.tokens_not_before.unix())
            .bind(client.created_at.unix())
            .bind(unix(client.rotated_at))
            .execute(conn)
            .await?;
        });
        self.note(ChangeKind::Client, client.id.as_str());
        Ok(())
    }

    /// Deletes a client with its credentials and policies. The row itself stays as a tombstone until
    /// [`Store::sweep`] removes it, so that its tokens stay dead; `tokens_not_before` never goes back.
    ///
    /// # Errors
    /// A database out of reach, or no such client.
    pub async fn delete_client(
        &mut self,
        id: &ClientId,
        (now, tokens_not_before): (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        let touched = on_db!(&mut self.tx, conn => {
            sqlx::query("DELETE FROM credentials WHERE client_id = $1")
                .bind(id.as_str())
                .execute(&mut *conn)
                .await?;
            sqlx::query("DELETE FROM policies WHERE client_id = $1")
                .bind(id.as_str())
                .execute(&mut *conn)
                .await?;
            sqlx::query(
                "UPDATE clients SET status = 'deleted', deleted_at = $2, \
                 tokens_not_before = CASE WHEN tokens_not_before > $3 \
                 THEN tokens_not_before ELSE $3 END \
                 WHERE client_id = $1 AND status <> 'deleted'",
            )
            .bind(id.as_str())
            .bind(now.unix())
            .bind(tokens_not_before.unix())
            .execute(conn)
            .await?
            .rows_affected()
        });
        self.note(ChangeKind::Client, id.as_str());
        touched_one(touched, id.as_str())
    }
}

/// An update that touched another number of rows than one met somebody else's change.
pub(super) fn touched_one(touched: u64, key: &str) -> Result<(), StoreError> {
    if touched == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict(key.to_owned()))
    }
}

impl ClientRow {
    fn into_client(self) -> Result<Client, StoreError> {
        let at = Row {
            table: "clients",
            key: &self.client_id,
        };
        Ok(Client {
            id: at.read("client_id", ClientId::parse(&self.client_id).ok())?,
            status: at.read("status", ClientStatus::from_text(&self.status))?,
            grants: at.list("grants", &self.grants, GrantType::from_text)?,
            auth_methods: at.list("auth_methods", &self.auth_methods, AuthMethod::from_text)?,
            assertion_audience: at.read(
                "assertion_audience",
                AssertionAudience::from_text(&self.assertion_audience),
            )?,
            max_assertion_lifetime: self
                .max_assertion_lifetime
                .map(|span| at.seconds("max_assertion_lifetime", span))
                .transpose()?,
            dpop_bound_access_tokens: self.dpop_bound_access_tokens,
            certificate_bound_access_tokens: self.certificate_bound_access_tokens,
            claims: at.json("claims", &self.claims)?,
            tokens_not_before: Timestamp::from_unix(self.tokens_not_before),
            created_at: Timestamp::from_unix(self.created_at),
            rotated_at: self.rotated_at.map(Timestamp::from_unix),
            name: self.name,
            owner: self.owner,
            environment: self.environment,
            tenant: self.tenant,
        })
    }
}
