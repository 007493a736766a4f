//! Whether issuers and clients, stated and stored, have names of their own.

use std::collections::BTreeMap;

use super::findings::Findings;
use super::stored::Stored;
use crate::config::catalog::{Catalog, Placed};
use crate::domain::identifier::{ClientId, IssuerId};
use crate::domain::trusted_issuer::{IssuerNames, NameClash, TrustedIssuer};

/// Notes what clashes once `catalog` is applied to `stored`, of which the rest stays unless it is pruned.
pub(super) fn check(catalog: &Catalog, stored: &Stored, prune: bool, findings: &mut Findings) {
    let stated: BTreeMap<&IssuerId, &Placed<TrustedIssuer>> =
        catalog.issuers.iter().map(|it| (&it.id, it)).collect();
    let kept = stored.issuers.values();
    let kept = || {
        kept.clone()
            .filter(|it| !prune && !stated.contains_key(&it.id))
    };
    let kept_names: IssuerNames<'_> = kept().collect();
    for issuer in stated.values() {
        if let Some(other) = kept_names.of_url(&issuer.url) {
            clash(issuer, NameClash::SharedUrl(other.id.to_string()), findings);
        }
    }
    let names: IssuerNames<'_> = kept().chain(stated.values().map(|it| &it.value)).collect();
    let mut clients: BTreeMap<&ClientId, _> = BTreeMap::new();
    if !prune {
        clients.extend(stored.living().map(|it| (&it.client.id, None)));
    }
    clients.extend(
        catalog
            .clients
            .iter()
            .map(|it| (&it.client.id, Some(&it.place))),
    );
    for (id, place) in clients {
        let Some((issuer, found)) = names.clash(id.as_str()) else {
            continue;
        };
        match (place, stated.get(&issuer.id)) {
            (Some(place), _) => findings.fault(place, format!("client \"{id}\": id"), found),
            (None, Some(issuer)) => clash(issuer, NameClash::Client(id.to_string()), findings),
            // Both were there before.
            (None, None) => {}
        }
    }
}

fn clash(issuer: &Placed<TrustedIssuer>, found: NameClash, findings: &mut Findings) {
    let key = match found {
        NameClash::Client(_) => "",
        _ => ": url",
    };
    findings.fault(
        issuer.place_of("url"),
        format!("issuer \"{}\"{key}", issuer.id),
        found,
    );
}
