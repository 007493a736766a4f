//! The lineups of stored keys: what is due of them, and what they lack.

use std::collections::BTreeMap;

use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::signing_key::lineup::Lineup;
use crate::domain::signing_key::periods::KeyPeriods;
use crate::domain::timestamp::Timestamp;
use crate::operations::key_ring::lineups;
use crate::store::signing_keys::StoredKeys;

/// The lineup of each algorithm that has keys or is in use.
pub(super) fn lineups_of(stored: &StoredKeys) -> BTreeMap<SigningAlgorithm, Lineup> {
    let keys = stored.keys.iter();
    lineups(
        &stored.in_use,
        keys.map(|key| (&key.kid, key.algorithm, key.life)),
    )
}

/// Does what is due at `now`; returns whether anything was, including a key that must be announced.
pub(super) fn advance(
    lineups: &mut BTreeMap<SigningAlgorithm, Lineup>,
    stored: &StoredKeys,
    (now, periods): (Timestamp, &KeyPeriods),
) -> bool {
    let mut is_due = false;
    for (algorithm, lineup) in lineups {
        let in_use = stored.in_use.get(algorithm).copied();
        is_due |= lineup.is_due(now, periods, in_use);
        lineup.advance(now, periods, in_use);
    }
    is_due
}

pub(super) fn lacking_next(
    lineups: &BTreeMap<SigningAlgorithm, Lineup>,
    stored: &StoredKeys,
) -> Vec<SigningAlgorithm> {
    let lacking = lineups
        .iter()
        .filter(|(algorithm, lineup)| stored.in_use.contains_key(algorithm) && lineup.lacks_next());
    lacking.map(|(algorithm, _)| *algorithm).collect()
}
