//! Makes the signing keys that audiences need: the pairs before, their rows in the transaction that makes the need.

use std::collections::{BTreeMap, BTreeSet};

use crate::crypto::jws::{self, JwsError, NewKey};
use crate::crypto::sealing::{Sealed, SealingError, SealingKeys};
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::signing_key::KeyLife;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::store::Store;
use crate::store::change::ChangeTx;
use crate::store::error::StoreError;
use crate::store::signing_keys::StoredKey;

/// How long after its announcement a key begins to sign: by then every replica that reads the feed has it.
pub const ACTIVATION_DELAY: Seconds = Seconds::new(2);

/// Why a key was not made.
#[derive(Debug, thiserror::Error)]
pub enum MakeKeyError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key pair.
    #[error(transparent)]
    Generation(#[from] JwsError),
    /// The sealing.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// There is no sealing key.
    #[error(
        "a signing key must be made, and there is no sealing key to keep it with: set [sealing] key_file \
         (or GRANTD_SEALING__KEY_FILE) to a file of 32 random bytes, the same on every replica"
    )]
    NoSealingKey,
    /// The sealing key is another one than the running servers have.
    #[error(
        "a signing key must be made, and this sealing key does not open those in the database, so no server could \
         open what it seals: give the servers' sealing key, or list it in old_key_files ({0})"
    )]
    OtherSealingKey(SealingError),
}

/// Key pairs that were made before anything was locked.
#[derive(Debug, Default)]
pub struct KeyPairs(BTreeMap<SigningAlgorithm, NewKey>);

impl KeyPairs {
    /// Makes a pair for each of `algorithms` that has no key, and none here yet.
    ///
    /// # Errors
    /// A database out of reach, or a failed generation.
    pub async fn make_missing(
        &mut self,
        store: &Store,
        algorithms: &BTreeSet<SigningAlgorithm>,
    ) -> Result<(), MakeKeyError> {
        let now = store.now().await?.second();
        let existing = store.load_signing_keys().await?.value;
        let mut missing = lacking(&existing, algorithms, now);
        missing.retain(|algorithm| !self.0.contains_key(algorithm));
        for algorithm in missing {
            let making = tokio::task::spawn_blocking(move || jws::generate(algorithm)).await;
            let made = making.unwrap_or(Err(JwsError::Generation(algorithm)))?;
            self.0.insert(algorithm, made);
        }
        Ok(())
    }

    /// The pair; one that nobody foresaw is made now.
    fn take(&mut self, algorithm: SigningAlgorithm) -> Result<NewKey, JwsError> {
        let made = self.0.remove(&algorithm);
        made.map_or_else(|| jws::generate(algorithm), Ok)
    }
}

/// Writes a key, of `pairs` where it is there, for each of `algorithms` that has none which signs now or will; gives the
/// algorithms that got one.
///
/// # Errors
/// A database out of reach, no sealing key, another one than the servers have, or a failed generation.
pub async fn make_missing_keys(
    change: &mut ChangeTx,
    algorithms: &BTreeSet<SigningAlgorithm>,
    mut pairs: KeyPairs,
    sealing: Option<&SealingKeys>,
    delay: Seconds,
) -> Result<Vec<SigningAlgorithm>, MakeKeyError> {
    let now = change.now();
    let existing = change.signing_keys().await?;
    let missing = lacking(&existing, algorithms, now);
    if missing.is_empty() {
        return Ok(missing);
    }
    let sealing = sealing.ok_or(MakeKeyError::NoSealingKey)?;
    check_opens(&existing, sealing)?;
    let life = KeyLife::from(now, now.plus(delay));
    for algorithm in &missing {
        let key = sealed(pairs.take(*algorithm)?, *algorithm, sealing, life)?;
        change.insert_signing_key(&key).await?;
    }
    Ok(missing)
}

/// The algorithms that [`make_missing_keys`] would make a key of.
///
/// # Errors
/// A database out of reach.
pub async fn missing_keys(
    change: &mut ChangeTx,
    algorithms: &BTreeSet<SigningAlgorithm>,
) -> Result<Vec<SigningAlgorithm>, StoreError> {
    let existing = change.signing_keys().await?;
    Ok(lacking(&existing, algorithms, change.now()))
}

fn lacking(
    existing: &[StoredKey],
    algorithms: &BTreeSet<SigningAlgorithm>,
    now: Timestamp,
) -> Vec<SigningAlgorithm> {
    let has = |algorithm| {
        existing
            .iter()
            .any(|key| key.algorithm == algorithm && key.life.retires_at.is_none_or(|at| at > now))
    };
    let algorithms = algorithms.iter().copied();
    algorithms.filter(|algorithm| !has(*algorithm)).collect()
}

/// Whether the servers' keys open: those that are over may stay shut.
fn check_opens(existing: &[StoredKey], sealing: &SealingKeys) -> Result<(), MakeKeyError> {
    for key in existing.iter().filter(|key| key.life.retires_at.is_none()) {
        let sealed = Sealed {
            key_id: key.sealing_key_id.clone(),
            text: key.sealed_private_key.clone(),
        };
        let opened = sealing.open(&key.kid, key.algorithm, &sealed);
        opened.map_err(MakeKeyError::OtherSealingKey)?;
    }
    Ok(())
}

fn sealed(
    key: NewKey,
    algorithm: SigningAlgorithm,
    sealing: &SealingKeys,
    life: KeyLife,
) -> Result<StoredKey, MakeKeyError> {
    let sealed = sealing.seal(&key.kid, algorithm, &key.private)?;
    Ok(StoredKey {
        public_jwk: key.public_jwk.to_json(&key.kid, algorithm).to_string(),
        kid: key.kid,
        algorithm,
        sealed_private_key: sealed.text,
        sealing_key_id: sealed.key_id,
        life,
    })
}
