//! Reseals every private key with the first sealing key.

use serde_json::json;

use super::{KeyRotation, RotationError};
use crate::crypto::random;
use crate::operations::make_signing_keys::{MakeKeyError, as_the_servers_seal};

/// What was resealed.
#[derive(Clone, Debug, Default)]
pub struct Resealed {
    /// The kids of those that were.
    pub sealed: Vec<String>,
    /// How many were sealed with the first key already.
    pub unchanged: usize,
    /// Those that do not open and that nobody needs any more.
    pub left: Vec<String>,
    /// The id of the first sealing key.
    pub key_id: String,
}

impl KeyRotation<'_> {
    /// Seals every private key with the first sealing key, in one transaction: AES takes microseconds.
    ///
    /// # Errors
    /// A key in use does not open, or a database out of reach.
    pub async fn reseal(&self) -> Result<Resealed, RotationError> {
        let mut change = self.store.begin_change(random::token_id()).await?;
        change.lock_administration().await?;
        let now = change.now();
        let stored = change.signing_keys().await?.keys;
        as_the_servers_seal(&stored, self.sealing)?;
        let mut resealed = Resealed {
            key_id: self.sealing.first.id(),
            ..Resealed::default()
        };
        for key in &stored {
            if !self.sealing.is_outdated(&key.sealed) {
                resealed.unchanged += 1;
                continue;
            }
            match self.sealing.reseal(&key.kid, key.algorithm, &key.sealed) {
                Ok(anew) => {
                    change.set_sealed(&key.kid, (&key.sealed, &anew)).await?;
                    resealed.sealed.push(key.kid.clone());
                }
                Err(error) if key.life.is_needed(now) => {
                    return Err(MakeKeyError::OtherSealingKey(error).into());
                }
                Err(_) => resealed.left.push(key.kid.clone()),
            }
        }
        if !resealed.sealed.is_empty() {
            let what = ("signing_keys_resealed", resealed.key_id.as_str());
            let details = json!({ "keys": resealed.sealed });
            self.by.record(&mut change, what, details).await?;
        }
        change.commit().await?;
        Ok(resealed)
    }
}
