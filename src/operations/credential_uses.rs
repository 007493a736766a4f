//! When credentials were last used: noted in memory, written in batches off the hot path.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::batcher::Batcher;
use crate::domain::identifier::CredentialId;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;

/// Credentials that one batch holds at most; the next use of the rest is noted again.
const MOST: usize = 10_000;
/// What a batch is gathered for.
const PAUSE: Duration = Duration::from_secs(30);

/// Uses since the last batch.
#[derive(Debug)]
pub struct CredentialUses {
    store: Arc<Store>,
    batcher: Batcher<HashMap<CredentialId, Timestamp>>,
}

impl CredentialUses {
    /// Nothing was used yet.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            batcher: Batcher::new(MOST, MOST),
        }
    }

    /// Notes a use.
    pub fn note(&self, credential: &CredentialId, at: Timestamp) {
        self.batcher.put(|uses, has_room| {
            if let Some(last) = uses.get_mut(credential) {
                *last = at;
            } else if has_room {
                uses.insert(credential.clone(), at);
            }
        });
    }

    /// Writes them for ever.
    pub(super) async fn keep_writing(self: Arc<Self>) {
        self.batcher
            .keep_writing(PAUSE, |uses| self.write(uses))
            .await;
    }

    /// Writes those of now.
    pub(super) async fn write_waiting(&self) {
        self.batcher.write_waiting(|uses| self.write(uses)).await;
    }

    /// How many are not written.
    pub(super) fn unwritten(&self) -> usize {
        self.batcher.unwritten()
    }

    async fn write(&self, uses: HashMap<CredentialId, Timestamp>) {
        let uses: Vec<_> = uses.into_iter().collect();
        if let Err(error) = self.store.note_credential_use(&uses).await {
            tracing::warn!(
                "when {} credentials were last used was not written: {error}",
                uses.len()
            );
        }
    }
}
