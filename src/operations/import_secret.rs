//! Hashes secrets for storage, with the forms, salts and costs of DESIGN section 3.

use std::sync::Arc;

use super::authenticate_client::Authenticator;
use super::memory::Memory;
use crate::crypto::random;
use crate::crypto::secret_hash::{self, HashCost, PhcHash, SecretHashError};
use crate::domain::credential::{Credential, SecretForm, SecretHash};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::secret_format::Secret;
use crate::store::Store;

/// The salt that a client's imported secrets share, so that one hash checks a secret against all of them. A new one
/// if the client has none.
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

/// Hashes an imported secret, under the client's shared salt.
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

/// Replaces an imported hash by one of ours, once its secret was presented.
pub(super) struct Rehash {
    pub(super) client: ClientId,
    pub(super) credential: CredentialId,
    pub(super) old: SecretHash,
}

impl Authenticator {
    /// Hashes `secret` when no other hashing waits, and stores the hash if the old one is still there.
    pub(super) fn rehash(&self, job: Rehash, secret: Secret, salt: Vec<u8>) {
        let (store, memory) = (Arc::clone(&self.store), Arc::clone(&self.memory));
        let runtime = tokio::runtime::Handle::current();
        let cost = self.settings.imported_cost;
        self.hashing.idle(move || {
            if let Ok(new) = hash_imported(&secret, &salt, cost) {
                runtime.spawn(async move { job.write(&store, &memory, &new).await });
            }
        });
    }
}

impl Rehash {
    async fn write(&self, store: &Store, memory: &Memory, new: &SecretHash) {
        // On the heap, because it has room for the transactions of both databases.
        let replaced = Box::pin(async {
            let mut change = store.begin_change(random::token_id()).await?;
            change
                .replace_hash(&self.client, &self.credential, (&self.old, new))
                .await?;
            change.commit().await
        });
        match store.within_limit(replaced).await {
            Ok(committed) => memory.apply(committed.position.n, &committed.changes),
            Err(error) => tracing::warn!(%error, client = %self.client, "could not renew a hash"),
        }
    }
}
