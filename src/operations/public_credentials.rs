//! Derives the id of a credential without a secret from its content, so that catalog and commands give it the same
//! id.

use crate::crypto::digest;
use crate::domain::credential::PublicMaterial;
use crate::domain::identifier::{ClientId, CredentialId};

/// The credential's id.
pub(super) fn public_id(client: &ClientId, material: &PublicMaterial) -> CredentialId {
    match material {
        PublicMaterial::Secret(never) => match *never {},
        PublicMaterial::Jwk(text) | PublicMaterial::Certificate(text) => derived_id(client, text),
        PublicMaterial::Subject(name) => {
            derived_id(client, &format!("{} {}", name.kind, name.value))
        }
        PublicMaterial::KeySource(source) => {
            let ca = source.ca().unwrap_or_default();
            derived_id(client, &format!("jwks_url {} {ca}", source.url()))
        }
        PublicMaterial::Identity(identity) => {
            derived_id(client, &format!("identity {}", identity.document()))
        }
    }
}

/// An id derived from `material`, so that the same credential always gets the same id. `material` must not be a
/// secret, because the id is public.
pub(super) fn derived_id(client: &ClientId, material: &str) -> CredentialId {
    let parts = [client.as_str().as_bytes(), material.as_bytes()];
    CredentialId::from_hash(&digest::sha256(&digest::length_prefixed(&parts)))
}
