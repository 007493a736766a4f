//! The task of each replica that rotates keys when they are due: it looks in memory, and asks the database only if
//! something is due.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::{KeyRotation, RotationError};
use crate::domain::signing_key::periods::KeyPeriods;
use crate::domain::timestamp::Timestamp;
use crate::operations::actor::Actor;
use crate::operations::follow_feed::Feed;
use crate::operations::make_signing_keys::MakeKeyError;
use crate::store::error::StoreError;

/// Between two looks at what is due.
const EVERY: Duration = Duration::from_millis(250);
/// How long one change may take, key pairs of RSA included.
const LONGEST: Duration = Duration::from_secs(30);
/// After a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Rotates keys by schedule.
#[derive(Debug)]
pub struct Rotator {
    feed: Arc<Feed>,
    periods: KeyPeriods,
    /// What failed last, so that it is reported once.
    failed: Mutex<Option<String>>,
}

impl Rotator {
    /// Nothing is due yet.
    #[must_use]
    pub fn new(feed: Arc<Feed>) -> Self {
        let periods = feed.settings.key_periods();
        let failed = Mutex::default();
        Self {
            feed,
            periods,
            failed,
        }
    }

    pub(in crate::operations) async fn keep_rotating(self: Arc<Self>) {
        let mut pause = EVERY;
        loop {
            tokio::time::sleep(pause).await;
            pause = match self.rotate_where_due().await {
                Ok(_) => EVERY,
                Err(_) => AFTER_FAILURE,
            };
        }
    }

    /// Does what is due, if this replica hears of changes; returns whether anything was.
    ///
    /// # Errors
    /// Another sealing key than the other servers', or a database out of reach.
    pub async fn rotate_where_due(&self) -> Result<bool, RotationError> {
        if !self.is_due() {
            return Ok(false);
        }
        let rotation = KeyRotation {
            store: &self.feed.store,
            sealing: &self.feed.sealing,
            periods: self.periods,
            by: &Actor::named("schedule"),
        };
        // Whatever happens to the connection, there is a next round.
        let advanced = tokio::time::timeout(LONGEST, rotation.advance()).await;
        let done = advanced.unwrap_or_else(|_| Err(self.timeout().into()));
        if let Ok(true) = done {
            tracing::info!("the signing keys changed by schedule: `grantd key list` shows them");
        }
        self.tell(done.as_ref().err());
        done
    }

    fn timeout(&self) -> StoreError {
        StoreError::Timeout {
            database: self.feed.store.name(),
            limit: LONGEST,
        }
    }

    fn is_due(&self) -> bool {
        let keys = self.feed.memory.keys.load();
        let Some(ring) = keys.as_ref().filter(|_| self.feed.check_fresh().is_ok()) else {
            return false;
        };
        let now = self.feed.clocks.database_now();
        ring.lineups().iter().any(|(algorithm, lineup)| {
            let in_use = ring.in_use().get(algorithm).copied();
            lineup.is_due(now, &self.periods, in_use)
        })
    }

    /// When something is due next, as far as this replica knows.
    #[must_use]
    pub fn next_turn(&self) -> Option<Timestamp> {
        let keys = self.feed.memory.keys.load();
        let ring = keys.as_ref()?;
        let turns = ring
            .lineups()
            .into_iter()
            .filter_map(|(algorithm, lineup)| {
                let in_use = ring.in_use().get(&algorithm).copied();
                lineup.next_turn(&self.periods, in_use)
            });
        turns.min()
    }

    fn tell(&self, failed: Option<&RotationError>) {
        let text = failed.map(ToString::to_string);
        let before = std::mem::replace(&mut *self.failed.lock(), text.clone());
        match failed {
            Some(_) if before == text => {}
            // The database will be back, or free.
            Some(RotationError::Make(MakeKeyError::Store(error))) => {
                tracing::warn!("could not rotate the signing keys, trying again: {error}");
            }
            Some(error) => tracing::error!("could not rotate the signing keys: {error}"),
            None => {}
        }
    }
}
