//! The table `audiences`.

use std::collections::BTreeMap;

use sqlx::QueryBuilder;

use super::Store;
use super::change::ChangeTx;
use super::error::StoreError;
use super::feed::ChangeKind;
use super::loaded::Loaded;
use super::row::{Row, list_text, object_text, row};
use super::touched::touched_one;
use super::transaction::{Tx, on_db};
use crate::domain::audience::{Audience, JwtTyp, SenderConstraint, TokenFormat};
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::scope::Scope;

row! {
    struct AudienceRow of "audiences" {
        identifier: String,
        scopes: String,
        token_lifetime: i64,
        max_token_lifetime: i64,
        format: String,
        algorithm: String,
        jwt_typ: String,
        sender_constraint: String,
        served_by: String,
    }
}

impl Store {
    /// One audience, in one snapshot with the feed's number.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn load_audience(
        &self,
        id: &AudienceId,
    ) -> Result<Loaded<Option<Audience>>, StoreError> {
        self.read(async |tx| {
            let feed = tx.feed_position().await?;
            let value = tx.audience(id).await?;
            Ok(Loaded { value, feed })
        })
        .await
    }

    /// Whether there is any audience.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn has_audiences(&self) -> Result<bool, StoreError> {
        self.read(async |tx| {
            let first: Option<String> = on_db!(tx, conn => {
                sqlx::query_scalar("SELECT identifier FROM audiences LIMIT 1")
                    .fetch_optional(conn)
                    .await?
            });
            Ok(first.is_some())
        })
        .await
    }

    /// All audiences, sorted by identifier.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn all_audiences(&self) -> Result<Vec<Audience>, StoreError> {
        self.read_all(Tx::all_audiences).await
    }
}

impl Tx {
    pub(super) async fn audience(
        &mut self,
        id: &AudienceId,
    ) -> Result<Option<Audience>, StoreError> {
        let row: Option<AudienceRow> = on_db!(self, conn => {
            QueryBuilder::new(AudienceRow::SELECT)
                .push(" WHERE identifier = ")
                .push_bind(id.as_str())
                .build_query_as()
                .fetch_optional(conn)
                .await?
        });
        row.map(AudienceRow::into_audience).transpose()
    }

    pub(super) async fn all_audiences(&mut self) -> Result<Vec<Audience>, StoreError> {
        let rows: Vec<AudienceRow> = on_db!(self, conn => {
            QueryBuilder::new(AudienceRow::SELECT).build_query_as().fetch_all(conn).await?
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
    /// One audience as it stands inside this transaction.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn audience(&mut self, id: &AudienceId) -> Result<Option<Audience>, StoreError> {
        self.tx.audience(id).await
    }

    /// Writes an audience, new or not.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn put_audience(&mut self, audience: &Audience) -> Result<(), StoreError> {
        on_db!(&mut self.tx, conn => {
            let mut statement = QueryBuilder::new(AudienceRow::INSERT);
            statement
                .push_values([audience], |mut row, audience| AudienceRow::from(audience).push(&mut row))
                .push(" ON CONFLICT (identifier) DO UPDATE SET ")
                .push(AudienceRow::overwriting(&["identifier"]));
            statement.build().execute(conn).await?;
        });
        self.note(ChangeKind::Audience, audience.id.as_str());
        Ok(())
    }

    /// Deletes an audience whose policies are deleted: else these would go without a mark, and their tokens live.
    ///
    /// # Errors
    /// A database out of reach, or no such audience.
    pub async fn delete_audience(&mut self, id: &AudienceId) -> Result<(), StoreError> {
        let touched = on_db!(&mut self.tx, conn => {
            sqlx::query("DELETE FROM audiences WHERE identifier = $1")
                .bind(id.as_str())
                .execute(conn)
                .await?
                .rows_affected()
        });
        touched_one(touched, id.as_str())?;
        self.note(ChangeKind::Audience, id.as_str());
        Ok(())
    }
}

impl From<&Audience> for AudienceRow {
    fn from(audience: &Audience) -> Self {
        let scopes = audience
            .scopes
            .iter()
            .map(|(scope, description)| (scope.to_string(), description.clone().into()));
        Self {
            identifier: audience.id.to_string(),
            scopes: object_text(&scopes.collect()),
            token_lifetime: audience.token_lifetime.get().into(),
            max_token_lifetime: audience.max_token_lifetime.get().into(),
            format: audience.format.to_string(),
            algorithm: audience.algorithm.to_string(),
            jwt_typ: audience.jwt_typ.to_string(),
            sender_constraint: audience.sender_constraint.to_string(),
            served_by: list_text(&audience.served_by),
        }
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
            format: at.read("format", TokenFormat::from_text(&self.format))?,
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
