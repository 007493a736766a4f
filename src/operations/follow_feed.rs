//! Follows the change feed, so that what this replica remembers stays true (DESIGN section 1).

use std::sync::Arc;
use std::time::Duration;

use super::Grantd;
use super::key_ring::KeyRing;
use crate::domain::timestamp::Timestamp;
use crate::store::change::Committed;
use crate::store::error::StoreError;
use crate::store::feed::{Change, ChangeKind, FeedNews, FeedPosition};
use crate::store::revoked_tokens::RevokedToken;

/// Revocations, or ids of clients, that one statement loads.
const PAGE: i64 = 10_000;

/// How far a replica has followed.
#[derive(Debug, Default)]
pub struct Followed {
    /// `None` before the first load.
    position: Option<FeedPosition>,
    keys_outdated: bool,
    revocations_outdated: bool,
    ids_outdated: bool,
    /// When a part of the past was found lost; `None` once that is written, or where none is.
    loss_to_mark: Option<Timestamp>,
}

impl Followed {
    /// The next reading loads all revocations anew.
    pub(super) const fn outdate_revocations(&mut self) {
        self.revocations_outdated = true;
    }

    /// The next reading loads the ids of all clients anew.
    const fn outdate_ids(&mut self) {
        self.ids_outdated = true;
    }
}

