//! The table `issuers`.

use sqlx::QueryBuilder;

use super::Store;
use super::change::ChangeTx;
use super::error::StoreError;
use super::feed::ChangeKind;
use super::lists::listed;
use super::loaded::Loaded;
use super::row::{ROWS_AT_ONCE, Row, list_text, row, seconds};
use super::touched::touched_one;
use super::transaction::{Tx, on_db};
use crate::domain::accepted_algorithm::AcceptedAlgorithm;
use crate::domain::identifier::IssuerId;
use crate::domain::issuer_url::IssuerUrl;
use crate::domain::timestamp::Timestamp;
use crate::domain::trusted_issuer::{IssuerUse, JtiUse, Preset, TrustedIssuer};

row! {
    struct IssuerRow of "issuers" {
        id: String,
        uses: String,
        url: String,
        preset: String,
        keys: Option<String>,
        ca: Option<String>,
        bearer_token_file: Option<String>,
        audience: Option<String>,
        algorithms: Option<String>,
        max_lifetime: Option<i64>,
        jti: Option<String>,
        trusted_since: i64,
    }
}

impl Store {
    /// All issuers, sorted by id, in one snapshot with the feed's number.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn load_issuers(&self) -> Result<Loaded<Vec<TrustedIssuer>>, StoreError> {
        self.read(async |tx| {
            let feed = tx.feed_position().await?;
            let value = tx.all_issuers().await?;
            Ok(Loaded { value, feed })
        })
        .await
    }
}

impl Tx {
    pub(super) async fn all_issuers(&mut self) -> Result<Vec<TrustedIssuer>, StoreError> {
        let rows: Vec<IssuerRow> = on_db!(self, conn => {
            QueryBuilder::new(IssuerRow::SELECT).build_query_as().fetch_all(conn).await?
        });
        let read = rows.into_iter().map(IssuerRow::into_issuer);
        let mut issuers = read.collect::<Result<Vec<_>, _>>()?;
        issuers.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(issuers)
    }
}

impl ChangeTx {
    /// All issuers, as they stand inside this transaction.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn issuers(&mut self) -> Result<Vec<TrustedIssuer>, StoreError> {
        self.tx.all_issuers().await
    }

    /// Writes issuers, new or not. Those that there are go first, so that two may change their URLs for each other's.
    ///
    /// # Errors
    /// An unreachable database, or the URL of an issuer that is not among these.
    pub async fn put_issuers(&mut self, issuers: &[TrustedIssuer]) -> Result<(), StoreError> {
        let ids: Vec<IssuerId> = issuers.iter().map(|issuer| issuer.id.clone()).collect();
        self.remove_issuers(&ids).await?;
        let now = self.now();
        for some in issuers.chunks(ROWS_AT_ONCE) {
            on_db!(&mut self.tx, conn => {
                let mut statement = QueryBuilder::new(IssuerRow::INSERT);
                statement.push_values(some, |mut row, issuer| IssuerRow::of(issuer, now).push(&mut row));
                statement.build().persistent(false).execute(conn).await?;
            });
        }
        Ok(())
    }

    /// Deletes an issuer.
    ///
    /// # Errors
    /// A database out of reach, or no such issuer.
    pub async fn delete_issuer(&mut self, id: &IssuerId) -> Result<(), StoreError> {
        let removed = self.remove_issuers(std::slice::from_ref(id)).await?;
        touched_one(removed, id.as_str())
    }

    /// Removes those of `ids` that there are; gives their number.
    pub(super) async fn remove_issuers(&mut self, ids: &[IssuerId]) -> Result<u64, StoreError> {
        let mut removed = 0;
        for some in ids.chunks(ROWS_AT_ONCE) {
            removed += on_db!(&mut self.tx, conn => {
                let mut statement = QueryBuilder::new("DELETE FROM issuers WHERE ");
                listed!(statement, "id", some);
                statement.build().persistent(false).execute(conn).await?.rows_affected()
            });
        }
        for id in ids {
            self.note(ChangeKind::Issuer, id.as_str());
        }
        Ok(removed)
    }
}

impl IssuerRow {
    /// One that was not trusted before is from `now` on.
    fn of(issuer: &TrustedIssuer, now: Timestamp) -> Self {
        Self {
            trusted_since: issuer.trusted_since.unwrap_or(now).unix(),
            id: issuer.id.to_string(),
            uses: list_text(&issuer.uses),
            url: issuer.url.to_string(),
            preset: issuer.preset.to_string(),
            keys: issuer.keys.as_ref().map(|keys| keys.as_str().to_owned()),
            ca: issuer.ca.clone(),
            bearer_token_file: issuer.bearer_token_file.clone(),
            audience: issuer.audience.clone(),
            algorithms: issuer.algorithms.as_ref().map(list_text),
            max_lifetime: seconds(issuer.max_lifetime),
            jti: issuer.jti.as_ref().map(ToString::to_string),
        }
    }

    fn into_issuer(self) -> Result<TrustedIssuer, StoreError> {
        let at = Row {
            table: "issuers",
            key: &self.id,
        };
        let keys = self.keys.as_deref().map(|keys| at.text("keys", keys));
        let algorithms = self
            .algorithms
            .as_deref()
            .map(|algorithms| at.list("algorithms", algorithms, AcceptedAlgorithm::of_header));
        let lifetime = self.max_lifetime.map(|it| at.seconds("max_lifetime", it));
        let jti = self
            .jti
            .as_deref()
            .map(|jti| at.read("jti", JtiUse::from_text(jti)));
        Ok(TrustedIssuer {
            trusted_since: Some(Timestamp::from_unix(self.trusted_since)),
            id: at.read("id", IssuerId::parse(&self.id).ok())?,
            uses: at.list("uses", &self.uses, IssuerUse::from_text)?,
            url: at.read("url", IssuerUrl::parse(&self.url).ok())?,
            preset: at.read("preset", Preset::from_text(&self.preset))?,
            keys: keys.transpose()?,
            algorithms: algorithms.transpose()?,
            max_lifetime: lifetime.transpose()?,
            jti: jti.transpose()?,
            ca: self.ca,
            bearer_token_file: self.bearer_token_file,
            audience: self.audience,
        })
    }
}
