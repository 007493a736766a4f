//! Why a command did not change a client, a policy or an audience.

use super::apply_catalog::ApplyError;
use super::unknown_name::NoClient;
use crate::config::fault::ConfigError;
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::policy::PolicyFault;
use crate::store::Store;
use crate::store::error::StoreError;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// What `apply` says of it.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// No such client.
    #[error(transparent)]
    NoClient(#[from] NoClient),
    /// No such audience.
    #[error("{0}; `grantd audience list` shows those that there are")]
    NoAudience(PolicyFault),
    /// The client is there.
    #[error("client {0} already exists; `grantd client show '{0}'` shows it")]
    ClientExists(ClientId),
    /// The audience is there.
    #[error("audience {0} already exists; `grantd audience show '{0}'` shows it")]
    AudienceExists(AudienceId),
    /// The client has no such policy.
    #[error("{client} has no policy for {audience}; it has {has}")]
    NoPolicy {
        /// The client.
        client: ClientId,
        /// The audience.
        audience: AudienceId,
        /// What it has policies for, as the end of a sentence.
        has: String,
    },
    /// The policy does not permit that scope.
    #[error("{client} is not allowed {scope} at {audience}; it is allowed {has}")]
    NotAllowed {
        /// The client.
        client: ClientId,
        /// The audience.
        audience: AudienceId,
        /// The scope, as it may be shown.
        scope: String,
        /// What it permits.
        has: String,
    },
}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        Self::Apply(error.into())
    }
}

impl From<ConfigError> for ChangeError {
    fn from(error: ConfigError) -> Self {
        Self::Apply(error.into())
    }
}

/// The error about an unknown client `id`, with the nearest known one.
pub(super) async fn no_client(store: &Store, id: &ClientId) -> ChangeError {
    match NoClient::near(store, id.as_str()).await {
        Ok(unknown) => unknown.into(),
        Err(error) => error.into(),
    }
}

/// The error about an unknown audience `id`, with the nearest known one.
pub(super) async fn no_audience(store: &Store, id: &AudienceId) -> ChangeError {
    match store.all_audiences().await {
        Ok(all) => {
            let known = all.iter().map(|it| &it.id);
            ChangeError::NoAudience(PolicyFault::no_audience(id, known))
        }
        Err(error) => error.into(),
    }
}
