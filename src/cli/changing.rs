//! What all commands that change one thing of the catalog have in common.

use super::target::Opened;
use crate::domain::signing_key::ACTIVATION_DELAY;
use crate::operations::actor::Actor;
use crate::operations::apply_catalog::{ApplyOptions, Plan};

/// What a command changes, it changes by the rules of `apply`, without a catalog.
pub(super) fn options<'a>(opened: &'a Opened, by: &'a Actor) -> ApplyOptions<'a> {
    ApplyOptions {
        dry_run: false,
        prune: false,
        allow_removals: 0,
        profile: opened.profile,
        issuer: opened.issuer.as_deref(),
        imported_cost: opened.imported_cost(),
        sealing: opened.sealing.as_ref(),
        key_delay: ACTIVATION_DELAY,
        by,
    }
}

/// Whether anything was changed; says what an operator should know of it.
pub(super) fn is_changed(plan: &Plan) -> bool {
    for warning in &plan.warnings {
        eprintln!("warning: {warning}");
    }
    let is_changed = plan.changes() > 0;
    if is_changed {
        eprintln!(
            "note: if a catalog states this, change it there as well: the next `grantd apply` may change it back"
        );
    }
    is_changed
}
