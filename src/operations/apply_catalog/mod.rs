//! `apply`: brings the database to what a catalog states, in one transaction, and says what it did.
//!
//! It removes nothing that the catalog does not state, unless it is told to prune.

mod credentials;
mod dead_ends;
mod difference;
mod plan;
mod prepared;
mod removals;
mod secrets;
mod trail;
mod wanted;
mod warnings;
mod write;

pub use plan::{Action, Change, Plan, Step, Subject};
pub use removals::TooManyRemoved;

use super::make_signing_keys::{KeyPairs, MakeKeyError, make_missing_keys, missing_keys};
use crate::config::catalog::Catalog;
use crate::config::fault::ConfigError;
use crate::crypto::random;
use crate::crypto::sealing::SealingKeys;
use crate::crypto::secret_hash::{HashCost, SecretHashError};
use crate::domain::profile::Profile;
use crate::domain::timestamp::Seconds;
use crate::store::Store;
use crate::store::change::{ChangeTx, Committed};
use crate::store::error::StoreError;
use prepared::{Prepared, algorithms_after};
use trail::Trail;
use wanted::{Stored, Wanted, wanted};
use write::write_all;

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

/// Applies `catalog`. Gives the plan, and what was committed.
///
/// # Errors
/// A catalog that does not fit the database, no sealing key where one is needed, a database out of reach.
pub async fn apply_catalog(
    store: &Store,
    catalog: &Catalog,
    options: ApplyOptions<'_>,
) -> Result<(Plan, Committed), ApplyError> {
    catalog.check_profile(options.profile)?;
    let mut prepared = Prepared::default();
    loop {
        let seen = store.load_catalog().await?;
        let (audiences, clients) = seen.value;
        let mut stored = Stored::of(audiences, clients, store.now().await?.second());
        let both = (catalog, &stored);
        prepared.make(store, both, &options).await?;
        let mut change = store.begin_change(random::token_id()).await?;
        change.lock_administration().await?;
        if change.has_changed_since(&seen.feed).await? {
            let audiences = change.audiences().await?;
            let clients = change.clients_and_deleted_ones().await?;
            stored = Stored::of(audiences, clients, change.now());
        }
        stored.now = change.now();
        // Another administrator changed a secret meanwhile: it is hashed again, and nobody waits for that.
        let Ok(wanted) = wanted(catalog, &stored, &prepared.secrets, &options) else {
            continue;
        };
        return apply_wanted(change, catalog, (stored, wanted), options, prepared.keys).await;
    }
}

/// Brings what is `stored` to what is `wanted`, in the transaction that has the lock.
async fn apply_wanted(
    mut change: ChangeTx,
    catalog: &Catalog,
    (stored, wanted): (Stored, Wanted),
    options: ApplyOptions<'_>,
    keys: KeyPairs,
) -> Result<(Plan, Committed), ApplyError> {
    let algorithms = algorithms_after(catalog, &stored, options.prune);
    let (mut plan, writes) = difference::between(&stored, &wanted, options.prune);
    plan.warnings = wanted.findings.warnings;
    if let Some(misfits) = ConfigError::of(wanted.findings.faults) {
        return Err(misfits.into());
    }
    plan.warnings.extend(warnings::of_shared_keys(catalog));
    plan.warnings.extend(warnings::of_unknown_servers(
        catalog,
        &stored,
        options.prune,
    ));
    plan.warnings
        .extend(dead_ends::warnings(catalog, &stored, options.prune));
    let before = removals::Before {
        clients: stored.living().count(),
        audiences: stored.audiences.len(),
    };
    match removals::check(&plan, before, options.allow_removals) {
        Some(refusal) if !options.dry_run => return Err(refusal.into()),
        refusal => plan.refusal = refusal,
    }
    let (sealing, delay) = (options.sealing, options.key_delay);
    // A dry run may be far from the sealing key. Where it is there, it must be the right one.
    let made = if options.dry_run && sealing.is_none() {
        missing_keys(&mut change, &algorithms).await?
    } else {
        make_missing_keys(&mut change, &algorithms, keys, sealing, delay).await?
    };
    for made in made {
        plan.note(Action::Created, Subject::SigningKey, made.to_string());
    }
    // Dropped without a commit, the transaction leaves everything as it was.
    if options.dry_run || plan.changes() == 0 {
        return Ok((plan, Committed::default()));
    }
    let trail = Trail {
        id: random::token_id(),
        at: change.now(),
        stored: &stored,
    };
    change.audit(trail.events(&plan, &writes)).await?;
    write_all(&mut change, writes).await?;
    Ok((plan, change.commit().await?))
}
