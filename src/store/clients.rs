//! The table `clients`, and a client read with all that belongs to it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use sqlx::QueryBuilder;

use super::Store;
use super::change::ChangeTx;
use super::error::StoreError;
use super::feed::ChangeKind;
use super::lists::listed;
use super::loaded::Loaded;
use super::row::{ROWS_AT_ONCE, Row, list_text, object_text, row, seconds, unix};
use super::touched::touched_each;
use super::transaction::{Tx, on_db};
use crate::domain::audience::Audience;
use crate::domain::client::{AssertionAudience, AuthMethod, Client, ClientStatus, GrantType};
use crate::domain::identifier::{AudienceId, ClientId, IssuerId};
use crate::domain::known_client::KnownClient;
use crate::domain::timestamp::Timestamp;
use crate::domain::trusted_issuer::TrustedIssuer;

row! {
    struct ClientRow of "clients" {
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
        max_tokens_per_minute: Option<i64>,
        tokens_not_before: i64,
        created_at: i64,
        rotated_at: Option<i64>,
        deleted_at: Option<i64>,
    }
}

/// All that a catalog can state, as the database has it.
#[derive(Debug, Default, PartialEq)]
pub struct Contents {
    /// Sorted by identifier.
    pub audiences: Vec<Audience>,
    /// Sorted by id.
    pub issuers: Vec<TrustedIssuer>,
    /// Sorted by id; recently deleted ones are among them.
    pub clients: Vec<KnownClient>,
    /// See [`ChangeTx::issuer_marks`].
    pub issuer_marks: BTreeMap<IssuerId, Timestamp>,
}

impl Store {
    /// One client with its credentials and policies, in one snapshot; `None` where it does not exist.
    /// A deleted client whose tokens may still live is found, with its status.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn load_client(
        &self,
        id: &ClientId,
    ) -> Result<Loaded<Option<KnownClient>>, StoreError> {
        self.read(async |tx| {
            let feed = tx.feed_position().await?;
            let value = tx.known_client(id).await?;
            Ok(Loaded { value, feed })
        })
        .await
    }

    /// All clients but deleted ones, each with its credentials and policies, sorted by id.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn all_clients(&self) -> Result<Vec<KnownClient>, StoreError> {
        self.read_all(Tx::all_clients).await
    }
}

impl Store {
    /// All audiences, issuers and clients, including recently deleted ones, in one snapshot with the feed's number.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn load_catalog(&self) -> Result<Loaded<Contents>, StoreError> {
        self.read_all(async |tx| {
            let feed = tx.feed_position().await?;
            let value = tx.contents().await?;
            Ok(Loaded { value, feed })
        })
        .await
    }
}

impl Store {
    /// The first clients by id, without deleted ones, and the audiences that their policies name. The cost does not
    /// depend on the number of other clients.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn first_of_catalog(
        &self,
        most: i64,
    ) -> Result<(Vec<Audience>, Vec<KnownClient>), StoreError> {
        self.read_all(async |tx| {
            let clients = tx.first_clients(most).await?;
            let policies = clients.iter().flat_map(|it| &it.policies);
            let named: BTreeSet<AudienceId> = policies.map(|it| it.audience.clone()).collect();
            let mut audiences = Vec::with_capacity(named.len());
            for id in named {
                audiences.extend(tx.audience(&id).await?);
            }
            Ok((audiences, clients))
        })
        .await
    }
}

impl Tx {
    async fn contents(&mut self) -> Result<Contents, StoreError> {
        Ok(Contents {
            audiences: self.all_audiences().await?,
            issuers: self.all_issuers().await?,
            clients: self.clients_and_deleted_ones().await?,
            issuer_marks: self.issuer_marks().await?,
        })
    }

