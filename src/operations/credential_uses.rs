//! Records when credentials were last used: in memory first, then written in batches.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::batcher::Batcher;
use crate::domain::identifier::CredentialId;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;

/// The most credentials in one batch. A use beyond that is dropped; the credential's next use is noted again.
const MOST: usize = 10_000;
/// How long uses are collected before they are written.
const PAUSE: Duration = Duration::from_secs(30);

/// The last use of each credential since the last write.
#[derive(Debug)]
pub struct CredentialUses {
    store: Arc<Store>,
    batcher: Batcher<HashMap<CredentialId, Timestamp>>,
}

impl CredentialUses {
    /// No uses yet.
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

    /// Writes the uses, every 30 seconds, for ever.
    pub(super) async fn keep_writing(self: Arc<Self>) {
        self.batcher
            .keep_writing(PAUSE, |uses| self.write(uses))
            .await;
    }

    /// Writes what was noted so far.
    pub(super) async fn write_waiting(&self) {
        self.batcher.write_waiting(|uses| self.write(uses)).await;
    }

    /// How many uses are not written yet.
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
