//! Registers keys, certificates and subject names for a client, by the rules that a catalog is held to.

use std::collections::BTreeSet;

use super::manage_credentials::{CredentialError, NewCredential, check_use, existing, finish};
use super::public_credentials::{identified, key};
use crate::clock::Clock;
use crate::crypto::public_jwk::PublicJwk;
use crate::crypto::random;
use crate::domain::client::ClientStatus;
use crate::domain::credential::{
    Credential, CredentialKind, CredentialMaterial, CredentialState, PublicMaterial,
};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::known_client::KnownClient;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;

/// What was registered.
#[derive(Debug)]
pub struct Registered {
    /// The new credentials, each with the name that a header's `kid` calls it, where it is a key.
    pub credentials: Vec<(Credential, Option<String>)>,
    /// Other clients that have one of these keys: who holds it can be any of them.
    pub shared_with: BTreeSet<ClientId>,
}

/// Registers `materials` for `client`: all of them, or none.
///
/// # Errors
/// No such client, one whose methods use none of this kind, a key that no catalog may register, what the client has
/// or had already, or a database out of reach.
pub async fn register_credentials(
    (store, clock): (&Store, &Clock),
    client: &ClientId,
    materials: Vec<PublicMaterial>,
    new: &NewCredential,
) -> Result<Registered, CredentialError> {
    let now = clock.now();
    let mut change = store.begin_change(now, random::token_id()).await?;
    change.lock_administration().await?;
    let mut known = existing(&mut change, client).await?;
    let before = known.credentials.len();
    for material in materials {
        let credential = new.credential(identified(client, material)?, now)?;
        check_use(&known.client, credential.kind(), new.profile)?;
        check_new(&known, &credential, now)?;
        change.put_credential(client, &credential).await?;
        known.credentials.push(credential);
    }
    let added = known.credentials.split_off(before);
    let shared_with = sharing(&added, &change.clients().await?, client);
    let action = added.first().map_or("", |first| action(first.kind()));
    let ids: Vec<&CredentialId> = added.iter().map(|it| &it.id).collect();
    finish(change, known.client, (action, &ids)).await?;
    let named = |it: Credential| {
        let name = key(&it).map(|key| key.name().to_owned());
        (it, name)
    };
    Ok(Registered { credentials: added.into_iter().map(named).collect(), shared_with })
}

const fn action(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Secret => "secret_added",
        CredentialKind::Jwk => "key_added",
        CredentialKind::Certificate => "certificate_added",
        CredentialKind::Subject => "subject_added",
    }
}

/// What a client has or had is not registered again, a `kid` names one key also among those that ended (RFC 7517
/// section 4.5), and one subject is in force (RFC 8705 section 2.1.2). So what is exported then, a catalog may state.
fn check_new(known: &KnownClient, new: &Credential, now: Timestamp) -> Result<(), CredentialError> {
    let client = &known.client.id;
    let new_key = key(new);
    for old in &known.credentials {
        let old_key = key(old);
        let (old_key, new_key) = (old_key.as_ref(), new_key.as_ref());
        let same_key = new_key
            .is_some_and(|new| old_key.is_some_and(|old| old.thumbprint() == new.thumbprint()));
        if old.id == new.id || same_key {
            return Err(taken(client, old, now));
        }
        if let Some(new) = new_key
            && old_key.is_some_and(|old| old.name() == new.name())
        {
            let (client, kid) = (client.clone(), new.name().to_owned());
            return Err(CredentialError::NameTaken { client, kid });
        }
        if old.is_subject_in_force() && new.is_subject_in_force() {
            return Err(CredentialError::SecondSubject(client.clone(), old.id.clone()));
        }
    }
    Ok(())
}

/// Retirement is for good: a key that leaked must not come back by mistake.
fn taken(client: &ClientId, old: &Credential, now: Timestamp) -> CredentialError {
    let (client, kind, id) = (client.clone(), old.kind(), old.id.clone());
    if old.state(now) == CredentialState::Retired {
        CredentialError::Retired { client, kind, id }
    } else {
        CredentialError::Known { client, kind, id }
    }
}

/// The other clients that have one of these keys.
fn sharing(added: &[Credential], clients: &[KnownClient], own: &ClientId) -> BTreeSet<ClientId> {
    let thumbprint = |credential: &Credential| match &credential.material {
        CredentialMaterial::Jwk(jwk) => PublicJwk::parse(jwk).ok().map(|key| key.thumbprint()),
        _ => None,
    };
    let added: BTreeSet<String> = added.iter().filter_map(thumbprint).collect();
    clients
        .iter()
        .filter(|it| &it.client.id != own && it.client.status != ClientStatus::Deleted)
        .filter(|it| {
            it.credentials.iter().filter_map(thumbprint).any(|print| added.contains(&print))
        })
        .map(|it| it.client.id.clone())
        .collect()
}
