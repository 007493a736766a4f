//! One change of signing keys: what was read, what it should become, and writing the difference.

use std::collections::BTreeMap;

use serde_json::json;

use super::lineups::{advance, lacking_next, lineups_of};
use super::{KeyRotation, RotationError};
use crate::crypto::jws::NewKey;
use crate::crypto::random;
use crate::crypto::sealing::SealingKeys;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::signing_key::KeyLife;
use crate::domain::signing_key::lineup::Lineup;
use crate::domain::signing_key::periods::KeyPeriods;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::operations::actor::Actor;
use crate::operations::make_signing_keys::{KeyPairs, MakeKeyError, as_the_servers_seal, sealed};
use crate::store::change::{ChangeTx, Committed};
use crate::store::error::StoreError;
use crate::store::signing_keys::{StoredKey, StoredKeys};

/// The keys inside the transaction that changes them.
pub(super) struct KeyChange<'a> {
    change: ChangeTx,
    by: &'a Actor,
    stored: StoredKeys,
    sealing: SealingKeys,
    periods: KeyPeriods,
    pairs: KeyPairs,
    lineups: BTreeMap<SigningAlgorithm, Lineup>,
    announced: Vec<(SigningAlgorithm, NewKey)>,
}

impl<'a> KeyChange<'a> {
    /// Waits for other administrators, and reads the keys.
    ///
    /// # Errors
    /// Another sealing key than the servers', or a database out of reach.
    pub(super) async fn begin(
        rotation: &KeyRotation<'a>,
        pairs: KeyPairs,
    ) -> Result<Self, RotationError> {
        let mut change = rotation.store.begin_change(random::token_id()).await?;
        change.lock_administration().await?;
        let stored = change.signing_keys().await?;
        let sealing = as_the_servers_seal(&stored.keys, rotation.sealing)?;
        let mut lineups = lineups_of(&stored);
        for (algorithm, longest) in &stored.in_use {
            if let Some(lineup) = lineups.get_mut(algorithm) {
                let longest = (*longest).min(rotation.periods.max_lifetime);
                lineup.allow_tokens(longest, change.now(), &rotation.periods);
            }
        }
        Ok(Self {
            change,
            by: rotation.by,
            stored,
            sealing,
            periods: rotation.periods,
            pairs,
            lineups,
            announced: Vec::new(),
        })
    }

    pub(super) const fn now(&self) -> Timestamp {
        self.change.now()
    }

    pub(super) fn lineup(&mut self, algorithm: SigningAlgorithm) -> &Lineup {
        self.lineup_mut(algorithm)
    }

    pub(super) fn lineup_mut(&mut self, algorithm: SigningAlgorithm) -> &mut Lineup {
        self.lineups.entry(algorithm).or_default()
    }

    /// Announces a next key, where there is none and a pair was made for it.
    pub(super) fn announce_where_lacking(&mut self, algorithm: SigningAlgorithm) {
        let now = self.now();
        if !self.lineup(algorithm).lacks_next() {
            return;
        }
        if let Some(pair) = self.pairs.take(algorithm) {
            let longest = self.stored.in_use.get(&algorithm).copied();
            let longest = longest
                .unwrap_or(Seconds::new(0))
                .min(self.periods.max_lifetime);
            self.lineup_mut(algorithm)
                .announce(pair.kid.clone(), now, longest);
            self.announced.push((algorithm, pair));
        }
    }

    /// Does what is due by schedule.
    pub(super) fn advance(&mut self) {
        let now = self.now();
        advance(&mut self.lineups, &self.stored, (now, &self.periods));
        for algorithm in lacking_next(&self.lineups, &self.stored) {
            self.announce_where_lacking(algorithm);
        }
    }

    /// Writes what differs, with an event for each key that begins, ends or is announced.
    ///
    /// # Errors
    /// A conflict where somebody else was first, or a database out of reach.
    pub(super) async fn commit(mut self) -> Result<Committed, MakeKeyError> {
        let mut changed: Vec<_> = self
            .stored
            .keys
            .iter()
            .filter_map(|key| self.changed(key))
            .collect();
        // Two keys must not have one place, not even for the time of a statement.
        changed.sort_by_key(|(_, after)| after.retires_at.is_none());
        for (key, after) in changed {
            self.change
                .set_key_life(&key.kid, (&key.life, &after))
                .await?;
            if let Some(action) = action((&key.life, &after)) {
                self.record((action, &key.kid), (key.algorithm, &after))
                    .await?;
            }
        }
        for (algorithm, pair) in std::mem::take(&mut self.announced) {
            let Some(life) = self
                .lineups
                .get(&algorithm)
                .and_then(|it| it.life(&pair.kid))
                .copied()
            else {
                continue;
            };
            let key = sealed(&pair, algorithm, &self.sealing, life)?;
            self.change.insert_signing_key(&key).await?;
            let what = ("signing_key_announced", key.kid.as_str());
            self.record(what, (algorithm, &life)).await?;
        }
        Ok(self.change.commit().await?)
    }

    fn changed(&self, key: &StoredKey) -> Option<(StoredKey, KeyLife)> {
        let after = self.lineups.get(&key.algorithm)?.life(&key.kid)?;
        (*after != key.life).then(|| (key.clone(), *after))
    }

    async fn record(
        &mut self,
        what: (&'static str, &str),
        (algorithm, life): (SigningAlgorithm, &KeyLife),
    ) -> Result<(), StoreError> {
        let details = json!({
            "algorithm": algorithm,
            "activates_at": life.activates_at,
            "retires_at": life.retires_at,
            "expires_at": life.expires_at,
        });
        self.by.record(&mut self.change, what, details).await
    }
}

/// What happened to a key; nothing where only its tokens may live longer.
fn action((before, after): (&KeyLife, &KeyLife)) -> Option<&'static str> {
    if after.compromised_at != before.compromised_at {
        Some("signing_key_compromised")
    } else if after.retires_at != before.retires_at {
        Some("signing_key_retired")
    } else if after.activates_at != before.activates_at {
        Some("signing_key_activated")
    } else {
        None
    }
}
