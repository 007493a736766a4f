//! Follows the change feed, so that what this replica remembers stays true (DESIGN section 1).

use std::sync::Arc;
use std::time::Duration;

use super::Grantd;
use super::key_ring::KeyRing;
use crate::store::change::Committed;
use crate::store::error::StoreError;
use crate::store::feed::{Change, ChangeKind, FeedNews, FeedPosition};
use crate::store::revoked_tokens::RevokedToken;

/// Revocations that one statement loads.
const REVOCATIONS_PAGE: i64 = 10_000;

/// How far a replica has followed.
#[derive(Debug, Default)]
pub struct Followed {
    /// `None` before the first load.
    position: Option<FeedPosition>,
    keys_outdated: bool,
    revocations_outdated: bool,
}

impl Followed {
    /// The next reading loads all revocations anew.
    pub(super) const fn outdate_revocations(&mut self) {
        self.revocations_outdated = true;
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
        match &followed.position {
            None => {
                self.store.check_schema().await?;
                let position = self.store.feed_position().await?;
                self.begin_anew(&mut followed, position);
            }
            Some(position) => match self.store.read_feed(position).await? {
                FeedNews::Changes(changes, position) => {
                    for (n, change) in changes {
                        self.apply_change(&mut followed, n, change);
                    }
                    followed.position = Some(position);
                }
                FeedNews::Lost(position) => {
                    tracing::warn!("the change feed is another one: everything is loaded anew");
                    self.begin_anew(&mut followed, position);
                }
            },
        }
        if followed.keys_outdated {
            self.load_keys().await?;
            followed.keys_outdated = false;
        }
        if followed.revocations_outdated {
            self.load_revocations_in_background();
            followed.revocations_outdated = false;
        }
        self.freshness.read_at(began);
        Ok(())
    }

    fn begin_anew(&self, followed: &mut Followed, position: FeedPosition) {
        self.directory.forget_all();
        *followed =
            Followed { position: Some(position), keys_outdated: true, revocations_outdated: true };
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
        self.directory.forget(committed.position.n, &committed.changes);
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
        self.keys.store(Some(Arc::new(KeyRing::open(loaded.value, &self.sealing))));
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

    async fn load_revocations(&self) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let page = (self.clock.now(), REVOCATIONS_PAGE);
            let tokens = self.store.revoked_tokens_after(&after, page).await?;
            self.revocations.add(&tokens);
            match tokens.last() {
                Some(last) => after.clone_from(&last.jti),
                None => return Ok(()),
            }
        }
    }

    /// Follows the feed for ever: at every `interval`, and at once when the database says that it changed.
    pub async fn keep_following(self: Arc<Self>, interval: Duration) {
        let mut reached = true;
        let mut judged = false;
        let mut news = self.store.feed_news();
        loop {
            let mut followed = self.follow_feed().await;
            if followed.is_ok() && !judged {
                followed = self.judge_profile().await;
                judged = followed.is_ok();
            }
            match followed {
                Ok(()) if !reached => {
                    tracing::info!("the database is back");
                    reached = true;
                }
                Ok(()) => {}
                Err(error) => {
                    if reached {
                        tracing::error!(%error, "the change feed cannot be read");
                    }
                    reached = false;
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
