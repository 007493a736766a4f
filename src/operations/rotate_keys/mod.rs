//! Rotates the signing keys (DESIGN section 5): by schedule, and as operators say.
//!
//! The key pairs are made before the transaction. Inside it the rows are read anew, and each is changed only where it
//! still is what was read: of several replicas that rotate at once, one does.

mod by_schedule;
mod document;
mod lineups;
mod list;
mod reseal;
mod transaction;

pub use by_schedule::Rotator;
pub use document::key_document;
pub use list::{ListedKey, list_keys};
pub use reseal::Resealed;

use std::collections::BTreeSet;

use super::actor::Actor;
use super::make_signing_keys::{KeyPairs, MakeKeyError};
use crate::crypto::jws::JwsError;
use crate::crypto::sealing::SealingKeys;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::signing_key::KeyLife;
use crate::domain::signing_key::lineup::{Lineup, NotRetired, TakeOver};
use crate::domain::signing_key::periods::KeyPeriods;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::signing_keys::StoredKeys;
use lineups::{advance, lacking_next, lineups_of};
use transaction::KeyChange;

/// Rotates and retires the signing keys of a database.
#[derive(Clone, Copy, Debug)]
pub struct KeyRotation<'a> {
    /// The database.
    pub store: &'a Store,
    /// The servers' sealing keys.
    pub sealing: &'a SealingKeys,
    /// The servers' settings.
    pub periods: KeyPeriods,
    /// Who changes them.
    pub by: &'a Actor,
}

/// Why the keys were not changed.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// A key could not be made, or the database is out of reach.
    #[error(transparent)]
    Make(#[from] MakeKeyError),
    /// No such key.
    #[error("there is no signing key {0}; `grantd key list` shows those that there are")]
    NoKey(String),
    /// The key is retired already, or will be at a set time.
    #[error("signing key {0} already ends at {1}; if it leaked, add --compromised")]
    Retired(String, Timestamp),
    /// There is nothing to rotate.
    #[error("no {0} key is signing; `grantd apply` makes one if an audience uses that algorithm")]
    NotInUse(SigningAlgorithm),
    /// There is no key at all.
    #[error("there are no signing keys; `grantd apply` makes those that audiences need")]
    NoKeys,
}

impl From<StoreError> for RotationError {
    fn from(error: StoreError) -> Self {
        Self::Make(error.into())
    }
}

impl From<JwsError> for RotationError {
    fn from(error: JwsError) -> Self {
        Self::Make(error.into())
    }
}

/// The keys of one algorithm after a change.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The algorithm.
    pub algorithm: SigningAlgorithm,
    /// When the change was made.
    pub now: Timestamp,
    /// The key that signs, or begins to.
    pub current: Option<(String, KeyLife)>,
    /// The key that ended, or ends when the current one begins.
    pub ended: Option<(String, KeyLife)>,
    /// The key that stands by.
    pub next: Option<(String, KeyLife)>,
}

impl Turn {
    fn of(
        algorithm: SigningAlgorithm,
        lineup: &Lineup,
        (ended, now): (Option<&str>, Timestamp),
    ) -> Self {
        let owned = |(kid, life): (&str, &KeyLife)| (kid.to_owned(), *life);
        Self {
            algorithm,
            now,
            current: lineup.current().map(owned),
            ended: ended.and_then(|kid| Some((kid.to_owned(), *lineup.life(kid)?))),
            next: lineup.next().map(owned),
        }
    }
}

