//! The table `revoked_tokens`.

use super::Store;
use super::change::ChangeTx;
use super::error::StoreError;
use super::feed::ChangeKind;
use super::transaction::{Tx, on_db};
use crate::domain::timestamp::Timestamp;

/// A revoked token: its `jti`, and when it would have expired.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RevokedToken {
    /// The token's own name.
    pub jti: String,
    /// When it would have expired: from then on nobody needs the row.
    pub expires_at: Timestamp,
}

impl RevokedToken {
    /// The key of its change in the feed.
    #[must_use]
    pub fn feed_key(&self) -> String {
        format!("{} {}", self.expires_at.unix(), self.jti)
    }

    /// Reads the key of a change.
    #[must_use]
    pub fn from_feed_key(key: &str) -> Option<Self> {
        let (expires_at, jti) = key.split_once(' ')?;
        let expires_at = Timestamp::from_unix(expires_at.parse().ok()?);
        Some(Self {
            jti: jti.to_owned(),
            expires_at,
        })
    }
}

impl Store {
    /// Whether the token `jti` is revoked.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn is_revoked(&self, jti: &str) -> Result<bool, StoreError> {
        self.read(async |tx| {
            let found: Option<i64> = on_db!(tx, conn => {
                sqlx::query_scalar("SELECT expires_at FROM revoked_tokens WHERE jti = $1")
                    .bind(jti)
                    .fetch_optional(conn)
                    .await?
            });
            Ok(found.is_some())
        })
        .await
    }

    /// At most `limit` revoked tokens in the order of their `jti`, after `after`. Expired ones are among them until
    /// [`Store::sweep`] removes them.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn revoked_tokens_after(
        &self,
        after: &str,
        limit: i64,
    ) -> Result<Vec<RevokedToken>, StoreError> {
        self.read(async |tx| {
            let rows: Vec<(String, i64)> = on_db!(tx, conn => {
                sqlx::query_as(
                    "SELECT jti, expires_at FROM revoked_tokens \
                     WHERE jti > $1 ORDER BY jti LIMIT $2",
                )
                .bind(after)
                .bind(limit)
                .fetch_all(conn)
                .await?
            });
            let read = |(jti, expires_at)| RevokedToken {
                jti,
                expires_at: Timestamp::from_unix(expires_at),
            };
            Ok(rows.into_iter().map(read).collect())
        })
        .await
    }
}

impl ChangeTx {
    /// Revokes tokens; one that is revoked already stays so. They are written in one order everywhere, so that
    /// two replicas that revoke the same ones wait for each other instead of locking each other out.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn revoke_tokens(&mut self, tokens: &[RevokedToken]) -> Result<(), StoreError> {
        let mut tokens: Vec<&RevokedToken> = tokens.iter().collect();
        tokens.sort_by_key(|token| &token.jti);
        match &mut self.tx {
            Tx::Postgres(tx) => {
                let jtis: Vec<&str> = tokens.iter().map(|token| token.jti.as_str()).collect();
                let expiries: Vec<i64> =
                    tokens.iter().map(|token| token.expires_at.unix()).collect();
                sqlx::query(
                    "INSERT INTO revoked_tokens (jti, expires_at) \
                     SELECT * FROM UNNEST($1::text[], $2::bigint[]) ON CONFLICT DO NOTHING",
                )
                .bind(jtis)
                .bind(expiries)
                .execute(tx.connection()?)
                .await?;
            }
            Tx::Sqlite(tx) => {
                for token in &tokens {
                    sqlx::query(
                        "INSERT INTO revoked_tokens (jti, expires_at) VALUES ($1, $2) \
                         ON CONFLICT DO NOTHING",
                    )
                    .bind(&token.jti)
                    .bind(token.expires_at.unix())
                    .execute(tx.connection()?)
                    .await?;
                }
            }
        }
        for token in tokens {
            self.note(ChangeKind::RevokedToken, &token.feed_key());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_in_the_feed_reads_back() {
        let token = RevokedToken {
            jti: "a b".into(),
            expires_at: Timestamp::from_unix(7),
        };
        assert_eq!(RevokedToken::from_feed_key(&token.feed_key()), Some(token));
        assert_eq!(RevokedToken::from_feed_key("x"), None);
    }
}
