//! The table `policies`.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;
use sqlx::QueryBuilder;

use super::Store;
use super::change::ChangeTx;
use super::error::StoreError;
use super::feed::ChangeKind;
use super::lists::paired;
use super::row::{ROWS_AT_ONCE, Row, grouped, list_text, object_text, row, seconds};
use super::transaction::{Tx, on_db};
use crate::domain::client::{AuthMethod, Client, GrantType};
use crate::domain::glob::Glob;
use crate::domain::identifier::{AudienceId, ClientId, IssuerId};
use crate::domain::policy::{Policy, SubjectSource};
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::timestamp::Timestamp;

row! {
    struct PolicyRow of "policies" {
        client_id: String,
        audience: String,
        scopes: String,
        default_scopes: String,
        token_lifetime: Option<i64>,
        claims: String,
        networks: String,
        methods: String,
        grants: String,
        exchange: Option<String>,
        issuer: Option<String>,
        subjects: String,
        enabled: bool,
    }
}

impl Tx {
    pub(super) async fn policies_of(
        &mut self,
        client: &ClientId,
    ) -> Result<Vec<Policy>, StoreError> {
        let rows = self.rows_of(PolicyRow::SELECT, Some(client)).await?;
        Ok(by_client(rows)?.remove(client.as_str()).unwrap_or_default())
    }

    /// All policies, by client id.
    pub(super) async fn all_policies(
        &mut self,
    ) -> Result<HashMap<String, Vec<Policy>>, StoreError> {
        by_client(self.rows_of(PolicyRow::SELECT, None).await?)
    }
}

/// The policies of each client, sorted by audience.
fn by_client(rows: Vec<PolicyRow>) -> Result<HashMap<String, Vec<Policy>>, StoreError> {
    let mut of = grouped(rows.into_iter().map(|mut row| {
        let client = std::mem::take(&mut row.client_id);
        let policy = row.into_policy(&client)?;
        Ok((client, policy))
    }))?;
    for policies in of.values_mut() {
        policies.sort_by(|a, b| a.audience.cmp(&b.audience));
    }
    Ok(of)
}

impl Store {
    /// Who may call an API: each client with a policy for `audience`, and that policy, sorted by client.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn policies_at(
        &self,
        audience: &AudienceId,
    ) -> Result<Vec<(Client, Policy)>, StoreError> {
        self.read_all(async |tx| {
            let rows: Vec<PolicyRow> = on_db!(tx, conn => {
                QueryBuilder::new(PolicyRow::SELECT)
                    .push(" WHERE audience = ")
                    .push_bind(audience.as_str())
                    .build_query_as()
                    .fetch_all(conn)
                    .await?
            });
            let mut policies = by_client(rows)?;
            let mut found = Vec::new();
            for client in tx.clients_with_policy(audience).await? {
                for policy in policies.remove(client.id.as_str()).unwrap_or_default() {
                    found.push((client.clone(), policy));
                }
            }
            Ok(found)
        })
        .await
    }

    /// The policies that let their client bring tokens of this trusted issuer, sorted by client and audience.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn policies_from(
        &self,
        issuer: &IssuerId,
    ) -> Result<Vec<(ClientId, Policy)>, StoreError> {
        // As a member of a list in JSON; neither quotes nor wildcards can be in it.
        let named = format!("%\"{}\"%", SubjectSource::Issuer(issuer.clone()));
        self.read_all(async |tx| {
            let rows: Vec<PolicyRow> = on_db!(tx, conn => {
                QueryBuilder::new(PolicyRow::SELECT)
                    .push(" WHERE exchange LIKE ")
                    .push_bind(&named)
                    .push(" OR issuer = ")
                    .push_bind(issuer.as_str())
                    .push(" ORDER BY client_id, audience")
                    .build_query_as()
                    .fetch_all(conn)
                    .await?
            });
            let read = rows.into_iter().map(|mut row| {
                let client = std::mem::take(&mut row.client_id);
                let policy = row.into_policy(&client)?;
                let at = Row {
                    table: "policies",
                    key: &client,
                };
                Ok((at.read("client_id", ClientId::parse(&client).ok())?, policy))
            });
            let mut found = read.collect::<Result<Vec<_>, StoreError>>()?;
            // A subject may be called like that as well.
            found.retain(|(_, policy)| !policy.uses_of(issuer).is_empty());
            Ok(found)
        })
        .await
    }
}

