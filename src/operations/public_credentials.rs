//! What holds of a public credential however it is registered, by a catalog or by a command: its id, and its name.

use crate::crypto::client_key::{ClientKey, ClientKeyError};
use crate::crypto::digest;
use crate::domain::credential::{Credential, CredentialMaterial, CredentialState, PublicMaterial};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::timestamp::Timestamp;

/// The credential's id and what it proves with.
///
/// # Errors
/// A key that grantd does not register.
pub(super) fn identified(
    client: &ClientId,
    material: PublicMaterial,
) -> Result<(CredentialId, CredentialMaterial), ClientKeyError> {
    let id = match &material {
        PublicMaterial::Jwk(jwk) => {
            ClientKey::parse(jwk)?;
            derived_id(client, jwk)
        }
        PublicMaterial::Certificate(thumbprint) => derived_id(client, thumbprint),
        PublicMaterial::Subject(name) => {
            derived_id(client, &format!("{} {}", name.kind, name.value))
        }
    };
    Ok((id, material.into()))
}

/// An id that follows from what the credential is, so that the same one is always found again. Never made of a
/// secret: the id is public.
pub(super) fn derived_id(client: &ClientId, material: &str) -> CredentialId {
    let parts = [client.as_str().as_bytes(), material.as_bytes()];
    CredentialId::from_hash(&digest::sha256(&digest::length_prefixed(&parts)))
}

/// The key, where it is one that can be read.
pub(super) fn key(credential: &Credential) -> Option<ClientKey> {
    match &credential.material {
        CredentialMaterial::Jwk(jwk) => ClientKey::parse(jwk).ok(),
        _ => None,
    }
}

/// Whether both are the same subject, however it is written.
pub(super) fn is_same_subject(one: &Credential, other: &Credential) -> bool {
    match (&one.material, &other.material) {
        (CredentialMaterial::Subject(one), CredentialMaterial::Subject(other)) => {
            one.is_same(other)
        }
        _ => false,
    }
}

/// The credential among `existing` that was retired and is the same key or subject as `new`, however it is written.
/// Retirement is for good: a key that leaked must not come back under another name.
pub(super) fn retired_twin<'a>(
    new: &Credential,
    existing: &'a [Credential],
    now: Timestamp,
) -> Option<&'a Credential> {
    let is_retired = |credential: &Credential| credential.state(now) == CredentialState::Retired;
    if is_retired(new) {
        return None;
    }
    let own = key(new);
    let is_same_key = |old: &Credential| {
        own.as_ref()
            .is_some_and(|own| key(old).is_some_and(|it| it.thumbprint() == own.thumbprint()))
    };
    existing
        .iter()
        .find(|old| is_retired(old) && (is_same_subject(old, new) || is_same_key(old)))
}
