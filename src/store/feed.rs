//! The change feed: what other replicas must forget (DESIGN section 1).
//!
//! Every change ends its own transaction by taking the next number. The row of `feed_head` stays locked until
//! that transaction commits, so numbers become visible in the order of commits, and no change is ever missed.

use sqlx::QueryBuilder;

use super::Store;
use super::database_clock::{ClockReading, DatabaseTime, postgres_time, sqlite_time};
use super::error::StoreError;
use super::row::{ROWS_AT_ONCE, row};
use super::transaction::{Tx, on_db};
use super::used_assertions::UsedAssertion;
use crate::clock::Clock;
use crate::domain::client::named;
use crate::domain::timestamp::{Seconds, Timestamp};

/// With more changes than this at once, forgetting everything is cheaper than reading them.
const MOST_CHANGES: i64 = 10_000;
/// How long changes are kept, and the margin besides; the newest one always.
const KEPT: Seconds = Seconds::new(3600);

named! {
    /// What kind of thing changed.
    ChangeKind {
        /// A client, its credentials or its policies; the key is the client id.
        Client = "client",
        /// An audience; the key is its identifier.
        Audience = "audience",
        /// A trusted issuer; the key is its id.
        Issuer = "issuer",
        /// The signing keys; the key is the kid.
        SigningKey = "signing_key",
        /// A revoked token; the key is its expiry in Unix seconds, a space, and its jti.
        RevokedToken = "revoked_token",
        /// An audit event of the change itself; the key is its id, or how many more there are. Nobody forgets anything.
        AuditEvent = "audit_event",
    }
}

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change {
    /// What kind of thing.
    pub kind: ChangeKind,
    /// Which one.
    pub key: String,
}

/// How far a reader has read: the last number, and the random id of its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedPosition {
    /// The number of the last change; 0 before the first.
    pub n: i64,
    /// The random id that its rows carry; empty before the first.
    pub random_id: String,
}

/// What a reader found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedNews {
    /// The changes since, each with its number, in order; and the new position.
    Changes(Vec<(i64, Change)>, FeedPosition),
    /// Too many changes to read, or one of a kind that this version does not know: forget everything. Nothing was
    /// lost. Has the current position.
    TooMuch(FeedPosition),
    /// The database has lost changes (a failover to a lagging standby, a restore): forget everything. Uses of a `jti`
    /// from before may be lost, too. Has the current position.
    Lost(FeedPosition),
}

/// One reading of the feed, and what the database says besides in the same snapshot.
#[derive(Clone, Debug)]
pub struct FeedReading {
    /// What was found.
    pub news: FeedNews,
    /// What the database's clock said.
    pub clock: ClockReading,
    /// When a replica last detected a loss; the epoch if none ever did.
    pub past_lost_at: Timestamp,
    /// Whether the use of the `jti` that was asked about is still there, as it must be.
    pub use_is_kept: bool,
}

row! {
    /// What stands beside the changes in a reading.
    struct Besides {
        lost_at: i64,
        random_id: Option<String>,
        used: Option<String>,
        milliseconds: i64,
    }
}

/// The statement that reads [`Besides`]; `$time` is how the database tells the time.
macro_rules! besides {
    ($time:expr) => {
        concat!(
            "SELECT lost_at, (SELECT random_id FROM changes WHERE n = $1 LIMIT 1) AS random_id, ",
            "(SELECT key FROM used_assertions WHERE key = $2) AS used, ",
            $time,
            " AS milliseconds FROM feed_head"
        )
    };
}

row! {
    struct ChangeRow {
        n: i64,
        kind: String,
        key: String,
        random_id: String,
    }
}

