//! Warns of what can be applied but has no effect: a client that cannot authenticate, a client that may do nothing, an
//! audience that nobody gets tokens for. One sentence for each kind, however many there are.

use std::collections::BTreeSet;

use super::stored::{Stored, leaves};
use crate::config::catalog::{Catalog, CatalogClient};
use crate::config::fault::Place;
use crate::domain::client::ClientStatus;
use crate::domain::identifier::{AudienceId, ClientId};

/// How many more of a kind are named; the rest are only counted.
const NAMED: usize = 4;

/// What the database will hold, including what it keeps although `catalog` does not state it.
struct After<'a> {
    catalog: &'a Catalog,
    stored: &'a Stored,
    prune: bool,
}

/// The warnings of `catalog`, of which what is stored and not stated stays unless it is pruned.
pub(super) fn warnings(catalog: &Catalog, stored: &Stored, prune: bool) -> Vec<String> {
    let after = After {
        catalog,
        stored,
        prune,
    };
    let (with_policy, servers) = (after.audiences_with_policy(), after.servers());
    let clients = || {
        let all = catalog.clients.iter();
        all.filter(|it| it.client.status == ClientStatus::Active)
    };
    let name = |it: &'_ CatalogClient| (it.client.id.to_string(), it.place.clone());
    let unproven = clients().filter(|it| !after.has_credential(it)).map(name);
    let idle = clients()
        .filter(|it| !servers.contains(&it.client.id) && !after.has_policy(it))
        .map(name);
    let unused = catalog
        .audiences
        .iter()
        .filter(|it| !with_policy.contains(&it.id))
        .map(|it| (it.id.to_string(), it.place.clone()));
    let kinds = [
        sentence(
            ("client", "has no credential, so it cannot authenticate"),
            unproven.collect(),
        ),
        sentence(
            (
                "client",
                "has no policy and serves no audience, so it can do nothing",
            ),
            idle.collect(),
        ),
        sentence(
            ("audience", "is in no policy, so nobody gets a token for it"),
            unused.collect(),
        ),
    ];
    kinds.into_iter().flatten().collect()
}

impl After<'_> {
    fn audiences_with_policy(&self) -> BTreeSet<&AudienceId> {
        let stated = self.catalog.clients.iter().flat_map(|it| &it.policies);
        let kept = self.stored.living().filter(|_| !self.prune);
        let kept = kept.flat_map(|it| &it.policies).map(|it| &it.audience);
        stated.map(|it| &it.audience).chain(kept).collect()
    }

    fn servers(&self) -> BTreeSet<&ClientId> {
        let stated = self.catalog.audiences.iter().map(|it| &it.value);
        let kept = self.stored.audiences.values().filter(|_| !self.prune);
        stated.chain(kept).flat_map(|it| &it.served_by).collect()
    }

    fn has_credential(&self, stated: &CatalogClient) -> bool {
        let known = self.stored.client(&stated.client.id);
        let mut kept = known.into_iter().flat_map(|it| &it.credentials);
        let time = (self.prune, self.stored.now);
        !stated.credentials.is_empty() || kept.any(|it| !leaves(it, false, time))
    }

    fn has_policy(&self, stated: &CatalogClient) -> bool {
        let known = self.stored.client(&stated.client.id);
        let is_kept = !self.prune && known.is_some_and(|it| !it.policies.is_empty());
        is_kept || !stated.policies.is_empty()
    }
}

/// The warning about the first of `found`, which also names the others.
fn sentence((subject, what): (&str, &str), found: Vec<(String, Place)>) -> Option<String> {
    let mut found = found.into_iter();
    let (first, place) = found.next()?;
    let more: Vec<String> = found.map(|(id, place)| format!("{id} ({place})")).collect();
    let named = more.iter().take(NAMED).cloned().collect::<Vec<_>>();
    let others = match more.len().saturating_sub(NAMED) {
        _ if more.is_empty() => String::new(),
        0 => format!("; the same holds for {}", named.join(", ")),
        count => format!("; the same holds for {} and {count} more", named.join(", ")),
    };
    Some(format!("{place}: {subject} {first} {what}{others}"))
}
