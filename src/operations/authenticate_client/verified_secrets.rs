//! The memory of verified secrets: an HMAC per credential under a key made at start, bounded in number.
//!
//! It saves the hash, never the checks: on each hit the credential's status and times are looked at again.

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use subtle::ConstantTimeEq;

use crate::crypto::digest::ProcessKey;
use crate::domain::credential::{Credential, SecretForm};
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
    pub(super) fn knows(&self, credential: &Credential, secret: &Secret) -> bool {
        let remembered = self.macs.as_ref().and_then(|macs| macs.get(&credential.id));
        remembered.is_some_and(|mac| mac.ct_eq(&self.mac(credential, secret)).into())
    }

    /// Remembers that `secret` is the one of `credential`.
    pub(super) fn remember(&self, credential: &Credential, secret: &Secret) {
        if let Some(macs) = &self.macs {
            macs.insert(credential.id.clone(), self.mac(credential, secret));
        }
    }

    /// An id can come back with another secret, when a credential was removed and imported anew; so what only
    /// that one has goes in as well: the hash of a generated secret, which never changes, or its birth.
    fn mac(&self, credential: &Credential, secret: &Secret) -> [u8; 32] {
        let birth = credential.created_at.unix().to_be_bytes();
        let generated = credential.secret().filter(|hash| hash.form == SecretForm::Generated);
        let own = generated.map_or(&birth[..], |hash| hash.phc.as_bytes());
        self.key.mac(&[credential.id.as_str().as_bytes(), own, secret.expose().as_bytes()])
    }
}

impl std::fmt::Debug for VerifiedSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedSecrets").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::{CredentialMaterial, SecretHash};
    use crate::domain::timestamp::Timestamp;

    fn credential(phc: &str, form: SecretForm, created_at: i64) -> Credential {
        Credential {
            id: CredentialId::parse("k3v9x0q2ma").unwrap(),
            label: None,
            material: CredentialMaterial::Secret(SecretHash { form, phc: phc.to_owned() }),
            active_from: None,
            expires_at: None,
            retired_at: None,
            created_at: Timestamp::from_unix(created_at),
            last_used_at: None,
        }
    }

    #[test]
    fn a_secret_is_remembered_for_its_credential_through_a_rehash_and_for_no_other() {
        let memory = VerifiedSecrets::new(10);
        let secret = Secret::new("a secret".to_owned());
        let foreign = credential("a", SecretForm::Phc, 1);
        assert!(!memory.knows(&foreign, &secret));
        memory.remember(&foreign, &secret);
        assert!(memory.knows(&credential("b", SecretForm::Imported, 1), &secret), "rehashed");
        assert!(!memory.knows(&credential("b", SecretForm::Imported, 2), &secret), "made anew");
        assert!(!memory.knows(&foreign, &Secret::new("another".to_owned())));
        let generated = credential("a", SecretForm::Generated, 1);
        memory.remember(&generated, &secret);
        assert!(memory.knows(&generated, &secret));
        assert!(!memory.knows(&credential("b", SecretForm::Generated, 1), &secret), "another hash");
    }
}
