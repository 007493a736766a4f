//! Checks that need the whole catalog: names are unique, and all of it fits a server.

use std::collections::BTreeMap;

use super::{Catalog, credentials};
use crate::config::fault::{Fault, Faults, Place, Problem};
use crate::domain::profile::Profile;
use crate::domain::trusted_issuer::{IssuerNames, NameClash};

/// Reports audiences, issuers, clients, policies and credentials of one name.
pub(super) fn whole(catalog: &Catalog, faults: &Faults) {
    let audiences = catalog.audiences.iter();
    doubled(
        audiences.map(|it| (it.id.as_str(), &it.place)),
        "audience",
        faults,
    );
    let clients = catalog.clients.iter();
    doubled(
        clients.map(|it| (it.client.id.as_str(), &it.place)),
        "client",
        faults,
    );
    issuers(catalog, faults);
    doubled_credentials(catalog, faults);
    for client in &catalog.clients {
        let policies = client.policies.iter();
        let title = format!("client \"{}\": policy", client.client.id);
        doubled(
            policies.map(|it| (it.audience.as_str(), &it.place)),
            &title,
            faults,
        );
    }
}

/// Two issuers of one name or URL, and clients that are called like an issuer or a subject of one.
fn issuers(catalog: &Catalog, faults: &Faults) {
    let stated = catalog.issuers.iter();
    doubled(
        stated.map(|it| (it.id.as_str(), &it.place)),
        "issuer",
        faults,
    );
    let mut names = IssuerNames::default();
    for stated in &catalog.issuers {
        if let Some(other) = names.of_url(&stated.url).filter(|it| it.id != stated.id) {
            let key = format!("issuer \"{}\": url", stated.id);
            let clash = NameClash::SharedUrl(other.id.to_string());
            faults.report(stated.place_of("url"), key, clash);
        }
        names.add(stated);
    }
    for client in &catalog.clients {
        if let Some((_, clash)) = names.clash(client.id.as_str()) {
            let key = format!("client \"{}\": id", client.id);
            faults.report(&client.place, key, clash);
        }
    }
}

/// The issuers of the catalog that call themselves as `ours` does.
pub(super) fn not_ourselves(catalog: &Catalog, ours: &str) -> Vec<Fault> {
    let same = catalog.issuers.iter().filter(|it| it.url.as_str() == ours);
    same.map(|it| Fault {
        place: it.place_of("url").clone(),
        key: format!("issuer \"{}\": url", it.id),
        problem: NameClash::Ourselves.into(),
    })
    .collect()
}

/// What of the catalog contradicts `profile`.
pub(super) fn profile(catalog: &Catalog, profile: Profile) -> Vec<Fault> {
    let audiences = catalog.audiences.iter().filter_map(|it| {
        let found = profile.contradiction_of_audience(it)?;
        Some((it.place.clone(), found.into()))
    });
    let issuers = catalog.issuers.iter().filter_map(|it| {
        let found = profile.contradiction_of_issuer(it)?;
        Some((it.place_of("algorithms").clone(), found.into()))
    });
    let clients = catalog.clients.iter().filter_map(|it| {
        let found = profile.contradiction_of_client(&it.client)?;
        Some((it.place.clone(), found.into()))
    });
    let credentials = catalog
        .clients
        .iter()
        .flat_map(|it| credentials::check(&it.client, profile, &it.credentials));
    audiences
        .chain(issuers)
        .chain(clients)
        .chain(credentials)
        .map(|(place, problem)| Fault {
            place,
            key: String::new(),
            problem,
        })
        .collect()
}

fn doubled<'c>(named: impl Iterator<Item = (&'c str, &'c Place)>, what: &str, faults: &Faults) {
    let mut first: BTreeMap<&str, &Place> = BTreeMap::new();
    for (name, place) in named {
        if let Some(earlier) = first.get(name) {
            let problem = Problem::Doubled((*earlier).clone());
            faults.report(place, format!("{what} \"{name}\""), problem);
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
