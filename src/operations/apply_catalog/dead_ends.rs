//! Warns of what can be applied but has no effect: a client that cannot authenticate, a client that may do nothing, an
//! audience that nobody gets tokens for, a stored client that relies on an issuer which is no longer trusted so far. One
//! sentence for each kind, however many there are.

use std::collections::{BTreeMap, BTreeSet};

use super::stored::{Stored, leaves};
use crate::config::catalog::{Catalog, CatalogClient};
use crate::config::fault::Place;
use crate::domain::client::ClientStatus;
use crate::domain::credential::CredentialState;
use crate::domain::identifier::{AudienceId, ClientId, IssuerId};
use crate::domain::known_client::KnownClient;
use crate::domain::trusted_issuer::IssuerUse;

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
    let let_down = after.let_down();
    let let_down = let_down
        .into_iter()
        .filter_map(|(what, of)| sentence(("client", &what), of));
    kinds.into_iter().flatten().chain(let_down).collect()
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

    /// The stored clients that stay and need of an issuer what the catalog no longer trusts it with.
    fn let_down(&self) -> Vec<(String, Vec<(String, Place)>)> {
        let clients = self.catalog.clients.iter();
        let clients: BTreeMap<&ClientId, &CatalogClient> =
            clients.map(|it| (&it.client.id, it)).collect();
        let issuers = self.catalog.issuers.iter();
        let narrowed = issuers.filter_map(|issuer| {
            let old = self.stored.issuers.get(&issuer.id)?;
            let mut lost = old.uses.clone();
            lost.retain(|it| !issuer.may_be(*it));
            Some(lost.into_iter().map(move |it| (issuer, it)))
        });
        let let_down = narrowed.flatten().map(|(issuer, lost)| {
            let what = format!(
                "relies on issuer {}, whose `use` no longer has \"{lost}\"",
                issuer.id
            );
            let kept = self.stored.living().filter(|_| !self.prune);
            let of = kept.filter(|it| {
                let stated = clients.get(&it.client.id).copied();
                self.still_needs((it, stated), &issuer.id, lost)
            });
            let place = issuer.place_of("use");
            let named = of.map(|it| (it.client.id.to_string(), place.clone()));
            (what, named.collect())
        });
        let_down.collect()
    }

    /// Whether a stored client has a policy or a live identity that needs that of the issuer, and that the catalog does
    /// not state.
    fn still_needs(
        &self,
        (known, stated): (&KnownClient, Option<&CatalogClient>),
        issuer: &IssuerId,
        what: IssuerUse,
    ) -> bool {
        let policies = stated.map_or(&[][..], |it| &it.policies);
        let credentials = stated.map_or(&[][..], |it| &it.credentials);
        let mut kept = known.policies.iter().filter(|kept| {
            let mut stated = policies.iter();
            stated.all(|it| it.audience != kept.audience)
        });
        let mut live = known
            .credentials
            .iter()
            .filter(|it| it.state(self.stored.now) == CredentialState::Live)
            .filter_map(|it| it.material.identity())
            .filter(|kept| {
                let mut stated = credentials.iter();
                stated.all(|it| it.material.identity() != Some(kept))
            });
        kept.any(|it| it.uses_of(issuer).contains(&what))
            || what == IssuerUse::Client && live.any(|it| it.issuer == *issuer)
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
