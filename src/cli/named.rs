//! The clients and audiences that the words of a command name.

use anyhow::Context as _;

use crate::domain::audience::Audience;
use crate::domain::client::ClientStatus;
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::known_client::KnownClient;
use crate::domain::policy::PolicyFault;
use crate::operations::change_error::ChangeError;
use crate::operations::unknown_name::NoClient;
use crate::store::Store;

/// A client's id as a command takes it.
pub(super) fn client_id(text: &str) -> anyhow::Result<ClientId> {
    ClientId::parse(text).context("CLIENT")
}

/// An audience's id as a command takes it.
pub(super) fn audience_id(text: &str) -> anyhow::Result<AudienceId> {
    AudienceId::parse(text).context("AUDIENCE")
}

/// The client of this id, or what to do.
pub(super) async fn client(store: &Store, id: &str) -> anyhow::Result<KnownClient> {
    let found = match ClientId::parse(id) {
        Ok(id) => store.load_client(&id).await?.value,
        Err(_) => None,
    };
    let living = found.filter(|known| known.client.status != ClientStatus::Deleted);
    match living {
        Some(known) => Ok(known),
        None => Err(NoClient::near(store, id).await?.into()),
    }
}

/// The audience of this id, or what to do.
pub(super) async fn audience(store: &Store, id: &AudienceId) -> anyhow::Result<Audience> {
    if let Some(found) = store.load_audience(id).await?.value {
        return Ok(found);
    }
    let all = store.all_audiences().await?;
    let fault = PolicyFault::no_audience(id, all.iter().map(|it| &it.id));
    Err(ChangeError::NoAudience(fault).into())
}
