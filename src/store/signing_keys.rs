//! The table `signing_keys`: private keys lie here sealed, never in clear.

use std::collections::BTreeMap;

use super::Store;
use super::change::ChangeTx;
use super::error::StoreError;
use super::feed::ChangeKind;
use super::loaded::Loaded;
use super::row::{Row, row, unix};
use super::touched::touched_one;
use super::transaction::{Tx, on_db};
use crate::crypto::sealing::Sealed;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::signing_key::KeyLife;
use crate::domain::timestamp::{Seconds, Timestamp};

/// A signing key as it is stored.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// The RFC 7638 thumbprint.
    pub kid: String,
    /// The one algorithm that it serves.
    pub algorithm: SigningAlgorithm,
    /// The public JWK, compact JSON.
    pub public_jwk: String,
    /// The private key, and which sealing key opens it.
    pub sealed: Sealed,
    /// When it does what.
    pub life: KeyLife,
}

/// The algorithms of the audiences, each with the longest lifetime that an audience allows its tokens.
pub type AlgorithmsInUse = BTreeMap<SigningAlgorithm, Seconds>;

/// The signing keys, and what they are for.
#[derive(Clone, Debug, Default)]
pub struct StoredKeys {
    /// All of them, in no order.
    pub keys: Vec<StoredKey>,
    /// What audiences need.
    pub in_use: AlgorithmsInUse,
}

row! {
    struct KeyRow {
        kid: String,
        algorithm: String,
        public_jwk: String,
        sealed_private_key: String,
        sealing_key_id: String,
        announced_at: i64,
        activates_at: Option<i64>,
        retires_at: Option<i64>,
        expires_at: Option<i64>,
        compromised_at: Option<i64>,
        longest_token: i64,
    }
}

row! {
    struct InUseRow {
        algorithm: String,
        longest: i64,
    }
}

impl Store {
    /// All signing keys and what audiences need, in one snapshot with the feed's number.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn load_signing_keys(&self) -> Result<Loaded<StoredKeys>, StoreError> {
        self.read(async |tx| {
            let feed = tx.feed_position().await?;
            let value = tx.signing_keys().await?;
            Ok(Loaded { value, feed })
        })
        .await
    }
}

impl Tx {
    async fn signing_keys(&mut self) -> Result<StoredKeys, StoreError> {
        let rows: Vec<KeyRow> = on_db!(self, conn => {
            sqlx::query_as(
                "SELECT kid, algorithm, public_jwk, sealed_private_key, sealing_key_id, announced_at, \
                 activates_at, retires_at, expires_at, compromised_at, longest_token FROM signing_keys",
            )
            .fetch_all(conn)
            .await?
        });
        let keys = rows.into_iter().map(KeyRow::into_key);
        Ok(StoredKeys {
            keys: keys.collect::<Result<_, _>>()?,
            in_use: self.algorithms_in_use().await?,
        })
    }

    async fn algorithms_in_use(&mut self) -> Result<AlgorithmsInUse, StoreError> {
        let rows: Vec<InUseRow> = on_db!(self, conn => {
            sqlx::query_as(
                "SELECT algorithm, max(max_token_lifetime) AS longest FROM audiences GROUP BY algorithm",
            )
            .fetch_all(conn)
            .await?
        });
        rows.into_iter().map(InUseRow::into_pair).collect()
    }
}

impl ChangeTx {
    /// All signing keys and what audiences need, as they stand inside this transaction.
    ///
    /// # Errors
    /// An unreachable database, or a corrupt row.
    pub async fn signing_keys(&mut self) -> Result<StoredKeys, StoreError> {
        self.tx.signing_keys().await
    }

    /// Writes a new signing key.
    ///
    /// # Errors
    /// An unreachable database; [`StoreError::Conflict`] where its place is taken: somebody else made one first.
    pub async fn insert_signing_key(&mut self, key: &StoredKey) -> Result<(), StoreError> {
        let touched = on_db!(&mut self.tx, conn => {
            sqlx::query(
                "INSERT INTO signing_keys (kid, algorithm, public_jwk, sealed_private_key, sealing_key_id, \
                 announced_at, activates_at, retires_at, expires_at, compromised_at, longest_token) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
            )
            .bind(&key.kid)
            .bind(key.algorithm.as_str())
            .bind(&key.public_jwk)
            .bind(&key.sealed.text)
            .bind(&key.sealed.key_id)
            .bind(key.life.announced_at.unix())
            .bind(unix(key.life.activates_at))
            .bind(unix(key.life.retires_at))
            .bind(unix(key.life.expires_at))
            .bind(unix(key.life.compromised_at))
            .bind(i64::from(key.life.longest_token.get()))
            .execute(conn)
            .await?
            .rows_affected()
        });
        self.note(ChangeKind::SigningKey, &key.kid);
        touched_one(touched, &key.kid)
    }

