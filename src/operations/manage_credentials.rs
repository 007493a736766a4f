//! Makes secrets for clients, and retires credentials.

use super::import_secret::hash_generated;
use crate::crypto::client_key::ClientKeyError;
use crate::crypto::random;
use crate::crypto::secret_hash::SecretHashError;
use crate::domain::client::{Client, ClientStatus};
use crate::domain::credential::{Credential, CredentialKind, CredentialMaterial};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::known_client::KnownClient;
use crate::domain::profile::{Contradiction, Profile};
use crate::domain::secret_format::Secret;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::store::Store;
use crate::store::audit_events::AuditEvent;
use crate::store::change::ChangeTx;
use crate::store::error::StoreError;

/// Other replicas may issue until they read of a change: what they issue in that second dies too.
pub(super) const LATE_ISSUE: Seconds = Seconds::new(1);

/// What an operator says of new credentials.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// A name for people.
    pub label: Option<String>,
    /// Not accepted before.
    pub active_from: Option<Timestamp>,
    /// When it ends.
    pub expiry: Option<Expiry>,
    /// The security profile that the client must fit.
    pub profile: Profile,
}

/// When a new credential ends.
#[derive(Clone, Copy, Debug)]
pub enum Expiry {
    /// Not accepted from here on.
    At(Timestamp),
    /// How long it is accepted, counted from when it is made by the database's clock.
    In(Seconds),
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
        "{0} has registered no method that uses a {1}: add {example} to its auth in the catalog, and apply it",
        example = .1.example()
    )]
    NoMethod(ClientId, CredentialKind),
    /// The client does not fit the server's profile.
    #[error(transparent)]
    Profile(#[from] Contradiction),
    /// A life that ends before it begins.
    #[error("it would expire before it becomes active: give a later end, or an earlier begin")]
    EmptyLife,
    /// An end that is past.
    #[error(
        "it would have expired at {0}, which is past (by the database's clock it is {1}): give a later end"
    )]
    PastEnd(Timestamp, Timestamp),
    /// A key that is not registered.
    #[error(transparent)]
    Key(#[from] ClientKeyError),
    /// A `kid` that another key has or had.
    #[error(
        "another key of {client} or of this set has the kid {kid:?}: give each a kid of its own; \
         `grantd credential list {client} --output json` shows them"
    )]
    NameTaken {
        /// The client.
        client: ClientId,
        /// The name.
        kid: String,
    },
    /// A credential that is there already.
    #[error(
        "{client} has this {kind} already, as credential {id}: change its label and times in the catalog"
    )]
    Known {
        /// The client.
        client: ClientId,
        /// What kind of credential it is.
        kind: CredentialKind,
        /// The one that is there.
        id: CredentialId,
    },
    /// A credential that was retired.
    #[error(
        "{client} had this {kind} as credential {id}, which was retired and stays so: register another one; \
         only `grantd apply --prune` of a catalog without it forgets it"
    )]
    Retired {
        /// The client.
        client: ClientId,
        /// What kind of credential it is.
        kind: CredentialKind,
        /// The retired one.
        id: CredentialId,
    },
    /// A second subject.
    #[error(
        "{0} has a subject in force, the credential {1}, and exactly one may be (RFC 8705 section 2.1.2): retire it \
         first by `grantd credential retire {1}`"
    )]
    SecondSubject(ClientId, CredentialId),
}

impl NewCredential {
    /// A credential of this kind of life, made at `now`.
    pub(super) fn credential(
        &self,
        (id, material): (CredentialId, CredentialMaterial),
        now: Timestamp,
    ) -> Result<Credential, CredentialError> {
        let begin = self.active_from.unwrap_or(Timestamp::EPOCH);
        let expires_at = self.expiry.map(|expiry| match expiry {
            Expiry::At(end) => end,
            Expiry::In(span) => now.plus(span),
        });
        if expires_at.is_some_and(|end| end <= begin) {
            return Err(CredentialError::EmptyLife);
        }
        if let Some(end) = expires_at.filter(|end| *end <= now) {
            return Err(CredentialError::PastEnd(end, now));
        }
        Ok(Credential {
            id,
            label: self.label.clone(),
            material,
            active_from: self.active_from,
            expires_at,
            retired_at: None,
            tokens_not_before: Timestamp::EPOCH,
            created_at: now,
            last_used_at: None,
        })
    }
}

