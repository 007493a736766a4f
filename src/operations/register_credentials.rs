//! Registers secrets, keys, certificates and subject names for a client, by the same rules as a catalog.

use std::collections::BTreeSet;

use super::actor::Actor;
use super::import_secret::hash_generated;
use super::manage_credentials::{CredentialError, NewCredential, existing, note};
use super::public_credentials::public_id;
use crate::crypto::client_key;
use crate::crypto::random;
use crate::domain::client::Client;
use crate::domain::credential::rules::{self, Held};
use crate::domain::credential::{
    Credential, CredentialKind, CredentialMaterial, PublicMaterial, StatedCredential, StatedSecret,
};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::known_client::KnownClient;
use crate::domain::profile::Profile;
use crate::domain::secret_format::Secret;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;
use crate::store::change::ChangeTx;

/// What was registered.
#[derive(Debug)]
pub struct Registered {
    /// The new credentials.
    pub credentials: Vec<Credential>,
    /// Other clients that have registered one of these keys: its holder can authenticate as any of them.
    pub shared_with: BTreeSet<ClientId>,
}

/// A new credential's id, and its material as it is stored.
type Kept = (CredentialId, CredentialMaterial);

/// Generates a secret for `client`. It is returned this once and stored only as a hash.
///
/// # Errors
/// No such client, one that may not have a secret, or a database out of reach.
pub async fn add_secret(
    store: &Store,
    client: &ClientId,
    new: &NewCredential,
) -> Result<(CredentialId, Secret), CredentialError> {
    let id = random::credential_id();
    let secret = random::generated_secret(&id);
    let kept = CredentialMaterial::Secret(hash_generated(&secret)?);
    let stated = CredentialMaterial::Secret(StatedSecret::Clear(secret.clone()));
    register(store, client, vec![(stated, (id.clone(), kept))], new).await?;
    Ok((id, secret))
}

/// Registers `materials` for `client`: all of them, or none.
///
/// # Errors
/// No such client, one that may not have all of them, or a database out of reach.
pub async fn register_credentials(
    store: &Store,
    client: &ClientId,
    materials: Vec<PublicMaterial>,
    new: &NewCredential,
) -> Result<Registered, CredentialError> {
    let kept = |material: PublicMaterial| {
        let id = public_id(client, &material);
        let stated = StatedCredential::from(material.clone()).material;
        (stated, (id, material.map_secret(|never| match never {})))
    };
    register(
        store,
        client,
        materials.into_iter().map(kept).collect(),
        new,
    )
    .await
}

async fn register(
    store: &Store,
    client: &ClientId,
    materials: Vec<(CredentialMaterial<StatedSecret>, Kept)>,
    new: &NewCredential,
) -> Result<Registered, CredentialError> {
    let mut change = store.begin_change(random::token_id()).await?;
    change.lock_administration().await?;
    let now = change.now();
    let known = existing(&mut change, client).await?;
    let new_ones: Vec<(StatedCredential, Kept)> = materials
        .into_iter()
        .map(|(stated, kept)| (new.stated(stated, now), kept))
        .collect();
    check(&known, &new_ones, (new.profile, now))?;
    let credentials: Vec<Credential> = new_ones
        .into_iter()
        .map(|(stated, kept)| stated.registered(kept, now))
        .collect();
    let shared_with = sharing(&credentials, &mut change, client).await?;
    write(change, known.client, &credentials, &new.by).await?;
    Ok(Registered {
        credentials,
        shared_with,
    })
}

/// Checks each new credential against the rules, together with the existing ones and the new ones before it.
fn check(
    known: &KnownClient,
    new: &[(StatedCredential, Kept)],
    (profile, now): (Profile, Timestamp),
) -> Result<(), CredentialError> {
    if let Some(contradiction) = profile.contradiction_of_client(&known.client) {
        return Err(rules::CredentialFault::from(contradiction).into());
    }
    let stored = known.credentials.iter();
    let mut held: Vec<Held<'_>> = stored
        .map(|it| Held::stored(it, now, client_key::facts))
        .collect();
    for (stated, _) in new {
        let stated = Held::stated(stated, client_key::facts);
        rules::judge(&known.client, profile, &stated, &held)?;
        held.push(stated);
    }
    // A catalog may state what has ended: it is history there.
    let mut ends = new.iter().filter_map(|(stated, _)| stated.expires_at);
    if let Some(end) = ends.find(|end| *end <= now) {
        return Err(CredentialError::PastEnd(end, now));
    }
    Ok(())
}

async fn write(
    mut change: ChangeTx,
    client: Client,
    credentials: &[Credential],
    by: &Actor,
) -> Result<(), CredentialError> {
    for credential in credentials {
        change.put_credential(&client.id, credential).await?;
    }
    let action = credentials.first().map_or("", |first| action(first.kind()));
    let ids: Vec<&CredentialId> = credentials.iter().map(|it| &it.id).collect();
    note(&mut change, client, (action, &ids), by).await?;
    change.commit().await?;
    Ok(())
}

const fn action(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Secret => "secret_added",
        CredentialKind::Jwk => "key_added",
        CredentialKind::Certificate => "certificate_added",
        CredentialKind::Subject => "subject_added",
        CredentialKind::KeySource => "jwks_url_added",
        CredentialKind::Identity => "identity_added",
    }
}

/// The other clients that have one of these keys.
async fn sharing(
    added: &[Credential],
    change: &mut ChangeTx,
    own: &ClientId,
) -> Result<BTreeSet<ClientId>, CredentialError> {
    let thumbprint = |credential: &Credential| match &credential.material {
        CredentialMaterial::Jwk(jwk) => Some(client_key::facts(jwk)?.thumbprint),
        _ => None,
    };
    let mut sharing = BTreeSet::new();
    for thumbprint in added.iter().filter_map(thumbprint) {
        sharing.extend(change.clients_with_key(&thumbprint).await?);
    }
    sharing.remove(own);
    Ok(sharing)
}
