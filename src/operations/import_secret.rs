//! From a secret in clear to the hash that is kept: forms, salts and costs of DESIGN section 3.

use std::sync::Arc;

use super::Grantd;
use crate::crypto::random;
use crate::crypto::secret_hash::{self, HashCost, PhcHash, SecretHashError};
use crate::domain::credential::{Credential, SecretForm, SecretHash};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::secret_format::Secret;

/// The one salt of a client's imported secrets, so that one hash tells them all; a new one where it has none.
#[must_use]
pub fn shared_salt(credentials: &[Credential]) -> Vec<u8> {
    credentials
        .iter()
        .filter_map(Credential::secret)
        .filter(|hash| hash.form == SecretForm::Imported)
        .find_map(|hash| hash.phc.parse::<PhcHash>().ok())
        .map_or_else(
            || random::random_bytes::<16>().to_vec(),
            |hash| hash.salt().to_vec(),
        )
}

/// Hashes a generated secret, under a salt of its own.
///
/// # Errors
/// No memory for the hash.
pub fn hash_generated(secret: &Secret) -> Result<SecretHash, SecretHashError> {
    let salt = random::random_bytes::<16>();
    let hash = secret_hash::hash(secret, &salt, HashCost::GENERATED)?;
    Ok(SecretHash {
        form: SecretForm::Generated,
        phc: hash.to_string(),
    })
}

/// Hashes a secret that was brought in clear, under the client's shared salt.
///
/// # Errors
/// No memory for the hash.
pub fn hash_imported(
    secret: &Secret,
    salt: &[u8],
    cost: HashCost,
) -> Result<SecretHash, SecretHashError> {
    let hash = secret_hash::hash(secret, salt, cost)?;
    Ok(SecretHash {
        form: SecretForm::Imported,
        phc: hash.to_string(),
    })
}

/// A foreign hash whose secret was just seen.
pub(super) struct Rehash {
    pub(super) client: ClientId,
    pub(super) credential: CredentialId,
    pub(super) old: SecretHash,
}

impl Grantd {
    /// Hashes `secret` anew when nothing else waits, and writes the hash where the old one still stands.
    pub(super) fn rehash(&self, job: Rehash, secret: Secret, salt: Vec<u8>) {
        let Some(this) = self.myself.upgrade() else {
            return;
        };
        let runtime = tokio::runtime::Handle::current();
        let cost = self.imported_cost;
        self.hashing.idle(move || {
            if let Ok(new) = hash_imported(&secret, &salt, cost) {
                runtime.spawn(async move { this.replace_hash(&job, &new).await });
            }
        });
    }

    async fn replace_hash(self: Arc<Self>, job: &Rehash, new: &SecretHash) {
        // On the heap: it holds two databases' transactions, one of which is used.
        let replaced = Box::pin(async {
            let mut change = self.store.begin_change(random::token_id()).await?;
            change
                .replace_hash(&job.client, &job.credential, (&job.old, new))
                .await?;
            change.commit().await
        });
        match self.store.within_limit(replaced).await {
            Ok(committed) => self.apply_committed(&committed),
            Err(error) => tracing::warn!(%error, client = %job.client, "a hash was not renewed"),
        }
    }
}