impl KeyRotation<'_> {
    /// Lets the next key of `algorithm`, or of all, take over.
    ///
    /// # Errors
    /// Nothing to rotate, another sealing key than the servers', or a database out of reach.
    pub async fn rotate(
        &self,
        algorithm: Option<SigningAlgorithm>,
        when: TakeOver,
    ) -> Result<Vec<Turn>, RotationError> {
        let stored = self.store.load_signing_keys().await?.value;
        let algorithms = signing(&stored, algorithm)?;
        let pairs = self.pairs_for(&stored, &algorithms).await?;
        let mut change = KeyChange::begin(self, pairs).await?;
        let now = change.now();
        let mut turns = Vec::new();
        for algorithm in algorithms {
            let before = change
                .lineup(algorithm)
                .signer(now)
                .map(|(kid, _)| kid.to_owned());
            change.announce_where_lacking(algorithm);
            let lineup = change.lineup_mut(algorithm);
            lineup.rotate(when, now, &self.periods);
            change.announce_where_lacking(algorithm);
            turns.push(Turn::of(
                algorithm,
                change.lineup(algorithm),
                (before.as_deref(), now),
            ));
        }
        change.commit().await?;
        Ok(turns)
    }

    /// Retires the key `kid`; where it is compromised, at once and with all that it signed.
    ///
    /// # Errors
    /// No such key, one that is retired, another sealing key than the servers', or a database out of reach.
    pub async fn retire(&self, kid: &str, compromised: bool) -> Result<Turn, RotationError> {
        let stored = self.store.load_signing_keys().await?.value;
        let key = stored.keys.iter().find(|key| key.kid == kid);
        let algorithm = key
            .ok_or_else(|| RotationError::NoKey(kid.to_owned()))?
            .algorithm;
        let pairs = self
            .pairs_for(&stored, &BTreeSet::from([algorithm]))
            .await?;
        let mut change = KeyChange::begin(self, pairs).await?;
        let now = change.now();
        change.announce_where_lacking(algorithm);
        let lineup = change.lineup_mut(algorithm);
        let retired = if compromised {
            lineup.compromise(kid, now)
        } else {
            lineup.retire(kid, now, &self.periods)
        };
        retired.map_err(|fault| match fault {
            NotRetired::Unknown => RotationError::NoKey(kid.to_owned()),
            NotRetired::Already(at) => RotationError::Retired(kid.to_owned(), at),
            NotRetired::NoNext => RotationError::NotInUse(algorithm),
        })?;
        change.announce_where_lacking(algorithm);
        let turn = Turn::of(algorithm, change.lineup(algorithm), (Some(kid), now));
        change.commit().await?;
        Ok(turn)
    }

    /// Does what is due by schedule; returns whether anything was.
    ///
    /// # Errors
    /// Another sealing key than the other servers', or a database out of reach.
    pub async fn advance(&self) -> Result<bool, RotationError> {
        let stored = self.store.load_signing_keys().await?.value;
        let mut lineups = lineups_of(&stored);
        if !advance(
            &mut lineups,
            &stored,
            (self.store.now().await?.second(), &self.periods),
        ) {
            return Ok(false);
        }
        let mut pairs = KeyPairs::default();
        for algorithm in lacking_next(&lineups, &stored) {
            pairs.make(algorithm, 1).await?;
        }
        let mut change = KeyChange::begin(self, pairs).await?;
        change.advance();
        match change.commit().await {
            // Another replica was first.
            Err(MakeKeyError::Store(StoreError::Conflict(_))) => Ok(false),
            committed => Ok(committed.map(|committed| !committed.changes.is_empty())?),
        }
    }

    /// A pair for the next key of each algorithm, and another one where there is no next key yet.
    async fn pairs_for(
        &self,
        stored: &StoredKeys,
        algorithms: &BTreeSet<SigningAlgorithm>,
    ) -> Result<KeyPairs, JwsError> {
        let lineups = lineups_of(stored);
        let mut pairs = KeyPairs::default();
        for algorithm in algorithms {
            let lacks = lineups.get(algorithm).is_none_or(Lineup::lacks_next);
            pairs.make(*algorithm, 1 + usize::from(lacks)).await?;
        }
        Ok(pairs)
    }
}

/// The algorithms that have a key which signs; `algorithm` alone where it is given.
fn signing(
    stored: &StoredKeys,
    algorithm: Option<SigningAlgorithm>,
) -> Result<BTreeSet<SigningAlgorithm>, RotationError> {
    let lineups = lineups_of(stored);
    let signs = lineups
        .iter()
        .filter(|(_, lineup)| lineup.current().is_some());
    let signs: BTreeSet<_> = signs.map(|(algorithm, _)| *algorithm).collect();
    match algorithm {
        Some(algorithm) if signs.contains(&algorithm) => Ok(BTreeSet::from([algorithm])),
        Some(algorithm) => Err(RotationError::NotInUse(algorithm)),
        None if signs.is_empty() => Err(RotationError::NoKeys),
        None => Ok(signs),
    }
}
