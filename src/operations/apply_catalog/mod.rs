//! `apply`: brings the database to what a catalog states, in one transaction, and says what it did.
//!
//! It removes nothing that the catalog does not state, unless it is told to prune.

mod audiences;
mod clients;
mod credentials;
mod plan;
mod policies;
mod removals;

use std::collections::{BTreeMap, BTreeSet};

pub use plan::{Action, Plan, Step, Subject};
pub use removals::TooManyRemoved;

use super::check_profile::of_key;
use super::make_signing_keys::{MakeKeyError, make_missing_keys};
use crate::config::catalog::{Catalog, CatalogMaterial};
use crate::config::fault::Place;
use crate::crypto::random;
use crate::crypto::sealing::SealingKeys;
use crate::crypto::secret_hash::{HashCost, SecretHashError};
use crate::domain::audience::Audience;
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::known_client::KnownClient;
use crate::domain::profile::Profile;
use crate::domain::timestamp::Seconds;
use crate::store::Store;
use crate::store::audit_events::AuditEvent;
use crate::store::change::{ChangeTx, Committed};
use crate::store::error::StoreError;

/// How a catalog is applied.
#[derive(Clone, Copy, Debug)]
pub struct ApplyOptions<'a> {
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// Remove what the catalog does not state.
    pub prune: bool,
    /// So many clients, and so many audiences, may be removed although they are more than a few.
    pub allow_removals: usize,
    /// The security profile that audiences and clients must fit.
    pub profile: Profile,
    /// What an imported secret costs.
    pub imported_cost: HashCost,
    /// Seals the keys that are made.
    pub sealing: Option<&'a SealingKeys>,
    /// How long after their announcement new keys begin to sign.
    pub key_delay: Seconds,
}

/// Why a catalog was not applied; then nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The catalog and the database do not fit together.
    #[error("{place}: {message}")]
    Misfit {
        /// Where in the catalog.
        place: Place,
        /// What is wrong, and what to do.
        message: String,
    },
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

/// One application of a catalog, under way.
struct Application<'a> {
    change: ChangeTx,
    options: ApplyOptions<'a>,
    plan: Plan,
    /// The audiences as they will be.
    audiences: BTreeMap<AudienceId, Audience>,
    /// The clients as they were.
    clients: BTreeMap<ClientId, KnownClient>,
    before: removals::Before,
}

/// Applies `catalog`. Gives the plan, and what was committed.
///
/// # Errors
/// A catalog that does not fit the database, no sealing key where one is needed, a database out of reach.
pub async fn apply_catalog(
    store: &Store,
    catalog: &Catalog,
    options: ApplyOptions<'_>,
) -> Result<(Plan, Committed), ApplyError> {
    let mut change = store.begin_change(random::token_id()).await?;
    change.lock_administration().await?;
    let audiences = change.audiences().await?;
    let clients = change.clients().await?;
    let mut application = Application {
        change,
        options,
        plan: Plan::default(),
        before: removals::Before {
            clients: clients.len(),
            audiences: audiences.len(),
        },
        audiences: audiences
            .into_iter()
            .map(|it| (it.id.clone(), it))
            .collect(),
        clients: clients
            .into_iter()
            .map(|it| (it.client.id.clone(), it))
            .collect(),
    };
    check_profile(catalog, options.profile)?;
    application.put_audiences(catalog).await?;
    application.put_clients(catalog).await?;
    application.check_stored_policies(catalog)?;
    application.warn_of_unknown_servers(catalog);
    application.make_keys().await?;
    application.finish().await
}

/// Whether a catalog fits a security profile.
///
/// # Errors
/// The first contradiction, with its place.
pub fn check_profile(catalog: &Catalog, profile: Profile) -> Result<(), ApplyError> {
    let audiences = catalog
        .audiences
        .iter()
        .map(|it| (&it.place, profile.contradiction_of_audience(&it.audience)));
    let clients = catalog.clients.iter().map(|it| {
        let methods = &it.auth_methods;
        (
            &it.place,
            profile.contradiction_of_client(&it.id, methods, it.assertion_audience),
        )
    });
    let keys = catalog.clients.iter().flat_map(|client| {
        let in_use = client
            .credentials
            .iter()
            .filter(|it| it.retired_at.is_none());
        in_use.filter_map(|it| match &it.material {
            CatalogMaterial::Jwk(jwk) => Some((&it.place, of_key(profile, &client.id, jwk))),
            _ => None,
        })
    });
    match audiences
        .chain(clients)
        .chain(keys)
        .find_map(|(place, it)| Some((place, it?)))
    {
        None => Ok(()),
        Some((place, contradiction)) => Err(ApplyError::Misfit {
            place: place.clone(),
            message: contradiction.to_string(),
        }),
    }
}

impl Application<'_> {
    async fn make_keys(&mut self) -> Result<(), ApplyError> {
        let algorithms: BTreeSet<_> = self.audiences.values().map(|it| it.algorithm).collect();
        let (sealing, delay) = (self.options.sealing, self.options.key_delay);
        for made in make_missing_keys(&mut self.change, &algorithms, sealing, delay).await? {
            self.plan
                .note(Action::Created, Subject::SigningKey, made.to_string());
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<(Plan, Committed), ApplyError> {
        let refusal = removals::check(&self.plan, self.before, self.options.allow_removals);
        // Dropped without a commit, the transaction leaves everything as it was.
        match refusal {
            Some(refusal) if !self.options.dry_run => return Err(refusal.into()),
            refusal => self.plan.refusal = refusal,
        }
        if self.options.dry_run || self.plan.changes() == 0 {
            return Ok((self.plan, Committed::default()));
        }
        let event = AuditEvent {
            id: random::token_id(),
            at: self.change.now(),
            actor: "operator".to_owned(),
            action: "catalog_applied",
            target: String::new(),
            details: self.plan.to_json(),
        };
        self.change.audit(&event).await?;
        let committed = self.change.commit().await?;
        Ok((self.plan, committed))
    }
}
