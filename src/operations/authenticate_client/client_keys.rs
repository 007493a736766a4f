//! Registered keys in memory, ready to verify. A credential's key never changes, so an entry is never outdated.

use std::sync::Arc;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::crypto::client_key::ClientKey;
use crate::domain::identifier::CredentialId;

/// The most keys in memory.
const MOST: u64 = 10_000;

/// Keys by credential.
#[derive(Debug)]
pub struct ClientKeys(Cache<CredentialId, Arc<ClientKey>>);

impl ClientKeys {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self(
            Cache::builder()
                .max_capacity(MOST)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
        )
    }

    /// The key of a credential; one that cannot be read verifies nothing, and is logged.
    pub(super) fn get(&self, credential: &CredentialId, jwk: &str) -> Option<Arc<ClientKey>> {
        if let Some(key) = self.0.get(credential) {
            return Some(key);
        }
        match ClientKey::parse(jwk) {
            Ok(key) => {
                let key = Arc::new(key);
                self.0.insert(credential.clone(), Arc::clone(&key));
                Some(key)
            }
            Err(error) => {
                tracing::error!(%credential, %error, "a registered key cannot be used");
                None
            }
        }
    }
}

impl Default for ClientKeys {
    fn default() -> Self {
        Self::new()
    }
}
