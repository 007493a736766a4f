//! The memory of verified secrets: an HMAC per credential under a key made at start, bounded in number.
//!
//! It saves the hash, never the checks: on each hit the credential's status and times are looked at again.

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use subtle::ConstantTimeEq;

use crate::crypto::digest::ProcessKey;
use crate::domain::identifier::CredentialId;
use crate::domain::secret_format::Secret;

/// Secrets that were verified since the start.
pub struct VerifiedSecrets {
    key: ProcessKey,
    macs: Option<Cache<CredentialId, [u8; 32]>>,
}

impl VerifiedSecrets {
    /// A memory of at most `capacity` secrets; 0 remembers none.
    #[must_use]
    pub fn new(capacity: u64) -> Self {
        let cache = || {
            Cache::builder().max_capacity(capacity).eviction_policy(EvictionPolicy::lru()).build()
        };
        Self { key: ProcessKey::new(), macs: (capacity > 0).then(cache) }
    }

    /// Whether `secret` was verified for `credential` before; compares in constant time.
    pub(super) fn knows(&self, credential: &CredentialId, secret: &Secret) -> bool {
        let remembered = self.macs.as_ref().and_then(|macs| macs.get(credential));
        remembered.is_some_and(|mac| mac.ct_eq(&self.mac(credential, secret)).into())
    }

    /// Remembers that `secret` is the one of `credential`.
    pub(super) fn remember(&self, credential: &CredentialId, secret: &Secret) {
        if let Some(macs) = &self.macs {
            macs.insert(credential.clone(), self.mac(credential, secret));
        }
    }

    fn mac(&self, credential: &CredentialId, secret: &Secret) -> [u8; 32] {
        self.key.mac(&[credential.as_str().as_bytes(), secret.expose().as_bytes()])
    }
}

impl std::fmt::Debug for VerifiedSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedSecrets").finish_non_exhaustive()
    }
}
