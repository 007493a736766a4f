//! What all commands about credentials share.

use super::actor::Actor;
use super::unknown_name::NoClient;
use crate::crypto::random;
use crate::crypto::secret_hash::SecretHashError;
use crate::domain::client::{Client, ClientStatus};
use crate::domain::credential::rules::CredentialFault;
use crate::domain::credential::{CredentialMaterial, StatedCredential, StatedSecret};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::known_client::KnownClient;
use crate::domain::profile::Profile;
use crate::domain::timestamp::{Seconds, Timestamp};
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
    /// Who registers it.
    pub by: Actor,
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
    #[error(transparent)]
    NoClient(#[from] NoClient),
    /// No such credential.
    #[error("there is no credential {0}; `grantd credential list CLIENT` shows those of a client")]
    NoCredential(CredentialId),
    /// The client may not have this credential.
    #[error(transparent)]
    Fault(#[from] CredentialFault),
    /// It would have expired already.
    #[error("{0} is in the past (the database's clock says {1}): give a later end")]
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

/// The client, where there is one.
pub(super) async fn existing(
    change: &mut ChangeTx,
    client: &ClientId,
) -> Result<KnownClient, CredentialError> {
    let known = change.client(client).await?;
    known
        .filter(|known| known.client.status != ClientStatus::Deleted)
        .ok_or_else(|| NoClient::alone(client.as_str()).into())
}

/// Notes that `credentials` of a client changed, with an event for each.
pub(super) async fn note(
    change: &mut ChangeTx,
    client: Client,
    (action, credentials): (&'static str, &[&CredentialId]),
    by: &Actor,
) -> Result<(), StoreError> {
    let client = Client {
        rotated_at: Some(change.now()),
        ..client
    };
    change.put_client(&client).await?;
    let signed = by.sign(change).await?;
    let event = |id: &&CredentialId| {
        let details = serde_json::json!({ "credential": id.as_str() });
        signed.event(
            random::event_id(),
            (action.into(), client.id.as_str()),
            details,
        )
    };
    change.audit(credentials.iter().map(event)).await?;
    Ok(())
}