    /// Changes the life of a key that still has the one `before`. One that ends is written before one that begins in
    /// its place.
    ///
    /// # Errors
    /// An unreachable database; [`StoreError::Conflict`] where somebody else changed it first.
    pub async fn set_key_life(
        &mut self,
        kid: &str,
        (before, after): (&KeyLife, &KeyLife),
    ) -> Result<(), StoreError> {
        let touched = on_db!(&mut self.tx, conn => {
            sqlx::query(
                "UPDATE signing_keys SET activates_at = $2, retires_at = $3, expires_at = $4, \
                 compromised_at = $5, longest_token = $6 WHERE kid = $1 \
                 AND activates_at IS NOT DISTINCT FROM $7 AND retires_at IS NOT DISTINCT FROM $8 \
                 AND expires_at IS NOT DISTINCT FROM $9 AND compromised_at IS NOT DISTINCT FROM $10 \
                 AND longest_token = $11",
            )
            .bind(kid)
            .bind(unix(after.activates_at))
            .bind(unix(after.retires_at))
            .bind(unix(after.expires_at))
            .bind(unix(after.compromised_at))
            .bind(i64::from(after.longest_token.get()))
            .bind(unix(before.activates_at))
            .bind(unix(before.retires_at))
            .bind(unix(before.expires_at))
            .bind(unix(before.compromised_at))
            .bind(i64::from(before.longest_token.get()))
            .execute(conn)
            .await?
            .rows_affected()
        });
        self.note(ChangeKind::SigningKey, kid);
        touched_one(touched, kid)
    }

    /// Changes what a private key is sealed with, where that is still `before`.
    ///
    /// # Errors
    /// An unreachable database; [`StoreError::Conflict`] where somebody else changed it first.
    pub async fn set_sealed(
        &mut self,
        kid: &str,
        (before, after): (&Sealed, &Sealed),
    ) -> Result<(), StoreError> {
        let touched = on_db!(&mut self.tx, conn => {
            sqlx::query(
                "UPDATE signing_keys SET sealed_private_key = $2, sealing_key_id = $3 \
                 WHERE kid = $1 AND sealing_key_id = $4",
            )
            .bind(kid)
            .bind(&after.text)
            .bind(&after.key_id)
            .bind(&before.key_id)
            .execute(conn)
            .await?
            .rows_affected()
        });
        self.note(ChangeKind::SigningKey, kid);
        touched_one(touched, kid)
    }
}

impl KeyRow {
    fn into_key(self) -> Result<StoredKey, StoreError> {
        let at = Row {
            table: "signing_keys",
            key: &self.kid,
        };
        let instant = |unix: Option<i64>| unix.map(Timestamp::from_unix);
        Ok(StoredKey {
            algorithm: at.read("algorithm", self.algorithm.parse().ok())?,
            life: KeyLife {
                announced_at: Timestamp::from_unix(self.announced_at),
                activates_at: instant(self.activates_at),
                retires_at: instant(self.retires_at),
                expires_at: instant(self.expires_at),
                compromised_at: instant(self.compromised_at),
                longest_token: at.seconds("longest_token", self.longest_token)?,
            },
            kid: self.kid,
            public_jwk: self.public_jwk,
            sealed: Sealed {
                key_id: self.sealing_key_id,
                text: self.sealed_private_key,
            },
        })
    }
}

impl InUseRow {
    fn into_pair(self) -> Result<(SigningAlgorithm, Seconds), StoreError> {
        let at = Row {
            table: "audiences",
            key: &self.algorithm,
        };
        let algorithm = at.read("algorithm", self.algorithm.parse().ok())?;
        Ok((algorithm, at.seconds("max_token_lifetime", self.longest)?))
    }
}
