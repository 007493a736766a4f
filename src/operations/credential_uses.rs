//! When and from where credentials were last used: noted in memory, written in batches off the hot path.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::batcher::Batcher;
use crate::domain::identifier::CredentialId;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;
use crate::store::credential_uses::CredentialUse;

/// The most credentials in one batch. A use beyond that is dropped; the credential's next use is noted again.
const MOST: usize = 10_000;
/// How long uses are collected before they are written.
const PAUSE: Duration = Duration::from_secs(30);

/// The last use of each credential since the last write.
#[derive(Debug)]
pub struct CredentialUses {
    store: Arc<Store>,
    batcher: Batcher<HashMap<CredentialId, (Timestamp, IpAddr)>>,
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

    /// Notes a use from a source address.
    pub fn note(&self, credential: &CredentialId, (at, from): (Timestamp, IpAddr)) {
        self.batcher.put(|uses, has_room| {
            if let Some(last) = uses.get_mut(credential) {
                *last = (at, from);
            } else if has_room {
                uses.insert(credential.clone(), (at, from));
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

    async fn write(&self, uses: HashMap<CredentialId, (Timestamp, IpAddr)>) {
        let uses = uses.into_iter();
        let uses: Vec<_> = uses
            .map(|(id, (at, from))| CredentialUse { id, at, from })
            .collect();
        if let Err(error) = self.store.note_credential_use(&uses).await {
            tracing::warn!(
                "could not write when {} credentials were last used: {error}",
                uses.len()
            );
        }
    }
}