    async fn first_clients(&mut self, most: i64) -> Result<Vec<KnownClient>, StoreError> {
        let rows: Vec<ClientRow> = on_db!(self, conn => {
            QueryBuilder::new(ClientRow::SELECT)
                .push(" WHERE status <> 'deleted' ORDER BY client_id LIMIT ")
                .push_bind(most)
                .build_query_as()
                .fetch_all(conn)
                .await?
        });
        let mut clients = Vec::with_capacity(rows.len());
        for row in rows {
            clients.push(self.with_its_own(row).await?);
        }
        Ok(clients)
    }

    async fn with_its_own(&mut self, row: ClientRow) -> Result<KnownClient, StoreError> {
        let client = row.into_client()?;
        Ok(KnownClient {
            credentials: self.credentials_of(&client.id).await?,
            policies: self.policies_of(&client.id).await?,
            policy_marks: self.policy_marks_of(&client.id).await?,
            client,
        })
    }

    async fn clients_and_deleted_ones(&mut self) -> Result<Vec<KnownClient>, StoreError> {
        let rows: Vec<ClientRow> = on_db!(self, conn => {
            QueryBuilder::new(ClientRow::SELECT).build_query_as().fetch_all(conn).await?
        });
        self.with_belongings(rows).await
    }

    pub(super) async fn known_client(
        &mut self,
        id: &ClientId,
    ) -> Result<Option<KnownClient>, StoreError> {
        let row: Option<ClientRow> = on_db!(self, conn => {
            QueryBuilder::new(ClientRow::SELECT)
                .push(" WHERE client_id = ")
                .push_bind(id.as_str())
                .build_query_as()
                .fetch_optional(conn)
                .await?
        });
        match row {
            Some(row) => Ok(Some(self.with_its_own(row).await?)),
            None => Ok(None),
        }
    }

    /// The clients that have a policy for `audience`, without what belongs to them, sorted by id.
    pub(super) async fn clients_with_policy(
        &mut self,
        audience: &AudienceId,
    ) -> Result<Vec<Client>, StoreError> {
        let rows: Vec<ClientRow> = on_db!(self, conn => {
            QueryBuilder::new(ClientRow::SELECT)
                .push(" WHERE client_id IN (SELECT client_id FROM policies WHERE audience = ")
                .push_bind(audience.as_str())
                .push(")")
                .build_query_as()
                .fetch_all(conn)
                .await?
        });
        let clients = rows.into_iter().map(ClientRow::into_client);
        let mut clients: Vec<Client> = clients.collect::<Result<_, _>>()?;
        clients.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(clients)
    }

    pub(super) async fn all_clients(&mut self) -> Result<Vec<KnownClient>, StoreError> {
        let rows: Vec<ClientRow> = on_db!(self, conn => {
            QueryBuilder::new(ClientRow::SELECT)
                .push(" WHERE status <> 'deleted'")
                .build_query_as()
                .fetch_all(conn)
                .await?
        });
        self.with_belongings(rows).await
    }

