//! Writes revocations: concurrent ones are gathered into one transaction.

use std::sync::Arc;
use std::time::Duration;

use super::batcher::{Asked, Batcher};
use super::error::Outage;
use super::memory::Memory;
use crate::crypto::random;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::revoked_tokens::RevokedToken;

/// The most revocations that wait to be written.
const QUEUE: usize = 4096;
/// The most revocations in one transaction.
const BATCH: usize = 256;

/// What is written, as the log names it.
pub(super) const REVOCATION: &str = "the revocation";

/// Writes revocations.
#[derive(Debug)]
pub struct Revoker {
    store: Arc<Store>,
    memory: Arc<Memory>,
    batcher: Batcher<Vec<Asked<RevokedToken, ()>>>,
}

impl Revoker {
    /// Nothing waits.
    #[must_use]
    pub fn new(store: Arc<Store>, memory: Arc<Memory>) -> Self {
        Self {
            store,
            memory,
            batcher: Batcher::new(QUEUE, BATCH),
        }
    }

    /// Writes what waits, for ever.
    pub async fn keep_writing(self: Arc<Self>) {
        let write = |batch| self.write(batch);
        self.batcher.keep_writing(Duration::ZERO, write).await;
    }

    /// How many were handed in and are not written yet.
    #[must_use]
    pub fn unwritten(&self) -> usize {
        self.batcher.unwritten()
    }

    /// Revokes a token. Dropping the future does not undo that.
    ///
    /// # Errors
    /// The revocation was not written.
    pub(super) async fn revoke(&self, token: RevokedToken) -> Result<(), Outage> {
        let written = self.batcher.ask(token).await;
        written.map_err(|why| Outage::NotWritten {
            what: REVOCATION,
            why,
        })
    }

    async fn write(&self, batch: Vec<Asked<RevokedToken, ()>>) {
        let tokens: Vec<_> = batch.iter().map(|asked| asked.item.clone()).collect();
        let written = self.commit(&tokens).await.map_err(Arc::new);
        for asked in batch {
            asked.answer(written.clone());
        }
    }

    async fn commit(&self, tokens: &[RevokedToken]) -> Result<(), StoreError> {
        // On the heap, because it has room for the transactions of both databases.
        let write = Box::pin(async {
            let mut change = self.store.begin_change(random::token_id()).await?;
            change.revoke_tokens(tokens).await?;
            change.commit().await
        });
        // A database that drops packets must not block the callers behind this batch for ever.
        let committed = self.store.within_limit(write).await?;
        self.memory.apply(committed.position.n, &committed.changes);
        Ok(())
    }
}
