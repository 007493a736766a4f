//! The table `used_assertions`: spent `jti`s, committed before any caller is answered.

use super::Store;
use super::database::Pools;
use super::error::StoreError;
use super::transaction::on_db;
use crate::domain::timestamp::Timestamp;

/// How often a batch is tried that another transaction gets in the way of: by a serialization failure, a deadlock,
/// or a lock.
const ATTEMPTS: usize = 3;

/// A spent `jti`, as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsedAssertion {
    /// A hash of kind, scope and `jti`.
    pub key: String,
    /// From here on what it was of is refused for its age; the row is kept for the margin besides.
    pub expires_at: Timestamp,
}

impl Store {
    /// How many spent `jti` there are, counted up to `most`.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn count_used_assertions(&self, most: i64) -> Result<i64, StoreError> {
        // However long it takes: nobody waits for it, and a timeout would leave all connections behind.
        self.read_all(async |tx| {
            Ok(on_db!(tx, conn => {
                sqlx::query_scalar(
                    "SELECT count(*) FROM (SELECT 1 FROM used_assertions LIMIT $1) AS counted",
                )
                .bind(most)
                .fetch_one(conn)
                .await?
            }))
        })
        .await
    }

    /// Whether the `jti` with this key is spent.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn is_used(&self, key: &str) -> Result<bool, StoreError> {
        self.read(async |tx| {
            let found: Option<String> = on_db!(tx, conn => {
                sqlx::query_scalar("SELECT key FROM used_assertions WHERE key = $1")
                    .bind(key)
                    .fetch_optional(conn)
                    .await?
            });
            Ok(found.is_some())
        })
        .await
    }

    /// Spends `uses` in one statement that is committed when this returns, apart from any other transaction.
    ///
    /// Returns the keys that nobody had spent before. `uses` must be sorted and free of doubles: two replicas
    /// that insert the same keys then take them in the same order, and cannot lock each other out.
    ///
    /// # Errors
    /// An unreachable database: then it is not known which of them are spent.
    pub async fn use_assertions(&self, uses: &[UsedAssertion]) -> Result<Vec<String>, StoreError> {
        for _ in 1..ATTEMPTS {
            match self.within_limit(self.insert_assertions(uses)).await {
                Err(StoreError::Busy(_)) => {}
                result => return result,
            }
        }
        self.within_limit(self.insert_assertions(uses)).await
    }

    async fn insert_assertions(&self, uses: &[UsedAssertion]) -> Result<Vec<String>, StoreError> {
        let keys: Vec<&str> = uses.iter().map(|used| used.key.as_str()).collect();
        match &*self.database.pools() {
            Pools::Postgres(pool) => {
                // Named statements outlive a transaction, nameless ones only within one.
                let is_prepared = self
                    .database
                    .hosts()
                    .is_some_and(|hosts| hosts.is_prepared());
                let mut tx = if is_prepared {
                    self.open_for_one_statement(pool.acquire().await?)
                } else {
                    self.begin_write_on(pool).await?
                };
                let expiries: Vec<i64> = uses.iter().map(|used| used.expires_at.unix()).collect();
                // `synchronous_commit` is set by the statement itself, for its own transaction alone: one round
                // trip, and no setting of server, role or pooler can make an answer outrun the disk.
                let spent = sqlx::query_scalar(
                    "INSERT INTO used_assertions (key, expires_at) \
                     SELECT u.key, u.expires_at \
                     FROM (SELECT set_config('synchronous_commit', 'on', true)) AS durable (setting), \
                     UNNEST($1::text[], $2::bigint[]) AS u (key, expires_at) \
                     WHERE durable.setting = 'on' \
                     ON CONFLICT DO NOTHING RETURNING key",
                )
                .bind(keys)
                .bind(expiries)
                .fetch_all(tx.connection()?)
                .await?;
                tx.commit().await?;
                Ok(spent)
            }
            Pools::Sqlite { writer, .. } => {
                let mut tx = self
                    .begin_sqlite(writer.acquire().await?, "BEGIN IMMEDIATE")
                    .await?;
                let mut spent = Vec::with_capacity(uses.len());
                for used in uses {
                    let key: Option<String> = sqlx::query_scalar(
                        "INSERT INTO used_assertions (key, expires_at) VALUES ($1, $2) \
                         ON CONFLICT DO NOTHING RETURNING key",
                    )
                    .bind(&used.key)
                    .bind(used.expires_at.unix())
                    .fetch_optional(tx.connection()?)
                    .await?;
                    spent.extend(key);
                }
                tx.commit().await?;
                Ok(spent)
            }
        }
    }
}
