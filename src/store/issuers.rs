//! The table `issuers`.

use std::collections::BTreeMap;

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
        tokens_not_before: i64,
    }
}

row! {
    struct MarkRow of "issuer_marks" {
        issuer: String,
        tokens_not_before: i64,
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

    pub(super) async fn issuer_marks(
        &mut self,
    ) -> Result<BTreeMap<IssuerId, Timestamp>, StoreError> {
        let rows: Vec<MarkRow> = on_db!(self, conn => {
            QueryBuilder::new(MarkRow::SELECT).build_query_as().fetch_all(conn).await?
        });
        let read = rows.into_iter().map(|row| {
            let at = Row {
                table: "issuer_marks",
                key: &row.issuer,
            };
            let issuer = at.read("issuer", IssuerId::parse(&row.issuer).ok())?;
            Ok((issuer, Timestamp::from_unix(row.tokens_not_before)))
        });
        read.collect()
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
        for some in issuers.chunks(ROWS_AT_ONCE) {
            on_db!(&mut self.tx, conn => {
                let mut statement = QueryBuilder::new(IssuerRow::INSERT);
                statement.push_values(some, |mut row, issuer| IssuerRow::from(issuer).push(&mut row));
                statement.build().persistent(false).execute(conn).await?;
            });
        }
        Ok(())
    }

    /// Deletes an issuer, and kills what was issued up to and including the second `mark` for subjects of its.
    ///
    /// # Errors
    /// A database out of reach, or no such issuer.
    pub async fn delete_issuer(
        &mut self,
        id: &IssuerId,
        mark: Timestamp,
    ) -> Result<(), StoreError> {
        let removed = self.remove_issuers(std::slice::from_ref(id)).await?;
        touched_one(removed, id.as_str())?;
        on_db!(&mut self.tx, conn => {
            let mut statement = QueryBuilder::new(MarkRow::INSERT);
            let row = MarkRow {
                issuer: id.to_string(),
                tokens_not_before: mark.unix(),
            };
            statement.push_values([row], |mut values, row| row.push(&mut values));
            statement
                .push(" ON CONFLICT (issuer) DO UPDATE SET ")
                .push(MarkRow::overwriting(&["issuer"]));
            statement.build().execute(conn).await?;
        });
        Ok(())
    }

    /// Until when what was issued is dead for subjects of issuers that are trusted no more, or were not for a while.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn issuer_marks(&mut self) -> Result<BTreeMap<IssuerId, Timestamp>, StoreError> {
        self.tx.issuer_marks().await
    }

    /// Removes those of `ids` that there are, and leaves no marks.
    pub(super) async fn forget_issuers(&mut self, ids: &[IssuerId]) -> Result<(), StoreError> {
        self.remove_issuers(ids).await?;
        for some in ids.chunks(ROWS_AT_ONCE) {
            on_db!(&mut self.tx, conn => {
                let mut statement = QueryBuilder::new("DELETE FROM issuer_marks WHERE ");
                listed!(statement, "issuer", some);
                statement.build().persistent(false).execute(conn).await?;
            });
        }
        Ok(())
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

impl From<&TrustedIssuer> for IssuerRow {
    fn from(issuer: &TrustedIssuer) -> Self {
        Self {
            tokens_not_before: issuer.tokens_not_before.unix(),
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
}

impl IssuerRow {
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
            tokens_not_before: Timestamp::from_unix(self.tokens_not_before),
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
