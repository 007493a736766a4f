//! The table `token_usage`: how token requests ended, by minute, and by hour once they are a day old.

use std::collections::BTreeMap;

use sqlx::QueryBuilder;

use super::Store;
use super::database_clock::DatabaseTime;
use super::error::StoreError;
use super::row::{ROWS_AT_ONCE, row};
use super::transaction::{Tx, on_db};
use crate::domain::timestamp::{Seconds, Timestamp};

/// Rows are rolled up once they are so old.
const BY_MINUTE: Seconds = Seconds::new(24 * 3600);
/// Rows are removed once they are so old.
const KEPT: Seconds = Seconds::new(35 * 24 * 3600);
/// Seconds of a row that was rolled up.
const HOUR: i64 = 3600;
/// Rows that one step rolls up, or removes, at most.
const STEP: i64 = 1000;

row! {
    /// How many requests of one minute, or hour, ended alike.
    struct UsageRow {
        minute: i64,
        client_id: String,
        audience: String,
        credential_id: String,
        outcome: String,
        count: i64,
        wasted: i64,
    }
}

/// What requests have in common that are counted together; what a request did not name is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageKey {
    /// The first second of the minute, or of the hour.
    pub minute: Timestamp,
    /// The client's id.
    pub client: String,
    /// The audience.
    pub audience: String,
    /// The credential's id.
    pub credential: String,
    /// `issued`, or the error code.
    pub outcome: String,
}

/// How many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageCount {
    /// All.
    pub count: i64,
    /// Those of them that were issued while an equal token had more than half of its life left.
    pub wasted: i64,
}

/// Counts by what is counted together, in the order in which they are written.
pub type UsageCounts = BTreeMap<UsageKey, UsageCount>;

impl UsageCount {
    /// Both numbers together.
    pub fn add(&mut self, more: Self) {
        self.count = self.count.saturating_add(more.count);
        self.wasted = self.wasted.saturating_add(more.wasted);
    }
}

impl Store {
    /// Adds counts to those that are there, in the order of their keys, so that replicas do not lock each other out.
    ///
    /// # Errors
    /// An unreachable database: then none of them was added.
    pub async fn add_token_usage(&self, usage: &UsageCounts) -> Result<(), StoreError> {
        self.write(async |tx| tx.add_token_usage(usage).await).await
    }

    /// The usage since `since`, of one client or of all, without regard to the minute: the key has that of `since`.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn token_usage(
        &self,
        since: Timestamp,
        client: Option<&str>,
    ) -> Result<UsageCounts, StoreError> {
        self.read_all(async |tx| {
            let rows: Vec<UsageRow> = on_db!(tx, conn => {
                let mut statement = QueryBuilder::new(
                    "SELECT CAST(0 AS BIGINT) AS minute, client_id, audience, credential_id, outcome, \
                     CAST(sum(count) AS BIGINT) AS count, CAST(sum(wasted) AS BIGINT) AS wasted \
                     FROM token_usage WHERE minute >= ",
                );
                statement.push_bind(since.unix());
                if let Some(client) = client {
                    statement.push(" AND client_id = ").push_bind(client);
                }
                statement.push(" GROUP BY client_id, audience, credential_id, outcome");
                statement.build_query_as().fetch_all(conn).await?
            });
            let rows = rows.into_iter().map(UsageRow::into_entry);
            Ok(rows.map(|(key, count)| (UsageKey { minute: since, ..key }, count)).collect())
        })
        .await
    }

    /// Rolls up what is older than a day, and removes what is older than 35 days, in a small step. Returns whether
    /// another one may find more.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn sweep_token_usage(&self, now: DatabaseTime) -> Result<bool, StoreError> {
        let now = now.forget_before();
        let (removed, rolled_up) = self
            .write(async |tx| {
                let removed = tx.remove_usage(now.minus(KEPT)).await?;
                let rolled_up = tx.roll_up_usage(hour_of(now.minus(BY_MINUTE))).await?;
                Ok((removed, rolled_up))
            })
            .await?;
        Ok(removed.max(rolled_up) >= STEP.unsigned_abs())
    }
}

impl Tx {
    async fn add_token_usage(&mut self, usage: &UsageCounts) -> Result<(), StoreError> {
        let rows: Vec<_> = usage.iter().collect();
        for some in rows.chunks(ROWS_AT_ONCE) {
            on_db!(self, conn => {
                let mut statement = QueryBuilder::new(
                    "INSERT INTO token_usage \
                     (minute, client_id, audience, credential_id, outcome, count, wasted) ",
                );
                statement.push_values(some, |mut row, (key, count)| {
                    row.push_bind(key.minute.unix())
                        .push_bind(key.client.as_str())
                        .push_bind(key.audience.as_str())
                        .push_bind(key.credential.as_str())
                        .push_bind(key.outcome.as_str())
                        .push_bind(count.count)
                        .push_bind(count.wasted);
                });
                statement.push(
                    " ON CONFLICT (minute, client_id, audience, credential_id, outcome) DO UPDATE SET \
                     count = token_usage.count + excluded.count, wasted = token_usage.wasted + excluded.wasted",
                );
                statement.build().persistent(false).execute(conn).await?;
            });
        }
        Ok(())
    }

    async fn remove_usage(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let removed = on_db!(self, conn => {
            sqlx::query(
                "DELETE FROM token_usage WHERE (minute, client_id, audience, credential_id, outcome) IN \
                 (SELECT minute, client_id, audience, credential_id, outcome FROM token_usage \
                 WHERE minute < $1 LIMIT $2)",
            )
            .bind(before.unix())
            .bind(STEP)
            .execute(conn)
            .await?
            .rows_affected()
        });
        Ok(removed)
    }

    /// Takes rows out and adds them to those of their hours. Two replicas that do so at once take different ones: what
    /// one of them has deleted, the other does not get.
    async fn roll_up_usage(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let taken: Vec<UsageRow> = on_db!(self, conn => {
            sqlx::query_as(
                "DELETE FROM token_usage WHERE (minute, client_id, audience, credential_id, outcome) IN \
                 (SELECT minute, client_id, audience, credential_id, outcome FROM token_usage \
                 WHERE minute < $1 AND minute % $2 <> 0 LIMIT $3) \
                 RETURNING minute, client_id, audience, credential_id, outcome, count, wasted",
            )
            .bind(before.unix())
            .bind(HOUR)
            .bind(STEP)
            .fetch_all(conn)
            .await?
        });
        let number = taken.len();
        let mut hours = UsageCounts::new();
        for (mut key, count) in taken.into_iter().map(UsageRow::into_entry) {
            key.minute = hour_of(key.minute);
            hours.entry(key).or_default().add(count);
        }
        self.add_token_usage(&hours).await?;
        Ok(u64::try_from(number).unwrap_or(u64::MAX))
    }
}

impl UsageRow {
    fn into_entry(self) -> (UsageKey, UsageCount) {
        let key = UsageKey {
            minute: Timestamp::from_unix(self.minute),
            client: self.client_id,
            audience: self.audience,
            credential: self.credential_id,
            outcome: self.outcome,
        };
        let count = UsageCount {
            count: self.count,
            wasted: self.wasted,
        };
        (key, count)
    }
}

fn hour_of(at: Timestamp) -> Timestamp {
    Timestamp::from_unix(at.unix() - at.unix().rem_euclid(HOUR))
}
