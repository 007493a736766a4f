//! From a secret in clear to the hash that is kept: forms, salts and costs of DESIGN section 3.

use std::sync::Arc;

use super::authenticate_client::Authenticator;
use super::memory::Memory;
use crate::crypto::random;
use crate::crypto::secret_hash::{self, HashCost, PhcHash, SecretHashError};
use crate::domain::credential::{Credential, SecretForm, SecretHash};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::secret_format::Secret;
use crate::store::Store;

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

impl Authenticator {
    /// Hashes `secret` anew when nothing else waits, and writes the hash where the old one still stands.
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
        // On the heap: it holds two databases' transactions, one of which is used.
        let replaced = Box::pin(async {
            let mut change = store.begin_change(random::token_id()).await?;
            change
                .replace_hash(&self.client, &self.credential, (&self.old, new))
                .await?;
            change.commit().await
        });
        match store.within_limit(replaced).await {
            Ok(committed) => memory.apply(committed.position.n, &committed.changes),
            Err(error) => tracing::warn!(%error, client = %self.client, "a hash was not renewed"),
        }
    }
}
