//! Makes secrets for clients, and retires credentials.

use super::import_secret::hash_generated;
use crate::clock::Clock;
use crate::crypto::random;
use crate::crypto::secret_hash::SecretHashError;
use crate::domain::client::AuthMethod;
use crate::domain::credential::{Credential, CredentialKind, CredentialMaterial};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::secret_format::Secret;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;
use crate::store::audit_events::AuditEvent;
use crate::store::change::ChangeTx;
use crate::store::error::StoreError;

/// What an operator says of a new secret.
#[derive(Clone, Debug, Default)]
pub struct NewSecret {
    /// A name for people.
    pub label: Option<String>,
    /// Not accepted from here on.
    pub expires_at: Option<Timestamp>,
}

/// Why a credential was not changed.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The hash.
    #[error(transparent)]
    Hash(#[from] SecretHashError),
    /// No such client.
    #[error("there is no client {0}; `grantd client list` shows those that there are")]
    NoClient(ClientId),
    /// No such credential.
    #[error("there is no credential {0}; `grantd credential list CLIENT` shows those of a client")]
    NoCredential(CredentialId),
    /// The client could not use it.
    #[error(
        "{0} has registered no method that uses a secret: add client_secret_basic to its auth in the catalog, \
         and apply it"
    )]
    NoSecretMethod(ClientId),
}

/// Makes a secret for `client`. It is given here once, and kept as a hash only.
///
/// # Errors
/// No such client, a client whose methods use no secret, or a database out of reach.
pub async fn add_secret(
    (store, clock): (&Store, &Clock),
    client: &ClientId,
    new: NewSecret,
) -> Result<(CredentialId, Secret), CredentialError> {
    let now = clock.now();
    let mut change = store.begin_change(now, random::token_id()).await?;
    change.lock_administration().await?;
    let known = change.client(client).await?;
    let known = known.ok_or_else(|| CredentialError::NoClient(client.clone()))?;
    let uses_secret = |method: &AuthMethod| CredentialKind::Secret.serves(*method);
    if !known.client.auth_methods.iter().any(uses_secret) {
        return Err(CredentialError::NoSecretMethod(client.clone()));
    }
    let id = random::credential_id();
    let secret = random::generated_secret(&id);
    let credential = Credential {
        id: id.clone(),
        label: new.label,
        material: CredentialMaterial::Secret(hash_generated(&secret)?),
        active_from: None,
        expires_at: new.expires_at,
        retired_at: None,
        created_at: now,
        last_used_at: None,
    };
    change.put_credential(client, &credential).await?;
    finish(change, known.client, ("secret_added", &id)).await?;
    Ok((id, secret))
}

/// Retires a credential from now on; gives its client.
///
/// # Errors
/// No such credential, or a database out of reach.
pub async fn retire_credential(
    (store, clock): (&Store, &Clock),
    id: &CredentialId,
) -> Result<ClientId, CredentialError> {
    let now = clock.now();
    let mut change = store.begin_change(now, random::token_id()).await?;
    change.lock_administration().await?;
    for known in change.clients().await? {
        let Some(credential) = known.credentials.iter().find(|credential| &credential.id == id)
        else {
            continue;
        };
        let retired_at = credential.retired_at.map_or(now, |at| at.min(now));
        let retired = Credential { retired_at: Some(retired_at), ..credential.clone() };
        change.put_credential(&known.client.id, &retired).await?;
        let client = known.client.id.clone();
        finish(change, known.client, ("credential_retired", id)).await?;
        return Ok(client);
    }
    Err(CredentialError::NoCredential(id.clone()))
}

async fn finish(
    mut change: ChangeTx,
    client: crate::domain::client::Client,
    (action, id): (&'static str, &CredentialId),
) -> Result<(), StoreError> {
    let now = change.now();
    let client = crate::domain::client::Client { rotated_at: Some(now), ..client };
    change.put_client(&client).await?;
    let event = AuditEvent {
        id: random::token_id(),
        at: now,
        actor: "operator".to_owned(),
        action,
        target: client.id.to_string(),
        details: serde_json::json!({ "credential": id.as_str() }),
    };
    change.audit(&event).await?;
    change.commit().await?;
    Ok(())
}
