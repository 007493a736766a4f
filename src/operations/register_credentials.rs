//! Registers keys, certificates and subject names for a client, by the rules that a catalog is held to.

use std::collections::BTreeSet;

use super::manage_credentials::{CredentialError, NewCredential, check_use, existing, finish};
use super::public_credentials::{identified, is_same_subject, key};
use crate::crypto::client_key::ClientKey;
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
    /// The new credentials.
    pub credentials: Vec<Credential>,
    /// Other clients that have one of these keys: who holds it can be any of them.
    pub shared_with: BTreeSet<ClientId>,
}

/// Registers `materials` for `client`: all of them, or none.
///
/// # Errors
/// No such client, one whose methods use none of this kind, a key that no catalog may register, what the client has
/// or had already, or a database out of reach.
pub async fn register_credentials(
    store: &Store,
    client: &ClientId,
    materials: Vec<PublicMaterial>,
    new: &NewCredential,
) -> Result<Registered, CredentialError> {
    let mut change = store.begin_change(random::token_id()).await?;
    change.lock_administration().await?;
    let now = change.now();
    let known = existing(&mut change, client).await?;
    let mut held: Vec<Held> = known.credentials.into_iter().map(Held::new).collect();
    let before = held.len();
    for material in materials {
        let fresh = Held::new(new.credential(identified(client, material)?, now)?);
        check_use(&known.client, fresh.credential.kind(), new.profile)?;
        if let Some(contradiction) = fresh.key.as_ref().and_then(|key| {
            new.profile
                .contradiction_of_key(client, key.name(), key.algorithms())
        }) {
            return Err(contradiction.into());
        }
        check_new(client, &held, &fresh, now)?;
        change.put_credential(client, &fresh.credential).await?;
        held.push(fresh);
    }
    let added = held.split_off(before);
    let shared_with = sharing(&added, &change.clients().await?, client);
    let action = added
        .first()
        .map_or("", |first| action(first.credential.kind()));
    let ids: Vec<&CredentialId> = added.iter().map(|it| &it.credential.id).collect();
    finish(change, known.client, (action, &ids)).await?;
    Ok(Registered {
        credentials: added.into_iter().map(|it| it.credential).collect(),
        shared_with,
    })
}

/// A credential, and its key where it is one: each key is read once, however many there are.
struct Held {
    credential: Credential,
    key: Option<ClientKey>,
}

impl Held {
    fn new(credential: Credential) -> Self {
        Self {
            key: key(&credential),
            credential,
        }
    }
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
fn check_new(
    client: &ClientId,
    held: &[Held],
    new: &Held,
    now: Timestamp,
) -> Result<(), CredentialError> {
    for old in held {
        let keys = old.key.as_ref().zip(new.key.as_ref());
        let same_key = keys.is_some_and(|(old, new)| old.thumbprint() == new.thumbprint());
        let same_subject = is_same_subject(&old.credential, &new.credential);
        if old.credential.id == new.credential.id || same_key || same_subject {
            return Err(taken(client, &old.credential, now));
        }
        if let Some((_, new)) = keys.filter(|(old, new)| old.name() == new.name()) {
            let (client, kid) = (client.clone(), new.name().to_owned());
            return Err(CredentialError::NameTaken { client, kid });
        }
        if old.credential.is_subject_in_force() && new.credential.is_subject_in_force() {
            let id = old.credential.id.clone();
            return Err(CredentialError::SecondSubject(client.clone(), id));
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
fn sharing(added: &[Held], clients: &[KnownClient], own: &ClientId) -> BTreeSet<ClientId> {
    let added: BTreeSet<&str> = added
        .iter()
        .filter_map(|it| Some(it.key.as_ref()?.thumbprint()))
        .collect();
    // A thumbprint costs less than a key that is ready to verify.
    let is_added = |credential: &Credential| match &credential.material {
        CredentialMaterial::Jwk(jwk) => {
            PublicJwk::parse(jwk).is_ok_and(|key| added.contains(key.thumbprint().as_str()))
        }
        _ => false,
    };
    clients
        .iter()
        .filter(|it| &it.client.id != own && it.client.status != ClientStatus::Deleted)
        .filter(|it| it.credentials.iter().any(is_added))
        .map(|it| it.client.id.clone())
        .collect()
}
