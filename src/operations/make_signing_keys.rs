//! Makes the signing keys that audiences need: key pairs before anything is locked, their rows in the transaction
//! that changes the audiences.

use std::collections::{BTreeMap, BTreeSet};

use super::background::blocking;
use crate::crypto::jws::{self, JwsError, NewKey};
use crate::crypto::sealing::{SealingError, SealingKeys};
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::signing_key::KeyLife;
use crate::domain::timestamp::Seconds;
use crate::store::Store;
use crate::store::change::ChangeTx;
use crate::store::error::StoreError;
use crate::store::signing_keys::StoredKey;

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum MakeKeyError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key pair was not generated.
    #[error(transparent)]
    Generation(#[from] JwsError),
    /// The private key was not sealed.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// There is no sealing key.
    #[error(
        "a signing key must be made, and there is no sealing key to keep it with: set [sealing] key_file \
         (or GRANTD_SEALING__KEY_FILE) to a file of 32 random bytes, the same on every replica"
    )]
    NoSealingKey,
    /// The sealing key differs from that of the running servers.
    #[error(
        "this sealing key does not open the signing keys in the database, and no server could open what it seals: give \
         the servers' sealing key, or list it in old_key_files ({0})"
    )]
    OtherSealingKey(SealingError),
}

/// Key pairs that were made before anything was locked.
#[derive(Debug, Default)]
pub struct KeyPairs(BTreeMap<SigningAlgorithm, Vec<NewKey>>);

impl KeyPairs {
    /// Makes a pair for each of `algorithms` that has neither a key nor a pair here.
    ///
    /// # Errors
    /// The database is unreachable, or key generation fails.
    pub async fn make_missing(
        &mut self,
        store: &Store,
        algorithms: &BTreeSet<SigningAlgorithm>,
    ) -> Result<(), MakeKeyError> {
        let existing = store.load_signing_keys().await?.value.keys;
        for algorithm in lacking(&existing, algorithms) {
            if !self.0.contains_key(&algorithm) {
                self.make(algorithm, 1).await?;
            }
        }
        Ok(())
    }

    /// Makes `number` more pairs.
    ///
    /// # Errors
    /// Key generation fails.
    pub(super) async fn make(
        &mut self,
        algorithm: SigningAlgorithm,
        number: usize,
    ) -> Result<(), JwsError> {
        for _ in 0..number {
            let made = blocking(move || jws::generate(algorithm)).await?;
            self.0.entry(algorithm).or_default().push(made);
        }
        Ok(())
    }

    /// Takes out a pair, if one was made.
    pub(super) fn take(&mut self, algorithm: SigningAlgorithm) -> Option<NewKey> {
        self.0.get_mut(&algorithm)?.pop()
    }
}

/// Writes a key for each of `algorithms` that has none that signs now or later, from `pairs` if it has one. Returns
/// the algorithms that got a key.
///
/// # Errors
/// The database is unreachable, the sealing key is missing or not the servers', or key generation fails.
pub async fn make_missing_keys(
    change: &mut ChangeTx,
    algorithms: &BTreeSet<SigningAlgorithm>,
    mut pairs: KeyPairs,
    sealing: Option<&SealingKeys>,
    delay: Seconds,
) -> Result<Vec<SigningAlgorithm>, MakeKeyError> {
    let now = change.now();
    let existing = change.signing_keys().await?.keys;
    // Checked even if no key must be made: a wrong sealing key may mean the wrong database.
    let sealing = match sealing {
        Some(sealing) => Some(as_the_servers_seal(&existing, sealing)?),
        None => None,
    };
    let missing = lacking(&existing, algorithms);
    if missing.is_empty() {
        return Ok(missing);
    }
    let sealing = sealing.ok_or(MakeKeyError::NoSealingKey)?;
    let life = KeyLife::from(now, now.plus(delay));
    for algorithm in &missing {
        // Not foreseen when the pairs were made.
        let pair = match pairs.take(*algorithm) {
            Some(pair) => pair,
            None => jws::generate(*algorithm)?,
        };
        let key = sealed(&pair, *algorithm, &sealing, life)?;
        change.insert_signing_key(&key).await?;
    }
    Ok(missing)
}

/// The algorithms that [`make_missing_keys`] would make a key for.
///
/// # Errors
/// An unreachable database.
pub async fn missing_keys(
    change: &mut ChangeTx,
    algorithms: &BTreeSet<SigningAlgorithm>,
) -> Result<Vec<SigningAlgorithm>, StoreError> {
    let existing = change.signing_keys().await?.keys;
    Ok(lacking(&existing, algorithms))
}

fn lacking(
    existing: &[StoredKey],
    algorithms: &BTreeSet<SigningAlgorithm>,
) -> Vec<SigningAlgorithm> {
    let has = |algorithm| {
        existing.iter().any(|key| {
            let life = key.life;
            key.algorithm == algorithm && life.retires_at.is_none() && life.activates_at.is_some()
        })
    };
    let algorithms = algorithms.iter().copied();
    algorithms.filter(|algorithm| !has(*algorithm)).collect()
}

/// `sealing`, set to seal with the key that sealed the youngest signing key in use, because every server can open
/// that one. Only `key reseal` changes to the first sealing key, for all signing keys at once.
///
/// # Errors
/// It does not open a signing key in use. Expired ones need not open.
pub(super) fn as_the_servers_seal(
    existing: &[StoredKey],
    sealing: &SealingKeys,
) -> Result<SealingKeys, MakeKeyError> {
    let in_use = || existing.iter().filter(|key| key.life.retires_at.is_none());
    for key in in_use() {
        let opened = sealing.open(&key.kid, key.algorithm, &key.sealed);
        opened.map_err(MakeKeyError::OtherSealingKey)?;
    }
    let youngest = in_use().max_by_key(|key| (key.life.announced_at, &key.kid));
    Ok(youngest.map_or_else(|| sealing.clone(), |key| sealing.sealing_like(&key.sealed)))
}

/// The row of a new key.
///
/// # Errors
/// It cannot be sealed.
pub fn sealed(
    key: &NewKey,
    algorithm: SigningAlgorithm,
    sealing: &SealingKeys,
    life: KeyLife,
) -> Result<StoredKey, MakeKeyError> {
    Ok(StoredKey {
        public_jwk: key.public_jwk.to_json(&key.kid, algorithm).to_string(),
        sealed: sealing.seal(&key.kid, algorithm, &key.private)?,
        kid: key.kid.clone(),
        algorithm,
        life,
    })
}