impl Store {
    /// Where the feed stands.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn feed_position(&self) -> Result<FeedPosition, StoreError> {
        self.read(async |tx| {
            let position = tx.feed_position().await?;
            Ok(position)
        })
        .await
    }

    /// What changed since `last`, and the database's time. `used` is a `jti` that was spent: if it is missing, uses
    /// were lost although the feed goes on. `clock` is the reader's own.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn read_feed(
        &self,
        last: &FeedPosition,
        used: Option<&UsedAssertion>,
        clock: &Clock,
    ) -> Result<FeedReading, StoreError> {
        self.read(async |tx| {
            let asked = clock.monotonic();
            let besides = tx
                .besides(last.n, used.map(|used| used.key.as_str()))
                .await?;
            let database = self.clock.read(besides.milliseconds);
            let reading = ClockReading {
                database,
                asked,
                answered: clock.monotonic(),
            };
            let rows = tx.changes_since(last.n).await?;
            let news = match news(last, besides.random_id.as_deref(), rows) {
                Found::Changes(changes, position) => FeedNews::Changes(changes, position),
                Found::TooMuch => FeedNews::TooMuch(tx.feed_position().await?),
                Found::AnotherPast => FeedNews::Lost(tx.feed_position().await?),
            };
            Ok(FeedReading {
                news,
                clock: reading,
                past_lost_at: Timestamp::from_unix(besides.lost_at),
                use_is_kept: besides.used.is_some()
                    || used.is_none_or(|used| used.expires_at < database.forget_before()),
            })
        })
        .await
    }

    /// Records a loss that was detected at `at`, so that replicas that start later learn of it.
    ///
    /// # Errors
    /// An unreachable database, or held by another writer.
    pub async fn mark_past_lost(&self, at: Timestamp) -> Result<(), StoreError> {
        self.write(async |tx| {
            on_db!(tx, conn => {
                sqlx::query("UPDATE feed_head SET lost_at = $1 WHERE id = 1 AND lost_at < $1")
                    .bind(at.unix())
                    .execute(conn)
                    .await?;
            });
            Ok(())
        })
        .await
    }

    /// Removes changes that every live reader has long read: those before the first one that is kept, so that no reader
    /// meets a gap, also where the clock was set back in between.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn prune_feed(&self, now: DatabaseTime) -> Result<(), StoreError> {
        self.write(async |tx| {
            on_db!(tx, conn => {
                sqlx::query(
                    "DELETE FROM changes WHERE n < (SELECT n FROM feed_head) AND n < \
                     coalesce((SELECT min(n) FROM changes WHERE at >= $1), 9223372036854775807)",
                )
                .bind(now.forget_before().minus(KEPT).unix())
                .execute(conn)
                .await?;
            });
            Ok(())
        })
        .await
    }
}

/// What a reader finds in the rows.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Changes(Vec<(i64, Change)>, FeedPosition),
    TooMuch,
    /// The row that was read last is gone or another one: the reader's past is not this feed's.
    AnotherPast,
}

/// `still_there` is the random id that the rows of `last.n` carry now (before the first change: those of the first),
/// `rows` are the later ones.
fn news(last: &FeedPosition, still_there: Option<&str>, mut rows: Vec<ChangeRow>) -> Found {
    rows.sort_by(|a, b| (a.n, &a.kind, &a.key).cmp(&(b.n, &b.kind, &b.key)));
    let continues = match last.n {
        0 => rows.is_empty() || still_there.is_some(),
        _ => still_there == Some(last.random_id.as_str()),
    };
    if !continues {
        return Found::AnotherPast;
    }
    if i64::try_from(rows.len()).is_ok_and(|count| count >= MOST_CHANGES) {
        return Found::TooMuch;
    }
    let position = rows.last().map_or_else(
        || last.clone(),
        |row| FeedPosition {
            n: row.n,
            random_id: row.random_id.clone(),
        },
    );
    // A kind that this version does not know comes from a newer one: forget everything, to be safe.
    let changes = rows
        .into_iter()
        .map(|row| {
            Some((
                row.n,
                Change {
                    kind: ChangeKind::from_text(&row.kind)?,
                    key: row.key,
                },
            ))
        })
        .collect::<Option<Vec<_>>>();
    changes.map_or(Found::TooMuch, |changes| Found::Changes(changes, position))
}

impl Tx {
    /// The random id of change `n` or the first one, whether `used` is spent, and the time, in one round trip.
    async fn besides(&mut self, n: i64, used: Option<&str>) -> Result<Besides, StoreError> {
        let n = n.max(1);
        let statement = match self {
            Self::Postgres(_) => besides!(postgres_time!()),
            Self::Sqlite(_) => besides!(sqlite_time!()),
        };
        Ok(on_db!(self, conn => {
            sqlx::query_as(statement).bind(n).bind(used).fetch_one(conn).await?
        }))
    }

    /// At most [`MOST_CHANGES`] rows after change `n`; one change may have more rows than that.
    async fn changes_since(&mut self, n: i64) -> Result<Vec<ChangeRow>, StoreError> {
        Ok(on_db!(self, conn => {
            sqlx::query_as("SELECT n, kind, key, random_id FROM changes WHERE n > $1 LIMIT $2")
                .bind(n)
                .bind(MOST_CHANGES)
                .fetch_all(conn)
                .await?
        }))
    }

    /// What was changed after `seen`; `None` where that is too much to read, or the past is another one.
    pub(super) async fn changed_since(
        &mut self,
        seen: &FeedPosition,
    ) -> Result<Option<Vec<Change>>, StoreError> {
        let besides = self.besides(seen.n, None).await?;
        let rows = self.changes_since(seen.n).await?;
        Ok(match news(seen, besides.random_id.as_deref(), rows) {
            Found::Changes(changes, _) => Some(changes.into_iter().map(|(_, it)| it).collect()),
            Found::TooMuch | Found::AnotherPast => None,
        })
    }

