//! How a catalog is applied, and why it was not.

use super::plan::TooManyRemoved;
use crate::config::fault::ConfigError;
use crate::crypto::sealing::SealingKeys;
use crate::crypto::secret_hash::{HashCost, SecretHashError};
use crate::domain::profile::Profile;
use crate::domain::timestamp::Seconds;
use crate::operations::actor::Actor;
use crate::operations::make_signing_keys::MakeKeyError;
use crate::store::error::StoreError;

/// How a catalog is applied.
#[derive(Clone, Copy, Debug)]
pub struct ApplyOptions<'a> {
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// Remove what the catalog does not state.
    pub prune: bool,
    /// How many clients, and how many audiences, may be removed beyond the usual bound.
    pub allow_removals: usize,
    /// The security profile that audiences and clients must fit.
    pub profile: Profile,
    /// The issuer of the server, where it is known: nobody else's tokens may say so.
    pub issuer: Option<&'a str>,
    /// What an imported secret costs.
    pub imported_cost: HashCost,
    /// Seals the keys that are made.
    pub sealing: Option<&'a SealingKeys>,
    /// How long after their announcement new keys begin to sign.
    pub key_delay: Seconds,
    /// Who applies it.
    pub by: &'a Actor,
}

/// Why a catalog was not applied; then nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The catalog and the database, or the profile, do not fit together.
    #[error(transparent)]
    Misfit(#[from] ConfigError),
    /// More would be removed than the operator allowed.
    #[error(transparent)]
    Removals(#[from] TooManyRemoved),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A signing key.
    #[error(transparent)]
    Key(#[from] MakeKeyError),
    /// A secret.
    #[error(transparent)]
    Secret(#[from] SecretHashError),
}
