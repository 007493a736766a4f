//! The table `audiences`.

use std::collections::BTreeMap;

use super::Store;
use super::change::ChangeTx;
use super::clients::{Loaded, touched_one};
use super::error::StoreError;
use super::feed::ChangeKind;
use super::row::{Row, list_text, row};
use super::transaction::{Tx, on_db};
use crate::domain::audience::{Audience, JwtTyp, SenderConstraint};
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::scope::Scope;

row! {
    struct AudienceRow {
        identifier: String,
        scopes: String,
        token_lifetime: i64,
        max_token_lifetime: i64,
        algorithm: String,
        jwt_typ: String,
        sender_constraint: String,
        served_by: String,
    }
}

macro_rules! audience_rows {
    ($condition:literal) => {
        concat!(
            "SELECT identifier, scopes, token_lifetime, max_token_lifetime, algorithm, jwt_typ, ",
            "sender_constraint, served_by FROM audiences",
            $condition
        )
    };
}

impl Store {
    /// One audience, in one snapshot with the feed's number.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn load_audience(
        &self,
        id: &AudienceId,
    ) -> Result<Loaded<Option<Audience>>, StoreError> {
        self.read(async |tx| {
            let feed = tx.feed_position().await?;
            let row: Option<AudienceRow> = on_db!(tx, conn => {
                sqlx::query_as(audience_rows!(" WHERE identifier = $1"))
                    .bind(id.as_str())
                    .fetch_optional(conn)
                    .await?
            });
            Ok(Loaded {
                value: row.map(AudienceRow::into_audience).transpose()?,
                feed,
            })
        })
        .await
    }

    /// All audiences, sorted by identifier.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn all_audiences(&self) -> Result<Vec<Audience>, StoreError> {
        self.read_all(Tx::all_audiences).await
    }
}

impl Tx {
    pub(super) async fn all_audiences(&mut self) -> Result<Vec<Audience>, StoreError> {
        let rows: Vec<AudienceRow> = on_db!(self, conn => {
            sqlx::query_as(audience_rows!("")).fetch_all(conn).await?
        });
        let mut audiences = rows
            .into_iter()
            .map(AudienceRow::into_audience)
            .collect::<Result<Vec<_>, _>>()?;
        audiences.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(audiences)
    }
}

impl ChangeTx {
    /// All audiences, as they stand inside this transaction.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn audiences(&mut self) -> Result<Vec<Audience>, StoreError> {
        self.tx.all_audiences().await
    }

    /// Writes an audience, new or not.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn put_audience(&mut self, audience: &Audience) -> Result<(), StoreError> {
        let scopes: serde_json::Map<String, serde_json::Value> = audience
            .scopes
            .iter()
            .map(|(scope, description)| (scope.to_string(), description.clone().into()))
            .collect();
        on_db!(&mut self.tx, conn => {
            sqlx::query(
                "INSERT INTO audiences (identifier, scopes, token_lifetime, max_token_lifetime, \
                 algorithm, jwt_typ, sender_constraint, served_by) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
                 ON CONFLICT (identifier) DO UPDATE SET scopes = $2, token_lifetime = $3, \
                 max_token_lifetime = $4, algorithm = $5, jwt_typ = $6, sender_constraint = $7, \
                 served_by = $8",
            )
            .bind(audience.id.as_str())
            .bind(serde_json::Value::Object(scopes).to_string())
            .bind(i64::from(audience.token_lifetime.get()))
            .bind(i64::from(audience.max_token_lifetime.get()))
            .bind(audience.algorithm.as_str())
            .bind(audience.jwt_typ.as_str())
            .bind(audience.sender_constraint.as_str())
            .bind(list_text(&audience.served_by))
            .execute(conn)
            .await?;
        });
        self.note(ChangeKind::Audience, audience.id.as_str());
        Ok(())
    }

    /// Deletes an audience and every policy for it.
    ///
    /// # Errors
    /// A database out of reach, or no such audience.
    pub async fn delete_audience(&mut self, id: &AudienceId) -> Result<(), StoreError> {
        let clients: Vec<String> = on_db!(&mut self.tx, conn => {
            sqlx::query_scalar("DELETE FROM policies WHERE audience = $1 RETURNING client_id")
                .bind(id.as_str())
                .fetch_all(conn)
                .await?
        });
        let touched = on_db!(&mut self.tx, conn => {
            sqlx::query("DELETE FROM audiences WHERE identifier = $1")
                .bind(id.as_str())
                .execute(conn)
                .await?
                .rows_affected()
        });
        for client in clients {
            self.note(ChangeKind::Client, &client);
        }
        self.note(ChangeKind::Audience, id.as_str());
        touched_one(touched, id.as_str())
    }
}

impl AudienceRow {
    fn into_audience(self) -> Result<Audience, StoreError> {
        let at = Row {
            table: "audiences",
            key: &self.identifier,
        };
        let scopes: BTreeMap<String, String> = at.json("scopes", &self.scopes)?;
        let scopes = scopes
            .into_iter()
            .map(|(scope, description)| Some((Scope::parse(&scope).ok()?, description)))
            .collect();
        Ok(Audience {
            id: at.read("identifier", AudienceId::parse(&self.identifier).ok())?,
            scopes: at.read("scopes", scopes)?,
            token_lifetime: at.seconds("token_lifetime", self.token_lifetime)?,
            max_token_lifetime: at.seconds("max_token_lifetime", self.max_token_lifetime)?,
            algorithm: at.read("algorithm", self.algorithm.parse().ok())?,
            jwt_typ: at.read("jwt_typ", JwtTyp::from_text(&self.jwt_typ))?,
            sender_constraint: at.read(
                "sender_constraint",
                SenderConstraint::from_text(&self.sender_constraint),
            )?,
            served_by: at.list("served_by", &self.served_by, |id| ClientId::parse(id).ok())?,
        })
    }
}
