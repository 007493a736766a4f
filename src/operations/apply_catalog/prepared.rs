//! What takes long and is therefore made before anything is locked: hashes and key pairs.

use std::collections::BTreeSet;

use super::options::{ApplyError, ApplyOptions};
use super::secrets::Secrets;
use super::stored::Stored;
use crate::config::catalog::Catalog;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::identifier::AudienceId;
use crate::operations::make_signing_keys::KeyPairs;
use crate::store::Store;

#[derive(Default)]
pub(super) struct Prepared {
    pub(super) secrets: Secrets,
    pub(super) keys: KeyPairs,
}

impl Prepared {
    /// Makes what `catalog` needs beside `stored`, and what was not made before.
    ///
    /// # Errors
    /// No memory for a hash, no key, or a database out of reach.
    pub(super) async fn make(
        &mut self,
        store: &Store,
        (catalog, stored): (&Catalog, &Stored),
        options: &ApplyOptions<'_>,
    ) -> Result<(), ApplyError> {
        let cost = options.imported_cost;
        self.secrets.tell(catalog, stored, cost).await?;
        if options.sealing.is_some() {
            let algorithms = algorithms_after(catalog, stored, options.prune);
            self.keys.make_missing(store, &algorithms).await?;
        }
        Ok(())
    }
}

/// The algorithms of the audiences that there will be.
pub(super) fn algorithms_after(
    catalog: &Catalog,
    stored: &Stored,
    prune: bool,
) -> BTreeSet<SigningAlgorithm> {
    let wanted = catalog.audiences.iter().map(|it| &it.value);
    let ids: BTreeSet<&AudienceId> = wanted.clone().map(|it| &it.id).collect();
    let old = stored.audiences.values();
    let kept = old.filter(|old| !prune && !ids.contains(&old.id));
    kept.chain(wanted).map(|it| it.algorithm).collect()
}
