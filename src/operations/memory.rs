//! What this replica remembers of the database, and how a change is applied to it.

use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;

use super::key_ring::KeyRing;
use super::metrics::Metrics;
use crate::config::settings;
use crate::store::Store;
use crate::store::feed::{Change, ChangeKind};
use crate::store::memory::directory::Directory;
use crate::store::memory::revocations::Revocations;
use crate::store::revoked_tokens::RevokedToken;

/// A replica's memory.
#[derive(Debug)]
pub struct Memory {
    /// Clients, audiences and trusted issuers.
    pub directory: Directory,
    /// Revoked tokens.
    pub revocations: Revocations,
    /// The signing keys; `None` until they are loaded.
    pub keys: ArcSwapOption<KeyRing>,
    /// What was counted, under labels that name clients and audiences.
    pub(super) metrics: Metrics,
    pub(super) outdated: Outdated,
}

/// What the next reading of the feed must reload.
#[derive(Debug, Default)]
pub(super) struct Outdated {
    pub(super) keys: Mark,
    pub(super) revocations: Mark,
    pub(super) ids: Mark,
}

/// Whether something must be reloaded.
#[derive(Debug, Default)]
pub(super) struct Mark(AtomicBool);

impl Mark {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Clears the mark before the load begins, so that a change during the load sets it again.
    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

impl Memory {
    /// An empty memory.
    #[must_use]
    pub fn new(store: Arc<Store>, capacity: settings::Cache, metrics: Metrics) -> Self {
        Self {
            metrics,
            directory: Directory::new(store, capacity),
            revocations: Revocations::default(),
            keys: ArcSwapOption::empty(),
            outdated: Outdated::default(),
        }
    }

    /// Applies the changes with number `n` of the feed: forgets what they name. Called by the reader of the feed, and
    /// by whoever made the change before it answers.
    pub(super) fn apply(&self, n: i64, changes: &[Change]) {
        for change in changes {
            match change.kind {
                ChangeKind::Client => {
                    self.directory.forget(n, slice::from_ref(change));
                    self.metrics.client_changed(&change.key);
                }
                ChangeKind::Audience => {
                    self.directory.forget(n, slice::from_ref(change));
                    self.metrics.audience_changed();
                    // The audience may need another key, or its tokens may live longer.
                    self.outdated.keys.set();
                }
                ChangeKind::Issuer => self.directory.forget(n, slice::from_ref(change)),
                ChangeKind::SigningKey => self.outdated.keys.set(),
                ChangeKind::AuditEvent => {}
                ChangeKind::RevokedToken => match RevokedToken::from_feed_key(&change.key) {
                    Some(token) => self.revocations.add(&[token]),
                    None => self.outdated.revocations.set(),
                },
            }
        }
    }

    /// Forgets everything.
    pub(super) fn begin_anew(&self) {
        self.directory.forget_all();
        self.metrics.all_changed();
        self.outdated.keys.set();
        self.outdated.revocations.set();
        self.outdated.ids.set();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timestamp::Timestamp;
    use crate::store::DatabaseOptions;

    fn change(kind: ChangeKind, key: &str) -> Change {
        let key = key.to_owned();
        Change { kind, key }
    }

    #[tokio::test]
    async fn a_change_of_each_kind_is_taken() {
        let store = Store::open(DatabaseOptions::new("sqlite:///nowhere/grantd.db")).unwrap();
        let memory = Memory::new(
            Arc::new(store),
            settings::Cache::default(),
            Metrics::new(0, Timestamp::EPOCH),
        );
        let load = memory.revocations.begin_load();
        memory.revocations.end_load(load);
        assert!(!memory.outdated.keys.take() && memory.revocations.surely_not("a.b"));
        memory.apply(
            1,
            &[
                change(ChangeKind::SigningKey, "kid"),
                change(ChangeKind::RevokedToken, "1767225600 a.b"),
            ],
        );
        assert!(memory.outdated.keys.take() && !memory.outdated.keys.take());
        assert!(!memory.revocations.surely_not("a.b"));
        memory.apply(2, &[change(ChangeKind::RevokedToken, "of another form")]);
        assert!(memory.outdated.revocations.take());
    }
}
