//! Seals every private key anew, with the first sealing key.

use serde_json::json;

use super::{KeyRotation, RotationError};
use crate::crypto::random;
use crate::operations::make_signing_keys::{MakeKeyError, as_the_servers_seal};
use crate::store::audit_events::AuditEvent;

/// What was sealed anew.
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
            let event = AuditEvent {
                id: random::event_id(),
                at: now,
                actor: "operator".to_owned(),
                action: "signing_keys_resealed".into(),
                target: resealed.key_id.clone(),
                details: json!({ "keys": resealed.sealed }),
            };
            change.audit([event]).await?;
        }
        change.commit().await?;
        Ok(resealed)
    }
}
