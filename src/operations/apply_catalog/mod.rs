//! `apply`: brings the database to what a catalog states, in one transaction, and says what it did.
//!
//! It removes nothing that the catalog does not state, unless it is told to prune.

mod credentials;
mod dead_ends;
mod difference;
mod findings;
mod identities;
mod issuers;
mod judged;
mod options;
pub(super) mod part;
mod plan;
mod prepared;
mod removals;
mod secrets;
mod stored;
mod trail;
mod wanted;
mod warnings;
mod write;

pub use options::{ApplyError, ApplyOptions};
pub use plan::{Action, Change, Plan, Step, Subject, TooManyRemoved};

use super::make_signing_keys::KeyPairs;
use crate::config::catalog::Catalog;
use crate::crypto::random;
use crate::store::Store;
use crate::store::change::{ChangeTx, Committed};
use judged::{judged, keys_made};
use prepared::{Prepared, algorithms_after};
use stored::Stored;
use trail::{Deed, Trail};
use wanted::{Wanted, wanted};
use write::write_all;

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
    if let Some(ours) = options.issuer {
        catalog.check_issuer(ours)?;
    }
    let mut prepared = Prepared::default();
    loop {
        let seen = store.load_catalog().await?;
        let mut stored = Stored::of(seen.value, store.now().await?.second());
        let both = (catalog, &stored);
        prepared.make(store, both, &options).await?;
        let mut change = store.begin_change(random::token_id()).await?;
        change.lock_administration().await?;
        if change.has_changed_since(&seen.feed).await? {
            stored = Stored::of(change.contents().await?, change.now());
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
    let (mut plan, writes) = judged(&stored, wanted, options.prune)?;
    plan.warnings.extend(warnings::of_shared_keys(catalog));
    plan.warnings.extend(warnings::of_issuers(catalog));
    plan.warnings.extend(warnings::of_grants(catalog));
    plan.warnings
        .extend(warnings::of_sources(catalog, &stored, options.prune));
    plan.warnings.extend(warnings::of_unknown_servers(
        catalog,
        &stored,
        options.prune,
    ));
    plan.warnings.extend(warnings::of_opaque_tokens(catalog));
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
    keys_made(&mut change, &algorithms, (keys, &mut plan), options).await?;
    // Dropped without a commit, the transaction leaves everything as it was.
    if options.dry_run || plan.changes() == 0 {
        return Ok((plan, Committed::default()));
    }
    let trail = Trail {
        id: random::event_id(),
        deed: Deed::Many("catalog_applied"),
        signed: options.by.sign(&mut change).await?,
        stored: &stored,
    };
    change.audit(trail.events(&plan, &writes)).await?;
    write_all(&mut change, writes).await?;
    Ok((plan, change.commit().await?))
}
