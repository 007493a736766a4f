//! The table `policies`.

use std::collections::HashMap;

use super::change::ChangeTx;
use super::clients::touched_one;
use super::error::StoreError;
use super::feed::ChangeKind;
use super::row::{Row, list_text, row};
use super::transaction::{Tx, on_db};
use crate::domain::client::AuthMethod;
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::policy::Policy;
use crate::domain::scope::{Scope, ScopeSet};

row! {
    struct PolicyRow {
        client_id: String,
        audience: String,
        scopes: String,
        default_scopes: String,
        token_lifetime: Option<i64>,
        claims: String,
        networks: String,
        methods: String,
        enabled: bool,
    }
}

macro_rules! policy_rows {
    ($condition:literal) => {
        concat!(
            "SELECT client_id, audience, scopes, default_scopes, token_lifetime, claims, networks, ",
            "methods, enabled FROM policies",
            $condition
        )
    };
}

impl Tx {
    pub(super) async fn policies_of(
        &mut self,
        client: &ClientId,
    ) -> Result<Vec<Policy>, StoreError> {
        let rows: Vec<PolicyRow> = on_db!(self, conn => {
            sqlx::query_as(policy_rows!(" WHERE client_id = $1"))
                .bind(client.as_str())
                .fetch_all(conn)
                .await?
        });
        Ok(by_client(rows)?.remove(client.as_str()).unwrap_or_default())
    }

    /// All policies, by client id.
    pub(super) async fn all_policies(
        &mut self,
    ) -> Result<HashMap<String, Vec<Policy>>, StoreError> {
        let rows: Vec<PolicyRow> = on_db!(self, conn => {
            sqlx::query_as(policy_rows!("")).fetch_all(conn).await?
        });
        by_client(rows)
    }
}

/// The policies of each client, sorted by audience.
fn by_client(rows: Vec<PolicyRow>) -> Result<HashMap<String, Vec<Policy>>, StoreError> {
    let mut of: HashMap<String, Vec<Policy>> = HashMap::new();
    for mut row in rows {
        let client = std::mem::take(&mut row.client_id);
        let policy = row.into_policy(&client)?;
        of.entry(client).or_default().push(policy);
    }
    for policies in of.values_mut() {
        policies.sort_by(|a, b| a.audience.cmp(&b.audience));
    }
    Ok(of)
}

impl ChangeTx {
    /// Writes what `client` may get at one audience, new or not.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn put_policy(
        &mut self,
        client: &ClientId,
        policy: &Policy,
    ) -> Result<(), StoreError> {
        on_db!(&mut self.tx, conn => {
            sqlx::query(
                "INSERT INTO policies (client_id, audience, scopes, default_scopes, token_lifetime, \
                 claims, networks, methods, enabled) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                 ON CONFLICT (client_id, audience) DO UPDATE SET scopes = $3, default_scopes = $4, \
                 token_lifetime = $5, claims = $6, networks = $7, methods = $8, enabled = $9",
            )
            .bind(client.as_str())
            .bind(policy.audience.as_str())
            .bind(list_text(policy.scopes.iter()))
            .bind(list_text(policy.default_scopes.iter()))
            .bind(policy.token_lifetime.map(|span| i64::from(span.get())))
            .bind(serde_json::Value::Object(policy.claims.clone()).to_string())
            .bind(list_text(&policy.networks))
            .bind(list_text(&policy.methods))
            .bind(policy.enabled)
            .execute(conn)
            .await?;
        });
        self.note(ChangeKind::Client, client.as_str());
        Ok(())
    }

    /// Removes what `client` may get at `audience`.
    ///
    /// # Errors
    /// A database out of reach, or no such policy.
    pub async fn delete_policy(
        &mut self,
        client: &ClientId,
        audience: &AudienceId,
    ) -> Result<(), StoreError> {
        let touched = on_db!(&mut self.tx, conn => {
            sqlx::query("DELETE FROM policies WHERE client_id = $1 AND audience = $2")
                .bind(client.as_str())
                .bind(audience.as_str())
                .execute(conn)
                .await?
                .rows_affected()
        });
        self.note(ChangeKind::Client, client.as_str());
        touched_one(touched, audience.as_str())
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
            enabled: self.enabled,
        })
    }
}
