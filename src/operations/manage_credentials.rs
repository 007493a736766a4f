//! Retires credentials; also what all commands on credentials share.

use crate::crypto::random;
use crate::crypto::secret_hash::SecretHashError;
use crate::domain::client::{Client, ClientStatus};
use crate::domain::credential::rules::CredentialFault;
use crate::domain::credential::{Credential, CredentialMaterial, StatedCredential, StatedSecret};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::known_client::KnownClient;
use crate::domain::profile::Profile;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::store::Store;
use crate::store::audit_events::AuditEvent;
use crate::store::change::ChangeTx;
use crate::store::error::StoreError;

/// Other replicas may issue until they read of a change, for up to a second: tokens issued in that second are voided,
/// too.
pub(super) const LATE_ISSUE: Seconds = Seconds::new(1);

/// What an operator states about new credentials.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// A label for people to read.
    pub label: Option<String>,
    /// Not accepted before this time.
    pub active_from: Option<Timestamp>,
    /// When it ends.
    pub expiry: Option<Expiry>,
    /// The security profile that the credential must fit.
    pub profile: Profile,
}

/// When a new credential ends.
#[derive(Clone, Copy, Debug)]
pub enum Expiry {
    /// Not accepted from this time on.
    At(Timestamp),
    /// How long it is accepted, from its creation by the database's clock.
    In(Seconds),
}

/// Why a credential was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret could not be hashed.
    #[error(transparent)]
    Hash(#[from] SecretHashError),
    /// No such client.
    #[error("there is no client {0}; `grantd client list` shows those that there are")]
    NoClient(ClientId),
    /// No such credential.
    #[error("there is no credential {0}; `grantd credential list CLIENT` shows those of a client")]
    NoCredential(CredentialId),
    /// The client may not have this credential.
    #[error(transparent)]
    Fault(#[from] CredentialFault),
    /// It would have expired already.
    #[error(
        "it would have expired at {0}, which is past (by the database's clock it is {1}): give a later end"
    )]
    PastEnd(Timestamp, Timestamp),
}

impl NewCredential {
    /// The credential as stated at `now`.
    pub(super) fn stated(
        &self,
        material: CredentialMaterial<StatedSecret>,
        now: Timestamp,
    ) -> StatedCredential {
        StatedCredential {
            label: self.label.clone(),
            active_from: self.active_from,
            expires_at: self.expiry.map(|expiry| match expiry {
                Expiry::At(end) => end,
                Expiry::In(span) => now.plus(span),
            }),
            ..material.into()
        }
    }
}

/// A credential that was retired.
#[derive(Clone, Debug)]
pub struct Retired {
    /// The client that it belongs to.
    pub client: ClientId,
    /// When the last token that was issued for it expires.
    pub tokens_end_at: Timestamp,
}

/// Retires a credential from now on. If it was compromised, the tokens issued for it become inactive, too.
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
    let no_credential = || CredentialError::NoCredential(id.clone());
    let owner = change.owner(id).await?.ok_or_else(no_credential)?;
    let known = existing(&mut change, &owner).await?;
    let credential = known.credentials.iter().find(|it| &it.id == id);
    let credential = credential.ok_or_else(no_credential)?;
    let mut retired = Credential {
        retired_at: Some(credential.retired_at.map_or(now, |at| at.min(now))),
        ..credential.clone()
    };
    if compromised {
        retired.tokens_not_before = retired.tokens_not_before.max(now.plus(LATE_ISSUE));
    }
    change.put_credential(&owner, &retired).await?;
    let longest = longest_life(&mut change, &known).await?;
    let action = if compromised {
        "credential_compromised"
    } else {
        "credential_retired"
    };
    finish(change, known.client, (action, &[id])).await?;
    Ok(Retired {
        client: owner,
        tokens_end_at: now.plus(LATE_ISSUE).plus(longest),
    })
}

/// The longest that a live token of this client may still have, whatever its recent policies were.
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

pub(super) async fn existing(
    change: &mut ChangeTx,
    client: &ClientId,
) -> Result<KnownClient, CredentialError> {
    let known = change.client(client).await?;
    known
        .filter(|known| known.client.status != ClientStatus::Deleted)
        .ok_or_else(|| CredentialError::NoClient(client.clone()))
}

/// Commits, with an audit event for each of `credentials`.
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
    let event = |id: &&CredentialId| AuditEvent {
        id: random::event_id(),
        at: now,
        actor: "operator".to_owned(),
        action: action.into(),
        target: client.id.to_string(),
        details: serde_json::json!({ "credential": id.as_str() }),
    };
    change.audit(credentials.iter().map(event)).await?;
    change.commit().await?;
    Ok(())
}
