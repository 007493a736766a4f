//! The table `signing_keys`: private keys lie here sealed, never in clear.

use super::Store;
use super::change::ChangeTx;
use super::clients::Loaded;
use super::error::StoreError;
use super::feed::ChangeKind;
use super::row::{Row, row, unix};
use super::transaction::{Tx, on_db};
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::signing_key::KeyLife;
use crate::domain::timestamp::Timestamp;

/// A signing key as it is stored.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// The RFC 7638 thumbprint.
    pub kid: String,
    /// The one algorithm that it serves.
    pub algorithm: SigningAlgorithm,
    /// The public JWK, compact JSON.
    pub public_jwk: String,
    /// The private key, sealed.
    pub sealed_private_key: String,
    /// Which sealing key opens it.
    pub sealing_key_id: String,
    /// When it does what.
    pub life: KeyLife,
}

row! {
    struct KeyRow {
        kid: String,
        algorithm: String,
        public_jwk: String,
        sealed_private_key: String,
        sealing_key_id: String,
        announced_at: i64,
        activates_at: i64,
        retires_at: Option<i64>,
        expires_at: Option<i64>,
    }
}

impl Store {
    /// All signing keys, in one snapshot with the feed's number.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn load_signing_keys(&self) -> Result<Loaded<Vec<StoredKey>>, StoreError> {
        self.read(async |tx| {
            let feed = tx.feed_position().await?;
            let value = tx.signing_keys().await?;
            Ok(Loaded { value, feed })
        })
        .await
    }
}

impl Tx {
    async fn signing_keys(&mut self) -> Result<Vec<StoredKey>, StoreError> {
        let rows: Vec<KeyRow> = on_db!(self, conn => {
            sqlx::query_as(
                "SELECT kid, algorithm, public_jwk, sealed_private_key, sealing_key_id, \
                 announced_at, activates_at, retires_at, expires_at FROM signing_keys",
            )
            .fetch_all(conn)
            .await?
        });
        rows.into_iter().map(KeyRow::into_key).collect()
    }
}

impl ChangeTx {
    /// All signing keys, as they stand inside this transaction.
    ///
    /// # Errors
    /// A database out of reach, or a corrupt row.
    pub async fn signing_keys(&mut self) -> Result<Vec<StoredKey>, StoreError> {
        self.tx.signing_keys().await
    }

    /// Writes a new signing key.
    ///
    /// # Errors
    /// A database out of reach, or a kid that is there already.
    pub async fn insert_signing_key(&mut self, key: &StoredKey) -> Result<(), StoreError> {
        on_db!(&mut self.tx, conn => {
            sqlx::query(
                "INSERT INTO signing_keys (kid, algorithm, public_jwk, sealed_private_key, \
                 sealing_key_id, announced_at, activates_at, retires_at, expires_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(&key.kid)
            .bind(key.algorithm.as_str())
            .bind(&key.public_jwk)
            .bind(&key.sealed_private_key)
            .bind(&key.sealing_key_id)
            .bind(key.life.announced_at.unix())
            .bind(key.life.activates_at.unix())
            .bind(unix(key.life.retires_at))
            .bind(unix(key.life.expires_at))
            .execute(conn)
            .await?;
        });
        self.note(ChangeKind::SigningKey, &key.kid);
        Ok(())
    }

    /// Sets when a key retires and expires.
    ///
    /// # Errors
    /// A database out of reach, or no such key.
    pub async fn set_key_life(&mut self, kid: &str, life: &KeyLife) -> Result<(), StoreError> {
        let touched = on_db!(&mut self.tx, conn => {
            sqlx::query("UPDATE signing_keys SET retires_at = $2, expires_at = $3 WHERE kid = $1")
                .bind(kid)
                .bind(unix(life.retires_at))
                .bind(unix(life.expires_at))
                .execute(conn)
                .await?
                .rows_affected()
        });
        self.note(ChangeKind::SigningKey, kid);
        super::clients::touched_one(touched, kid)
    }
}

impl KeyRow {
    fn into_key(self) -> Result<StoredKey, StoreError> {
        let at = Row {
            table: "signing_keys",
            key: &self.kid,
        };
        Ok(StoredKey {
            algorithm: at.read("algorithm", self.algorithm.parse().ok())?,
            life: KeyLife {
                announced_at: Timestamp::from_unix(self.announced_at),
                activates_at: Timestamp::from_unix(self.activates_at),
                retires_at: self.retires_at.map(Timestamp::from_unix),
                expires_at: self.expires_at.map(Timestamp::from_unix),
            },
            kid: self.kid,
            public_jwk: self.public_jwk,
            sealed_private_key: self.sealed_private_key,
            sealing_key_id: self.sealing_key_id,
        })
    }
}
