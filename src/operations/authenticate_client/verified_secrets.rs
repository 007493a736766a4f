//! The memory of verified secrets: an HMAC per credential under a key made at start, bounded in number.
//!
//! It saves the hash, never the checks: on each hit the credential's status and times are looked at again.

use std::sync::Arc;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use subtle::ConstantTimeEq;

use crate::crypto::process_key::ProcessKey;
use crate::domain::credential::{Credential, SecretForm};
use crate::domain::identifier::CredentialId;
use crate::domain::secret_format::Secret;
use crate::domain::timestamp::Timestamp;
use crate::telemetry::metrics::Lookups;

/// Secrets that were verified since the start.
pub struct VerifiedSecrets {
    key: ProcessKey,
    verified: Option<Cache<CredentialId, Verified>>,
    pub(in super::super) lookups: Lookups,
}

/// The secret of one credential.
#[derive(Clone)]
struct Verified {
    mac: SecretMac,
    incarnation: Incarnation,
}

/// A secret under the key of this memory.
#[derive(Clone, Copy)]
pub(super) struct SecretMac([u8; 32]);

/// What tells a credential from another one that had its id before: the hash of a generated secret, which never
/// changes, or its birth. A credential may be removed, and imported anew with another secret.
#[derive(Clone)]
enum Incarnation {
    Generated(Arc<str>),
    Born(Timestamp),
}

impl VerifiedSecrets {
    /// A memory of at most `capacity` secrets; 0 remembers none.
    #[must_use]
    pub fn new(capacity: u64) -> Self {
        let cache = || {
            Cache::builder()
                .max_capacity(capacity)
                .eviction_policy(EvictionPolicy::lru())
                .build()
        };
        Self {
            key: ProcessKey::new(),
            verified: (capacity > 0).then(cache),
            lookups: Lookups::default(),
        }
    }

    /// What a presented secret is compared by. Computed for every presented secret: if only remembered ones cost it,
    /// time would tell them apart.
    pub(super) fn mac(&self, secret: &Secret) -> SecretMac {
        SecretMac(self.key.mac(&[secret.expose().as_bytes()]))
    }

    /// Whether the secret was verified for `credential` before; compares in constant time.
    pub(super) fn knows(&self, credential: &Credential, presented: &SecretMac) -> bool {
        let verified = self
            .verified
            .as_ref()
            .and_then(|verified| verified.get(&credential.id));
        verified.is_some_and(|verified| {
            verified.incarnation.is_of(credential) && bool::from(verified.mac.0.ct_eq(&presented.0))
        })
    }

    /// Remembers that the secret is the one of `credential`.
    pub(super) fn remember(&self, credential: &Credential, mac: SecretMac) {
        if let Some(verified) = &self.verified {
            let incarnation = Incarnation::of(credential);
            verified.insert(credential.id.clone(), Verified { mac, incarnation });
        }
    }
}

impl Incarnation {
    fn of(credential: &Credential) -> Self {
        generated(credential).map_or(Self::Born(credential.created_at), |phc| {
            Self::Generated(phc.into())
        })
    }

    fn is_of(&self, credential: &Credential) -> bool {
        match (self, generated(credential)) {
            (Self::Generated(own), Some(phc)) => **own == *phc,
            (Self::Born(own), None) => *own == credential.created_at,
            _ => false,
        }
    }
}

/// The hash of a generated secret.
fn generated(credential: &Credential) -> Option<&str> {
    let hash = credential
        .secret()
        .filter(|hash| hash.form == SecretForm::Generated)?;
    Some(&hash.phc)
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

    fn credential(phc: &str, form: SecretForm, created_at: i64) -> Credential {
        Credential {
            id: CredentialId::parse("k3v9x0q2ma").unwrap(),
            label: None,
            material: CredentialMaterial::Secret(SecretHash {
                form,
                phc: phc.to_owned(),
            }),
            active_from: None,
            expires_at: None,
            retired_at: None,
            tokens_not_before: Timestamp::EPOCH,
            created_at: Timestamp::from_unix(created_at),
            last_used_at: None,
            last_used_from: None,
        }
    }

    #[test]
    fn a_secret_is_remembered_for_its_credential_through_a_rehash_and_for_no_other() {
        let memory = VerifiedSecrets::new(10);
        let secret = memory.mac(&Secret::new("a secret".to_owned()));
        let foreign = credential("a", SecretForm::Phc, 1);
        assert!(!memory.knows(&foreign, &secret));
        memory.remember(&foreign, secret);
        assert!(
            memory.knows(&credential("b", SecretForm::Imported, 1), &secret),
            "rehashed"
        );
        assert!(
            !memory.knows(&credential("b", SecretForm::Imported, 2), &secret),
            "made anew"
        );
        assert!(!memory.knows(&foreign, &memory.mac(&Secret::new("another".to_owned()))));
        let generated = credential("a", SecretForm::Generated, 1);
        memory.remember(&generated, secret);
        assert!(memory.knows(&generated, &secret));
        assert!(
            !memory.knows(&credential("b", SecretForm::Generated, 1), &secret),
            "another hash"
        );
    }
}