/// Makes a secret for `client`. It is given here once, and kept as a hash only.
///
/// # Errors
/// No such client, a client whose methods use no secret, or a database out of reach.
pub async fn add_secret(
    store: &Store,
    client: &ClientId,
    new: &NewCredential,
) -> Result<(CredentialId, Secret), CredentialError> {
    let mut change = store.begin_change(random::token_id()).await?;
    change.lock_administration().await?;
    let now = change.now();
    let known = existing(&mut change, client).await?;
    check_use(&known.client, CredentialKind::Secret, new.profile)?;
    let id = random::credential_id();
    let secret = random::generated_secret(&id);
    let material = CredentialMaterial::Secret(hash_generated(&secret)?);
    let credential = new.credential((id.clone(), material), now)?;
    change.put_credential(client, &credential).await?;
    finish(change, known.client, ("secret_added", &[&id])).await?;
    Ok((id, secret))
}

/// A credential that was retired.
#[derive(Clone, Debug)]
pub struct Retired {
    /// The client that it was of.
    pub client: ClientId,
    /// When the last token that was issued for it has expired.
    pub tokens_end_at: Timestamp,
}

/// Retires a credential from now on. Where it was compromised, the tokens that were issued for it are dead, too.
///
/// # Errors
/// No such credential, or a database out of reach.
pub async fn retire_credential(
    store: &Store,
    id: &CredentialId,
    compromised: bool,
) -> Result<Retired, CredentialError> {
    let mut change = store.begin_change(random::token_id()).await?;
    change.lock_administration().await?;
    let now = change.now();
    for known in change.clients().await? {
        let Some(credential) = known
            .credentials
            .iter()
            .find(|credential| &credential.id == id)
        else {
            continue;
        };
        let retired_at = credential.retired_at.map_or(now, |at| at.min(now));
        let mut retired = Credential {
            retired_at: Some(retired_at),
            ..credential.clone()
        };
        if compromised {
            retired.tokens_not_before = retired.tokens_not_before.max(now.plus(LATE_ISSUE));
        }
        change.put_credential(&known.client.id, &retired).await?;
        let tokens_end_at = now
            .plus(LATE_ISSUE)
            .plus(longest_life(&mut change, &known).await?);
        let client = known.client.id.clone();
        let action = if compromised {
            "credential_compromised"
        } else {
            "credential_retired"
        };
        finish(change, known.client, (action, &[id])).await?;
        return Ok(Retired {
            client,
            tokens_end_at,
        });
    }
    Err(CredentialError::NoCredential(id.clone()))
}

/// The longest that a token of this client may live, whatever its policies were lately.
async fn longest_life(change: &mut ChangeTx, known: &KnownClient) -> Result<Seconds, StoreError> {
    let audiences = change.audiences().await?;
    let of_its_own = audiences.iter().filter(|audience| {
        known
            .policies
            .iter()
            .any(|policy| policy.audience == audience.id)
    });
    let longest = of_its_own.map(|audience| audience.max_token_lifetime).max();
    Ok(longest.unwrap_or(Seconds::new(0)))
}

/// The client, where there is one.
pub(super) async fn existing(
    change: &mut ChangeTx,
    client: &ClientId,
) -> Result<KnownClient, CredentialError> {
    let known = change.client(client).await?;
    known
        .filter(|known| known.client.status != ClientStatus::Deleted)
        .ok_or_else(|| CredentialError::NoClient(client.clone()))
}

/// Whether a credential of this kind would be of use to the client.
pub(super) fn check_use(
    client: &Client,
    kind: CredentialKind,
    profile: Profile,
) -> Result<(), CredentialError> {
    let methods = &client.auth_methods;
    if !methods.iter().any(|method| kind.serves(*method)) {
        return Err(CredentialError::NoMethod(client.id.clone(), kind));
    }
    match profile.contradiction_of_client(&client.id, methods, client.assertion_audience) {
        Some(contradiction) => Err(contradiction.into()),
        None => Ok(()),
    }
}

/// Commits, with an event for each of `credentials`.
pub(super) async fn finish(
    mut change: ChangeTx,
    client: Client,
    (action, credentials): (&'static str, &[&CredentialId]),
) -> Result<(), StoreError> {
    let now = change.now();
    let client = Client {
        rotated_at: Some(now),
        ..client
    };
    change.put_client(&client).await?;
    for id in credentials {
        let event = AuditEvent {
            id: random::token_id(),
            at: now,
            actor: "operator".to_owned(),
            action,
            target: client.id.to_string(),
            details: serde_json::json!({ "credential": id.as_str() }),
        };
        change.audit(&event).await?;
    }
    change.commit().await?;
    Ok(())
}