    /// In four statements, however many clients there are.
    async fn with_belongings(
        &mut self,
        rows: Vec<ClientRow>,
    ) -> Result<Vec<KnownClient>, StoreError> {
        let mut credentials = self.all_credentials().await?;
        let mut policies = self.all_policies().await?;
        let mut marks = self.all_policy_marks().await?;
        let mut clients = Vec::with_capacity(rows.len());
        for row in rows {
            let client = row.into_client()?;
            let id = client.id.as_str();
            clients.push(KnownClient {
                credentials: credentials.remove(id).unwrap_or_default(),
                policies: policies.remove(id).unwrap_or_default(),
                policy_marks: marks.remove(id).unwrap_or_default(),
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
    /// An unreachable database, or a corrupt row.
    pub async fn client(&mut self, id: &ClientId) -> Result<Option<KnownClient>, StoreError> {
        self.tx.known_client(id).await
    }

    /// All that a catalog could state, as seen by this transaction, and recently deleted clients.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn contents(&mut self) -> Result<Contents, StoreError> {
        self.tx.contents().await
    }

    /// Writes a client, new or not. `tokens_not_before` never goes back, so that a client made anew under
    /// the id of a deleted one revives none of its tokens.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn put_client(&mut self, client: &Client) -> Result<(), StoreError> {
        self.put_clients(std::slice::from_ref(client)).await
    }

    /// As [`Self::put_client`], of many.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn put_clients(&mut self, clients: &[Client]) -> Result<(), StoreError> {
        for some in clients.chunks(ROWS_AT_ONCE) {
            on_db!(&mut self.tx, conn => {
                let mut statement = QueryBuilder::new(ClientRow::INSERT);
                statement.push_values(some, |mut row, client| ClientRow::from(client).push(&mut row));
                statement
                    .push(" ON CONFLICT (client_id) DO UPDATE SET ")
                    .push(ClientRow::overwriting(&["client_id"]));
                statement.build().persistent(false).execute(conn).await?;
            });
        }
        for client in clients {
            self.note(ChangeKind::Client, client.id.as_str());
        }
        Ok(())
    }

    /// Deletes clients with their credentials and policies. The rows themselves stay as tombstones until
    /// [`Store::sweep`] removes them, so that their tokens stay dead; `tokens_not_before` never goes back.
    ///
    /// # Errors
    /// An unreachable database, or no such client.
    pub async fn delete_clients(
        &mut self,
        ids: &[ClientId],
        (now, tokens_not_before): (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        for some in ids.chunks(ROWS_AT_ONCE) {
            let touched: Vec<String> = on_db!(&mut self.tx, conn => {
                for belongings in ["DELETE FROM credentials", "DELETE FROM policies"] {
                    let mut statement = QueryBuilder::new(belongings);
                    listed!(statement, " WHERE client_id", some);
                    statement.build().persistent(false).execute(&mut *conn).await?;
                }
                let mut statement = QueryBuilder::new("UPDATE clients SET status = 'deleted', deleted_at = ");
                statement
                    .push_bind(now.unix())
                    .push(", tokens_not_before = CASE WHEN tokens_not_before > ")
                    .push_bind(tokens_not_before.unix())
                    .push(" THEN tokens_not_before ELSE ")
                    .push_bind(tokens_not_before.unix())
                    .push(" END WHERE status <> 'deleted'");
                listed!(statement, " AND client_id", some);
                statement.push(" RETURNING client_id");
                statement.build_query_scalar().persistent(false).fetch_all(conn).await?
            });
            touched_each(some.iter().map(ClientId::as_str), &touched)?;
        }
        for id in ids {
            self.note(ChangeKind::Client, id.as_str());
        }
        Ok(())
    }
}

impl From<&Client> for ClientRow {
    fn from(client: &Client) -> Self {
        Self {
            client_id: client.id.to_string(),
            name: client.name.clone(),
            owner: client.owner.clone(),
            environment: client.environment.clone(),
            tenant: client.tenant.clone(),
            status: client.status.to_string(),
            grants: list_text(&client.grants),
            auth_methods: list_text(&client.auth_methods),
            assertion_audience: client.assertion_audience.to_string(),
            max_assertion_lifetime: seconds(client.max_assertion_lifetime),
            dpop_bound_access_tokens: client.dpop_bound_access_tokens,
            certificate_bound_access_tokens: client.certificate_bound_access_tokens,
            claims: object_text(&client.claims),
            max_tokens_per_minute: client.max_tokens_per_minute.map(|most| most.get().into()),
            tokens_not_before: client.tokens_not_before.unix(),
            created_at: client.created_at.unix(),
            rotated_at: unix(client.rotated_at),
            deleted_at: None,
        }
    }
}

fn count(number: i64) -> Option<NonZeroU32> {
    NonZeroU32::new(u32::try_from(number).ok()?)
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
            max_tokens_per_minute: self
                .max_tokens_per_minute
                .map(|most| at.read("max_tokens_per_minute", count(most)))
                .transpose()?,
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
