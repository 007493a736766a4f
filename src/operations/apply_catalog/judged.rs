//! The plan, if what is wanted fits, and the signing keys that it needs.

use std::collections::BTreeSet;

use super::difference::{self, Write};
use super::options::{ApplyError, ApplyOptions};
use super::plan::{Action, Plan, Subject};
use super::stored::Stored;
use super::wanted::Wanted;
use crate::config::fault::ConfigError;
use crate::domain::algorithm::SigningAlgorithm;
use crate::operations::make_signing_keys::{KeyPairs, make_missing_keys, missing_keys};
use crate::store::change::ChangeTx;

/// The plan from `stored` to `wanted` and its writes, if the two fit together.
pub(super) fn judged(
    stored: &Stored,
    wanted: Wanted,
    prune: bool,
) -> Result<(Plan, Vec<Write>), ApplyError> {
    let (mut plan, writes) = difference::between(stored, &wanted, prune);
    plan.warnings = wanted.findings.warnings;
    match ConfigError::of(wanted.findings.faults) {
        Some(misfits) => Err(misfits.into()),
        None => Ok((plan, writes)),
    }
}

/// Makes the keys that `algorithms` lack, and notes them in the plan.
pub(super) async fn keys_made(
    change: &mut ChangeTx,
    algorithms: &BTreeSet<SigningAlgorithm>,
    (keys, plan): (KeyPairs, &mut Plan),
    options: ApplyOptions<'_>,
) -> Result<(), ApplyError> {
    let (sealing, delay) = (options.sealing, options.key_delay);
    // A dry run may lack the sealing key; if it has one, it must be the right one.
    let made = if options.dry_run && sealing.is_none() {
        missing_keys(change, algorithms).await?
    } else {
        make_missing_keys(change, algorithms, keys, sealing, delay).await?
    };
    for made in made {
        plan.note(Action::Created, Subject::SigningKey, made.to_string());
    }
    Ok(())
}
