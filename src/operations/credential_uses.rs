//! When credentials were last used: noted in memory, written in batches off the hot path.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::identifier::CredentialId;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;

/// Credentials that one batch holds at most; the next use of the rest is noted again.
const MOST: usize = 10_000;

/// Uses since the last batch.
#[derive(Debug, Default)]
pub struct CredentialUses(Mutex<HashMap<CredentialId, Timestamp>>);

impl CredentialUses {
    /// Notes a use.
    pub fn note(&self, credential: &CredentialId, at: Timestamp) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = uses.get_mut(credential) {
            *last = at;
        } else if uses.len() < MOST {
            uses.insert(credential.clone(), at);
        }
    }

    /// Writes the batch.
    pub async fn write(&self, store: &Store) {
        let uses = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let uses: Vec<_> = uses.into_iter().collect();
        if !uses.is_empty()
            && let Err(error) = store.note_credential_use(&uses).await
        {
            tracing::warn!(%error, "the last use of credentials was not written");
        }
    }
}