impl ChangeTx {
    /// The clients that have a policy for `audience`, sorted.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn clients_with_policy(
        &mut self,
        audience: &AudienceId,
    ) -> Result<Vec<ClientId>, StoreError> {
        let clients: Vec<String> = on_db!(&mut self.tx, conn => {
            sqlx::query_scalar("SELECT client_id FROM policies WHERE audience = $1")
                .bind(audience.as_str())
                .fetch_all(conn)
                .await?
        });
        let at = Row {
            table: "policies",
            key: audience.as_str(),
        };
        let read = |id: &String| at.read("client_id", ClientId::parse(id).ok());
        let mut clients: Vec<ClientId> = clients.iter().map(read).collect::<Result<_, _>>()?;
        clients.sort();
        Ok(clients)
    }

    /// Writes what clients may get, each at one audience, new or not.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn put_policies(
        &mut self,
        policies: &[(ClientId, Policy)],
    ) -> Result<(), StoreError> {
        for some in policies.chunks(ROWS_AT_ONCE) {
            on_db!(&mut self.tx, conn => {
                let mut statement = QueryBuilder::new(PolicyRow::INSERT);
                statement.push_values(some, |mut row, policy| PolicyRow::from(policy).push(&mut row));
                statement
                    .push(" ON CONFLICT (client_id, audience) DO UPDATE SET ")
                    .push(PolicyRow::overwriting(&["client_id", "audience"]));
                statement.build().persistent(false).execute(conn).await?;
            });
        }
        for (client, _) in policies {
            self.note(ChangeKind::Client, client.as_str());
        }
        Ok(())
    }

    /// Removes what clients may get, each at one audience, and kills what they got there up to and including
    /// `tokens_not_before`.
    ///
    /// # Errors
    /// An unreachable database, or no such policy.
    pub async fn delete_policies(
        &mut self,
        policies: &[(ClientId, AudienceId)],
        tokens_not_before: Timestamp,
    ) -> Result<(), StoreError> {
        for some in policies.chunks(ROWS_AT_ONCE) {
            let gone: Vec<(String, String)> = on_db!(&mut self.tx, conn => {
                let mut statement = QueryBuilder::new("DELETE FROM policies WHERE ");
                paired!(statement, ("client_id", "audience"), some);
                statement.push(" RETURNING client_id, audience");
                statement.build_query_as().persistent(false).fetch_all(conn).await?
            });
            let gone: BTreeSet<_> = gone
                .iter()
                .map(|(of, at)| (of.as_str(), at.as_str()))
                .collect();
            let mut all = some.iter();
            if let Some((_, at)) = all.find(|(of, at)| !gone.contains(&(of.as_str(), at.as_str())))
            {
                return Err(StoreError::Conflict(at.to_string()));
            }
        }
        let mark = |(client, audience): &(ClientId, AudienceId)| {
            (client.clone(), audience.clone(), tokens_not_before)
        };
        let marks: Vec<_> = policies.iter().map(mark).collect();
        self.mark_policies(&marks).await
    }
}

impl From<&(ClientId, Policy)> for PolicyRow {
    fn from((client, policy): &(ClientId, Policy)) -> Self {
        Self {
            client_id: client.to_string(),
            audience: policy.audience.to_string(),
            scopes: list_text(policy.scopes.iter()),
            default_scopes: list_text(policy.default_scopes.iter()),
            token_lifetime: seconds(policy.token_lifetime),
            claims: object_text(&policy.claims),
            networks: list_text(&policy.networks),
            methods: list_text(&policy.methods),
            grants: list_text(&policy.grants),
            exchange: policy.exchange.as_ref().map(|it| json!(it).to_string()),
            issuer: policy.issuer.as_ref().map(IssuerId::to_string),
            subjects: list_text(&policy.subjects),
            enabled: policy.enabled,
        }
    }
}

impl PolicyRow {
    fn into_policy(self, client: &str) -> Result<Policy, StoreError> {
        let at = Row {
            table: "policies",
            key: client,
        };
        let scope = |text: &str| Scope::parse(text).ok();
        Ok(Policy {
            audience: at.read("audience", AudienceId::parse(&self.audience).ok())?,
            scopes: ScopeSet::from_iter(at.list("scopes", &self.scopes, scope)?),
            default_scopes: ScopeSet::from_iter(at.list(
                "default_scopes",
                &self.default_scopes,
                scope,
            )?),
            token_lifetime: self
                .token_lifetime
                .map(|span| at.seconds("token_lifetime", span))
                .transpose()?,
            claims: at.json("claims", &self.claims)?,
            networks: at.list("networks", &self.networks, |text| text.parse().ok())?,
            methods: at.list("methods", &self.methods, AuthMethod::from_text)?,
            grants: at.list("grants", &self.grants, GrantType::from_text)?,
            exchange: self
                .exchange
                .map(|text| at.json("exchange", &text))
                .transpose()?,
            issuer: self
                .issuer
                .map(|text| at.read("issuer", IssuerId::parse(&text).ok()))
                .transpose()?,
            subjects: at.list("subjects", &self.subjects, |text| Glob::parse(text).ok())?,
            enabled: self.enabled,
        })
    }
}