    /// Whether anything but tokens was changed after `seen`, or the past is another one.
    pub(super) async fn has_changed_since(
        &mut self,
        seen: &FeedPosition,
    ) -> Result<bool, StoreError> {
        let (still_there, changed): (Option<String>, bool) = on_db!(self, conn => {
            sqlx::query_as(
                "SELECT (SELECT random_id FROM changes WHERE n = $1 LIMIT 1), EXISTS \
                 (SELECT 1 FROM changes WHERE n > $1 AND kind NOT IN ('revoked_token', 'audit_event'))",
            )
            .bind(seen.n)
            .fetch_one(conn)
            .await?
        });
        Ok(changed || still_there.unwrap_or_default() != seen.random_id)
    }

    pub(super) async fn feed_position(&mut self) -> Result<FeedPosition, StoreError> {
        let row: (i64, Option<String>) = on_db!(self, conn => {
            sqlx::query_as(
                "SELECT h.n, (SELECT c.random_id FROM changes c WHERE c.n = h.n LIMIT 1) \
                 FROM feed_head h",
            )
            .fetch_one(conn)
            .await?
        });
        Ok(FeedPosition {
            n: row.0,
            random_id: row.1.unwrap_or_default(),
        })
    }

    /// Takes the next number for `changes` and writes them under it; the last statements before the commit.
    pub(super) async fn append_changes(
        &mut self,
        changes: &[Change],
        (now, random_id): (Timestamp, &str),
    ) -> Result<i64, StoreError> {
        let n: i64 = on_db!(self, conn => {
            sqlx::query_scalar("UPDATE feed_head SET n = n + 1 WHERE id = 1 RETURNING n")
                .fetch_one(conn)
                .await?
        });
        for some in changes.chunks(ROWS_AT_ONCE) {
            on_db!(self, conn => {
                let mut statement =
                    QueryBuilder::new("INSERT INTO changes (n, kind, key, random_id, at) ");
                statement.push_values(some, |mut row, change| {
                    row.push_bind(n)
                        .push_bind(change.kind.as_str())
                        .push_bind(change.key.as_str())
                        .push_bind(random_id)
                        .push_bind(now.unix());
                });
                statement.build().persistent(false).execute(conn).await?;
            });
        }
        if let Self::Postgres(tx) = self {
            // Wakes the other replicas early; they rely on polling.
            sqlx::query("SELECT pg_notify('grantd_changes', '')")
                .execute(tx.connection()?)
                .await?;
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(n: i64, key: &str, random_id: &str) -> ChangeRow {
        ChangeRow {
            n,
            kind: "client".into(),
            key: key.into(),
            random_id: random_id.into(),
        }
    }

    fn at(n: i64, random_id: &str) -> FeedPosition {
        FeedPosition {
            n,
            random_id: random_id.into(),
        }
    }

    #[test]
    fn a_reader_goes_on_where_its_last_row_still_stands() {
        let rows = vec![row(5, "c", "y")];
        let Found::Changes(changes, position) = news(&at(4, "x"), Some("x"), rows) else {
            panic!("the feed goes on")
        };
        assert_eq!(
            changes,
            [(
                5,
                Change {
                    kind: ChangeKind::Client,
                    key: "c".into()
                }
            )]
        );
        assert_eq!(position, at(5, "y"));
    }

    #[test]
    fn a_reader_whose_last_row_is_gone_or_another_has_another_past() {
        assert_eq!(news(&at(4, "x"), None, vec![]), Found::AnotherPast);
        assert_eq!(
            news(&at(4, "x"), Some("z"), vec![row(5, "b", "y")]),
            Found::AnotherPast
        );
        assert_eq!(
            news(&at(4, "x"), None, vec![row(6, "b", "y")]),
            Found::AnotherPast
        );
        assert_eq!(
            news(&at(0, ""), None, vec![row(2, "b", "y")]),
            Found::AnotherPast
        );
    }

    #[test]
    fn nothing_new_is_no_loss() {
        for last in [at(0, ""), at(4, "x")] {
            let still_there = (last.n > 0).then_some("x");
            let found = news(&last, still_there, vec![]);
            assert_eq!(found, Found::Changes(vec![], last));
        }
    }

    #[test]
    fn what_is_too_much_to_read_loses_no_past() {
        let mut strange = row(2, "b", "y");
        strange.kind = "of a later version".into();
        assert_eq!(news(&at(1, "x"), Some("x"), vec![strange]), Found::TooMuch);
        let many = || {
            (0..MOST_CHANGES)
                .map(|key| row(2, &key.to_string(), "y"))
                .collect()
        };
        assert_eq!(news(&at(1, "x"), Some("x"), many()), Found::TooMuch);
        assert_eq!(news(&at(1, "x"), Some("z"), many()), Found::AnotherPast);
    }
}
