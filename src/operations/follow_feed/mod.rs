//! Follows the change feed, so that what this replica remembers stays true (DESIGN section 1).

mod compare_clocks;
mod database_trouble;
mod degraded;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::config::settings::Settings;
use crate::crypto::sealing::SealingKeys;
use crate::domain::timestamp::Timestamp;
use crate::operations::background::blocking;
use crate::operations::check_profile::profile_contradiction;
use crate::operations::clocks::Clocks;
use crate::operations::error::Outage;
use crate::operations::freshness::Freshness;
use crate::operations::key_ring::KeyRing;
use crate::operations::loads::Loads;
use crate::operations::memory::Memory;
use crate::operations::replay_cache::ReplayCache;
use crate::operations::tell_changes::ChangeLines;
use crate::operations::troubles::Troubles;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::feed::{ChangeKind, FeedNews, FeedPosition};

/// Keeps what a replica remembers true, and knows whether it is.
#[derive(Debug)]
pub struct Feed {
    pub(in crate::operations) settings: Arc<Settings>,
    pub(in crate::operations) store: Arc<Store>,
    pub(in crate::operations) clocks: Arc<Clocks>,
    pub(in crate::operations) memory: Arc<Memory>,
    pub(in crate::operations) loads: Arc<Loads>,
    pub(in crate::operations) replay_cache: Arc<ReplayCache>,
    pub(in crate::operations) sealing: Arc<SealingKeys>,
    pub(in crate::operations) change_lines: Arc<ChangeLines>,
    pub(in crate::operations) freshness: Freshness,
    pub(in crate::operations) troubles: Troubles,
    pub(in crate::operations) followed: Mutex<Followed>,
}

/// How far a replica has followed.
#[derive(Debug, Default)]
pub struct Followed {
    /// `None` before the first load.
    position: Option<FeedPosition>,
    /// When lost changes were noticed; `None` once that is recorded, or if none were.
    loss_to_mark: Option<Timestamp>,
}

impl Feed {
    /// Whether this replica may issue and introspect now: what it remembers is young enough, and its clock is close
    /// enough to the database's.
    ///
    /// # Errors
    /// A feed that was not read lately, or a clock that is wrong.
    pub(in crate::operations) fn check_fitness(&self) -> Result<(), Outage> {
        self.check_fresh()?;
        self.clocks.check().map_err(Outage::ClocksApart)
    }

    /// Whether the feed was read recently enough.
    ///
    /// # Errors
    /// It was not.
    pub(in crate::operations) fn check_fresh(&self) -> Result<(), StoreError> {
        self.freshness.check(self.clocks.ours())
    }

    /// Reads the feed once and forgets what changed. The first time it checks the schema and loads the keys.
    ///
    /// # Errors
    /// An unreachable database, or a schema of another version.
    pub async fn follow(&self) -> Result<(), StoreError> {
        let mut followed = self.followed.lock().await;
        let began = self.clocks.ours().monotonic();
        if followed.position.is_none() {
            self.store.check_schema().await?;
            let position = self.store.feed_position().await?;
            self.begin_anew(&mut followed, position);
        }
        self.read_feed(&mut followed).await?;
        self.load_what_is_outdated().await?;
        self.freshness.read_at(began);
        if let Some(at) = followed.loss_to_mark {
            match self.store.mark_past_lost(at).await {
                Ok(()) => followed.loss_to_mark = None,
                Err(error) => tracing::warn!(
                    "could not record that the database has lost changes, trying again: {error}"
                ),
            }
        }
        Ok(())
    }

    async fn read_feed(&self, followed: &mut Followed) -> Result<(), StoreError> {
        let position = followed.position.clone().unwrap_or_default();
        // Looked up before the snapshot is taken, so that it must be in it.
        let last_use = self.replay_cache.last_use();
        let reading = self
            .store
            .read_feed(&position, last_use.as_ref(), self.clocks.ours())
            .await?;
        self.compare_clocks(reading.clock);
        self.replay_cache.past_was_lost(reading.past_lost_at);
        let lost = !reading.use_is_kept || matches!(reading.news, FeedNews::Lost(_));
        match reading.news {
            FeedNews::Changes(changes, position) => {
                let number = u64::try_from(changes.len()).unwrap_or(u64::MAX);
                self.memory.metrics.feed_changes.add(number);
                for (n, change) in changes {
                    if change.kind == ChangeKind::AuditEvent {
                        self.change_lines.put(change.key);
                    } else {
                        self.memory.apply(n, &[change]);
                    }
                }
                followed.position = Some(position);
            }
            FeedNews::TooMuch(position) | FeedNews::Lost(position) => {
                self.begin_anew(followed, position);
            }
        }
        // A steered clock makes rows old that were just written; there is no standby that could lag.
        if lost && !self.clocks.ours().is_steered() {
            self.note_loss(followed, reading.clock.database.next_second());
        }
        Ok(())
    }

    /// The database has lost rows, perhaps those of spent assertions and proofs: refuses what was made before.
    fn note_loss(&self, followed: &mut Followed, at: Timestamp) {
        tracing::warn!(
            "the database has lost changes (a failover to a standby that lagged, or a restore): \
             assertions and DPoP proofs made before {at} are refused"
        );
        self.replay_cache.past_was_lost(at);
        self.replay_cache.forget_last_use();
        followed.loss_to_mark = Some(at);
    }

    fn begin_anew(&self, followed: &mut Followed, position: FeedPosition) {
        self.memory.begin_anew();
        followed.position = Some(position);
    }

    /// Only keys and issuers are waited for, of which there are few; the metadata tells of both.
    async fn load_what_is_outdated(&self) -> Result<(), StoreError> {
        let keys = &self.memory.outdated.keys;
        if keys.take() {
            self.load_keys().await.inspect_err(|_| keys.set())?;
        }
        self.memory.directory.keep_issuers().await?;
        self.loads.begin_outdated();
        Ok(())
    }

    /// Opening RSA keys takes milliseconds, which no request should wait for.
    async fn load_keys(&self) -> Result<(), StoreError> {
        let stored = self.store.load_signing_keys().await?.value;
        let sealing = Arc::clone(&self.sealing);
        let (before, now) = (self.memory.keys.load_full(), self.clocks.database_now());
        let ring =
            blocking(move || KeyRing::open(stored, &sealing, (before.as_deref(), now))).await;
        self.memory.keys.store(Some(Arc::new(ring)));
        Ok(())
    }

    /// Follows the feed at every `interval`, and at once when the database says that it changed.
    ///
    /// It ends only where this replica must stop, with a sentence for the operator: the schema is of another version,
    /// or the database contradicts the profile.
    pub async fn keep_following(self: Arc<Self>, interval: Duration) -> String {
        let mut judged = false;
        let mut news = self.store.feed_news();
        loop {
            let mut followed = self.told_when_slow(self.follow()).await;
            if followed.is_ok() && !judged {
                let judgement = profile_contradiction(&self.store, self.settings.profile).await;
                match judgement {
                    Ok(Some(contradiction)) => return contradiction,
                    Ok(None) => judged = true,
                    Err(error) => followed = Err(error),
                }
            }
            match followed {
                Ok(()) => self.database_answers(),
                Err(error) => {
                    self.database_fails(&error);
                    if is_fatal(&error) {
                        return error.to_string();
                    }
                }
            }
            news.wait(interval).await;
        }
    }
}

const fn is_fatal(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::NoDatabase(_) | StoreError::SchemaOlder | StoreError::SchemaNewer
    )
}
