//! Checks that need the whole catalog: no name stands twice.

use std::collections::BTreeMap;

use super::Catalog;
use crate::config::fault::{Fault, Faults, Place, Problem};

/// Reports audiences, clients, policies and credentials of one name.
pub(super) fn whole(catalog: &Catalog, faults: &Faults) {
    let audiences = catalog.audiences.iter();
    doubled(
        audiences.map(|it| (it.audience.id.as_str(), &it.place)),
        "audience",
        faults,
    );
    let clients = catalog.clients.iter();
    doubled(
        clients.map(|it| (it.id.as_str(), &it.place)),
        "client",
        faults,
    );
    doubled_credentials(catalog, faults);
    for client in &catalog.clients {
        let policies = client.policies.iter();
        let title = format!("client \"{}\": policy", client.id);
        doubled(
            policies.map(|it| (it.policy.audience.as_str(), &it.place)),
            &title,
            faults,
        );
    }
}

fn doubled<'c>(named: impl Iterator<Item = (&'c str, &'c Place)>, what: &str, faults: &Faults) {
    let mut first: BTreeMap<&str, &Place> = BTreeMap::new();
    for (name, place) in named {
        if let Some(earlier) = first.get(name) {
            let key = format!("{what} \"{name}\"");
            let problem = Problem::Doubled((*earlier).clone());
            faults.push(Fault {
                place: place.clone(),
                key,
                problem,
            });
        } else {
            first.insert(name, place);
        }
    }
}

/// A credential id is unique in the whole catalog: a generated secret names its credential by it.
fn doubled_credentials(catalog: &Catalog, faults: &Faults) {
    let all = catalog
        .clients
        .iter()
        .flat_map(|client| &client.credentials);
    let named = all.filter_map(|it| Some((it.id.as_ref()?.as_str(), &it.place)));
    doubled(named, "credential", faults);
}
