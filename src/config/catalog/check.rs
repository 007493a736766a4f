//! Checks that need the whole catalog: doubled names, and policies against their audiences.

use std::collections::BTreeMap;

use super::{Catalog, CatalogClient, CatalogPolicy};
use crate::config::fault::{Fault, Faults, Place, Problem};
use crate::domain::audience::Audience;
use crate::domain::scope::ScopeSet;

/// Reports what is wrong between the parts of `catalog`.
pub(super) fn whole(catalog: &Catalog, faults: &Faults) {
    let audiences = catalog.audiences.iter();
    doubled(audiences.map(|it| (it.audience.id.as_str(), &it.place)), "audience", faults);
    let clients = catalog.clients.iter();
    doubled(clients.map(|it| (it.id.as_str(), &it.place)), "client", faults);
    doubled_credentials(catalog, faults);
    let known: BTreeMap<&str, &Audience> =
        catalog.audiences.iter().map(|it| (it.audience.id.as_str(), &it.audience)).collect();
    for client in &catalog.clients {
        let policies = client.policies.iter();
        let title = format!("client \"{}\": policy", client.id);
        doubled(policies.map(|it| (it.policy.audience.as_str(), &it.place)), &title, faults);
        for policy in &client.policies {
            // An audience that is not in this file may be in the database: `apply` looks there.
            if let Some(audience) = known.get(policy.policy.audience.as_str()) {
                policy_fits(client, policy, audience, faults);
            }
        }
    }
}

fn doubled<'c>(named: impl Iterator<Item = (&'c str, &'c Place)>, what: &str, faults: &Faults) {
    let mut first: BTreeMap<&str, &Place> = BTreeMap::new();
    for (name, place) in named {
        if let Some(earlier) = first.get(name) {
            let key = format!("{what} \"{name}\"");
            let problem = Problem::Doubled((*earlier).clone());
            faults.push(Fault { place: place.clone(), key, problem });
        } else {
            first.insert(name, place);
        }
    }
}

/// A credential id is unique in the whole catalog: a generated secret names its credential by it.
fn doubled_credentials(catalog: &Catalog, faults: &Faults) {
    let all = catalog.clients.iter().flat_map(|client| &client.credentials);
    let named = all.filter_map(|it| Some((it.id.as_ref()?.as_str(), &it.place)));
    doubled(named, "credential", faults);
}

fn policy_fits(
    client: &CatalogClient,
    CatalogPolicy { policy, place }: &CatalogPolicy,
    audience: &Audience,
    faults: &Faults,
) {
    let report = |key: &str, problem| {
        let key = format!("client \"{}\": policy: {key}", client.id);
        faults.push(Fault { place: place.clone(), key, problem });
    };
    let known: ScopeSet = audience.scopes.keys().cloned().collect();
    if let Some(scope) = policy.scopes.first_outside(&known) {
        let known = if known.is_empty() {
            "it has no scopes".to_owned()
        } else {
            format!(
                "it has {}",
                audience.scopes.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            )
        };
        let audience = audience.id.to_string();
        report("scopes", Problem::UnknownScope { scope: scope.clone(), audience, known });
    }
    let most = audience.max_token_lifetime;
    if let Some(given) = policy.token_lifetime.filter(|given| *given > most) {
        report("token_lifetime", Problem::LifetimeAbove { given, most });
    }
}
