//! The issuer's own keys, for tokens at will: the one that signs, the next one, the one that was retired last. One that is
//! wanted and is not there is made, as a row like any other.

use std::sync::Arc;

use crate::control::fault::Fault;
use crate::control::state::Control;
use crate::crypto::jws::{NewKey, Signer, generate};
use crate::crypto::random;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::signing_key::KeyLife;
use crate::domain::timestamp::Timestamp;
use crate::operations::background::blocking;
use crate::operations::make_signing_keys::sealed;
use crate::store::error::StoreError;
use crate::store::signing_keys::StoredKey;

/// The key that signs with `algorithm` now; it is made where the issuer has none, and then stands in the JWKS.
///
/// # Errors
/// 503.
pub(in crate::control) async fn active(
    control: &Control,
    algorithm: SigningAlgorithm,
) -> Result<Arc<Signer>, Fault> {
    if let Some(signer) = control.grantd().signer(algorithm) {
        return Ok(signer);
    }
    let now = control.grantd().database_now();
    insert(control, algorithm, KeyLife::from(now, now)).await?;
    let signer = control.grantd().signer(algorithm);
    signer.ok_or_else(|| Fault::unavailable(&"the new key does not sign yet: ask again"))
}

/// The key that signs next; it is announced where there is none.
///
/// # Errors
/// 503.
pub(in crate::control) async fn next(
    control: &Control,
    algorithm: SigningAlgorithm,
) -> Result<Arc<Signer>, Fault> {
    let announced = || control.grantd().keys()?.next(algorithm);
    if let Some(signer) = announced() {
        return Ok(signer);
    }
    // The schedule announces one for each algorithm that audiences have.
    let rotated = control.grantd().rotate_keys().await;
    rotated.map_err(|error| Fault::unavailable(&error))?;
    control.follow().await?;
    if let Some(signer) = announced() {
        return Ok(signer);
    }
    let now = control.grantd().database_now();
    insert(control, algorithm, KeyLife::announced(now)).await?;
    announced().ok_or_else(|| Fault::unavailable(&"the new key is not known yet: ask again"))
}

/// A retired key.
pub(in crate::control) struct Retired {
    pub(in crate::control) signer: Arc<Signer>,
    /// Since when it is out of the JWKS.
    pub(in crate::control) since: Timestamp,
}

/// The key that left the JWKS last. Where none ever did, one is made that was retired in the moment it was announced, so
/// that no JWKS had it.
///
/// # Errors
/// 503.
pub(in crate::control) async fn retired(
    control: &Control,
    algorithm: SigningAlgorithm,
) -> Result<Retired, Fault> {
    if let Some(retired) = last_retired(control, algorithm).await? {
        return Ok(retired);
    }
    let now = control.grantd().database_now();
    let over = KeyLife {
        retires_at: Some(now),
        expires_at: Some(now),
        ..KeyLife::announced(now)
    };
    let made = insert(control, algorithm, over).await?;
    let signer = Signer::from_private(algorithm, &made.kid, &made.private);
    Ok(Retired {
        signer: Arc::new(signer.map_err(|error| Fault::unavailable(&error))?),
        // Nobody can have it in a cache.
        since: Timestamp::EPOCH,
    })
}

async fn last_retired(
    control: &Control,
    algorithm: SigningAlgorithm,
) -> Result<Option<Retired>, Fault> {
    let stored = control.grantd().store().load_signing_keys().await;
    let stored = stored.map_err(|error| Fault::unavailable(&error))?.value;
    let now = control.grantd().database_now();
    let is_over = |key: &&StoredKey| key.algorithm == algorithm && !key.life.verifies(now);
    let mut over: Vec<&StoredKey> = stored.keys.iter().filter(is_over).collect();
    over.sort_by_key(|key| (key.life.expires_at, &key.kid));
    let opened = over.into_iter().rev().find_map(|key| {
        let sealing = &control.world().sealing;
        let private = sealing.open(&key.kid, algorithm, &key.sealed).ok()?;
        let signer = Signer::from_private(algorithm, &key.kid, &private).ok()?;
        let ended = key.life.expires_at;
        let was_published = ended > Some(key.life.announced_at);
        Some(Retired {
            signer: Arc::new(signer),
            since: ended.filter(|_| was_published).unwrap_or(Timestamp::EPOCH),
        })
    });
    Ok(opened)
}

/// Writes a new key with this life, and waits until this process knows it.
async fn insert(
    control: &Control,
    algorithm: SigningAlgorithm,
    life: KeyLife,
) -> Result<NewKey, Fault> {
    let made = blocking(move || generate(algorithm)).await;
    let made = made.map_err(|error| Fault::unavailable(&error))?;
    let life = KeyLife {
        longest_token: control.settings().tokens.max_lifetime,
        ..life
    };
    let key = sealed(&made, algorithm, &control.world().sealing, life);
    let key = key.map_err(|error| Fault::unavailable(&error))?;
    match write(control, &key).await {
        // Somebody was first; whoever asks again finds that key.
        Ok(()) | Err(StoreError::Conflict(_)) => {}
        Err(error) => return Err(Fault::unavailable(&error)),
    }
    control.follow().await?;
    Ok(made)
}

async fn write(control: &Control, key: &StoredKey) -> Result<(), StoreError> {
    let store = control.grantd().store();
    let mut change = store.begin_change(random::token_id()).await?;
    change.insert_signing_key(key).await?;
    change.commit().await.map(drop)
}