impl Grantd {
    /// Reads the feed once and forgets what changed. The first time it checks the schema and loads the keys.
    ///
    /// # Errors
    /// A database out of reach, or a schema of another version.
    pub async fn follow_feed(self: &Arc<Self>) -> Result<(), StoreError> {
        let mut followed = self.followed.lock().await;
        let began = self.clock.monotonic();
        if followed.position.is_none() {
            self.store.check_schema().await?;
            let position = self.store.feed_position().await?;
            self.begin_anew(&mut followed, position);
        }
        self.read_feed(&mut followed).await?;
        if followed.keys_outdated {
            self.load_keys().await?;
            followed.keys_outdated = false;
        }
        if followed.revocations_outdated {
            self.load_revocations_in_background();
            followed.revocations_outdated = false;
        }
        if followed.ids_outdated {
            self.load_ids_in_background();
            followed.ids_outdated = false;
        }
        self.freshness.read_at(began);
        if let Some(at) = followed.loss_to_mark {
            match self.store.mark_past_lost(at).await {
                Ok(()) => followed.loss_to_mark = None,
                Err(error) => tracing::warn!(%error, "the loss was not written, and is again"),
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
            .read_feed(&position, last_use.as_ref(), &self.clock)
            .await?;
        self.compare_clocks(reading.clock);
        self.replay_cache.past_was_lost(reading.past_lost_at);
        let lost = !reading.use_is_kept || matches!(reading.news, FeedNews::Lost(_));
        match reading.news {
            FeedNews::Changes(changes, position) => {
                for (n, change) in changes {
                    self.apply_change(followed, n, change);
                }
                followed.position = Some(position);
            }
            FeedNews::TooMuch(position) | FeedNews::Lost(position) => {
                self.begin_anew(followed, position);
            }
        }
        if lost {
            self.note_loss(followed, reading.clock.database.next_second());
        }
        Ok(())
    }

    /// The database is not the one that it was: what it had kept of spent assertions and proofs may be gone.
    fn note_loss(&self, followed: &mut Followed, at: Timestamp) {
        tracing::warn!(
            "the database has lost a part of its past (a failover to a standby that lagged, or a restore): \
             assertions and DPoP proofs made before {at} are refused"
        );
        self.replay_cache.past_was_lost(at);
        self.replay_cache.forget_last_use();
        followed.loss_to_mark = Some(at);
    }

    fn begin_anew(&self, followed: &mut Followed, position: FeedPosition) {
        self.directory.forget_all();
        followed.position = Some(position);
        followed.keys_outdated = true;
        followed.revocations_outdated = true;
        followed.ids_outdated = true;
    }

    fn apply_change(&self, followed: &mut Followed, n: i64, change: Change) {
        match change.kind {
            ChangeKind::Client | ChangeKind::Audience => self.directory.forget(n, &[change]),
            ChangeKind::SigningKey => followed.keys_outdated = true,
            ChangeKind::RevokedToken => match RevokedToken::from_feed_key(&change.key) {
                Some(token) => self.revocations.add(&[token]),
                None => followed.revocations_outdated = true,
            },
        }
    }

    /// Applies a change that this replica made, before it answers.
    pub(super) fn apply_committed(&self, committed: &Committed) {
        self.directory
            .forget(committed.position.n, &committed.changes);
        let revoked: Vec<RevokedToken> = committed
            .changes
            .iter()
            .filter(|change| change.kind == ChangeKind::RevokedToken)
            .filter_map(|change| RevokedToken::from_feed_key(&change.key))
            .collect();
        self.revocations.add(&revoked);
    }

    async fn load_keys(&self) -> Result<(), StoreError> {
        let loaded = self.store.load_signing_keys().await?;
        self.keys
            .store(Some(Arc::new(KeyRing::open(loaded.value, &self.sealing))));
        Ok(())
    }

    /// Until it is done introspection asks the database, so nothing waits for it.
    fn load_revocations_in_background(self: &Arc<Self>) {
        let this = Arc::clone(self);
        let load = self.revocations.begin_load();
        tokio::spawn(async move {
            match this.load_revocations().await {
                Ok(()) => this.revocations.end_load(load),
                Err(error) => {
                    tracing::warn!(%error, "revocations were not loaded, introspection asks the database");
                    this.followed.lock().await.outdate_revocations();
                }
            }
        });
    }

    /// Until it is done a name that memory does not know is looked for in the database.
    fn load_ids_in_background(self: &Arc<Self>) {
        let this = Arc::clone(self);
        let load = self.directory.ids().begin_load();
        tokio::spawn(async move {
            match this.load_ids().await {
                Ok(()) => this.directory.ids().end_load(load),
                Err(error) => {
                    tracing::warn!(%error, "the ids of clients were not loaded: unknown ones are looked for in the database");
                    this.followed.lock().await.outdate_ids();
                }
            }
        });
    }

    async fn load_ids(&self) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let page = self.store.client_ids_after(&after, PAGE).await?;
            self.directory.ids().add(page.iter().map(String::as_str));
            match page.into_iter().last() {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }

    async fn load_revocations(&self) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let tokens = self.store.revoked_tokens_after(&after, PAGE).await?;
            self.revocations.add(&tokens);
            match tokens.last() {
                Some(last) => after.clone_from(&last.jti),
                None => return Ok(()),
            }
        }
    }

    /// Follows the feed for ever: at every `interval`, and at once when the database says that it changed.
    pub async fn keep_following(self: Arc<Self>, interval: Duration) {
        let mut judged = false;
        let mut news = self.store.feed_news();
        loop {
            let mut followed = self.told_when_slow(self.follow_feed()).await;
            if followed.is_ok() && !judged {
                followed = self.judge_profile().await;
                judged = followed.is_ok();
            }
            match followed {
                Ok(()) => self.database_answers(),
                Err(error) => {
                    self.database_fails(&error);
                    if matches!(
                        error,
                        StoreError::NoDatabase(_)
                            | StoreError::SchemaOlder
                            | StoreError::SchemaNewer
                    ) {
                        self.fatal.send_replace(Some(error.to_string()));
                    }
                }
            }
            if self.fatal.borrow().is_some() {
                return;
            }
            news.wait(interval).await;
        }
    }

    /// A replica whose database contradicts its profile must not serve at all.
    async fn judge_profile(&self) -> Result<(), StoreError> {
        if let Some(contradiction) = self.profile_contradiction().await? {
            self.fatal.send_replace(Some(contradiction));
        }
        Ok(())
    }
}
