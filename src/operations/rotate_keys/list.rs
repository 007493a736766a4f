//! The signing keys as operators see them.

use super::lineups::lineups_of;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::signing_key::periods::KeyPeriods;
use crate::domain::signing_key::{KeyLife, KeyState};
use crate::store::Store;
use crate::store::error::StoreError;

/// A key as `grantd key list` shows it.
#[derive(Clone, Debug)]
pub struct ListedKey {
    /// Its `kid`.
    pub kid: String,
    /// Its algorithm.
    pub algorithm: SigningAlgorithm,
    /// Where it stands.
    pub state: KeyState,
    /// Its life; one that stands by begins when the schedule says, where there is one.
    pub life: KeyLife,
    /// The id of the sealing key that opens its private half.
    pub sealed_with: String,
}

/// All keys, by algorithm and in the order in which they sign; `periods` where the servers' settings are known.
///
/// # Errors
/// An unreachable database.
pub async fn list_keys(
    store: &Store,
    periods: Option<&KeyPeriods>,
) -> Result<Vec<ListedKey>, StoreError> {
    let stored = store.load_signing_keys().await?.value;
    let now = store.now().await?.second();
    let lineups = lineups_of(&stored);
    let planned = |key: &KeyLife, algorithm| {
        key.activates_at.or_else(|| {
            let begin = lineups.get(&algorithm)?.planned_begin(periods?)?;
            key.is_needed(now).then_some(begin)
        })
    };
    let mut listed: Vec<_> = stored
        .keys
        .iter()
        .map(|key| ListedKey {
            kid: key.kid.clone(),
            algorithm: key.algorithm,
            state: key.life.state(now),
            life: KeyLife {
                activates_at: planned(&key.life, key.algorithm),
                ..key.life
            },
            sealed_with: key.sealed.key_id.clone(),
        })
        .collect();
    listed.sort_by_key(|key| (key.algorithm, key.life.announced_at, key.kid.clone()));
    Ok(listed)
}
