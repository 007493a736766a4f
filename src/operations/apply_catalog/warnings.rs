//! What an operator should know of a catalog that can be applied.

use std::collections::{BTreeMap, BTreeSet};

use super::stored::Stored;
use crate::config::catalog::Catalog;
use crate::crypto::client_key;
use crate::domain::audience::{JwtTyp, TokenFormat};
use crate::domain::client::{Client, GrantType};
use crate::domain::credential::CredentialMaterial;
use crate::domain::identifier::{AudienceId, ClientId, IssuerId};
use crate::domain::policy::{Policy, SubjectSource};

/// Whoever holds a key that two clients registered can act as either of them.
pub(super) fn of_shared_keys(catalog: &Catalog) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut owners: BTreeMap<String, &ClientId> = BTreeMap::new();
    for stated in &catalog.clients {
        let client = &stated.client.id;
        for it in &stated.credentials {
            let CredentialMaterial::Jwk(jwk) = &it.material else {
                continue;
            };
            let Some(key) = client_key::facts(jwk) else {
                continue;
            };
            let owner = *owners.entry(key.thumbprint).or_insert(client);
            if owner != client {
                warnings.push(format!(
                    "{}: {client} registers a key of {owner}: whoever holds it can act as either of them",
                    it.place
                ));
            }
        }
    }
    warnings
}

/// How an issuer is trusted too far, or by less than is known of it.
pub(super) fn of_issuers(catalog: &Catalog) -> impl Iterator<Item = String> {
    catalog.issuers.iter().flat_map(|stated| {
        let told = |it| format!("{}: issuer {}: {it}", stated.place, stated.id);
        stated.advice().into_iter().map(told)
    })
}

/// What tokens can never be exchanged from: it may be a typing error, or be added later.
pub(super) fn of_sources(catalog: &Catalog, stored: &Stored, prune: bool) -> Vec<String> {
    let stated: BTreeSet<&AudienceId> = catalog.audiences.iter().map(|it| &it.id).collect();
    let is_known =
        |id: &AudienceId| stated.contains(id) || (!prune && stored.audiences.contains_key(id));
    let mut issuers: BTreeSet<&str> = catalog.issuers.iter().map(|it| it.id.as_str()).collect();
    if !prune {
        issuers.extend(stored.issuers.keys().map(IssuerId::as_str));
    }
    let mut warnings = Vec::new();
    for client in &catalog.clients {
        for policy in &client.policies {
            for from in policy.exchange.iter().flat_map(|it| &it.from) {
                let SubjectSource::Audience(from) = from else {
                    continue;
                };
                if is_known(from) {
                    continue;
                }
                let meant = issuers
                    .get(from.as_str())
                    .map_or_else(String::new, |issuer| {
                        format!("; write issuer:{issuer} for the tokens of that issuer")
                    });
                warnings.push(format!(
                    "{}: client {}, policy for {}: no token can be exchanged from {from}, which is no audience{meant}",
                    policy.place, client.client.id, policy.audience
                ));
            }
        }
    }
    warnings
}

/// Policies that do not agree with their clients, or with themselves, about grants for somebody else.
pub(super) fn of_grants(catalog: &Catalog) -> Vec<String> {
    let pairs = catalog.clients.iter().flat_map(|client| {
        let policies = client.policies.iter();
        policies.map(move |policy| (&client.client, policy))
    });
    let told = pairs.flat_map(|(client, policy)| {
        let (place, id, audience) = (&policy.place, &client.id, &policy.audience);
        let told = at_odds(client, policy);
        told.map(move |what| format!("{place}: client {id}, policy for {audience}: {what}"))
    });
    told.collect()
}

fn at_odds(client: &Client, policy: &Policy) -> impl Iterator<Item = String> {
    let exchange = (
        ("exchange", policy.exchange.is_some()),
        ("none can be made", "which tokens may be exchanged"),
    );
    let bearer = (
        ("issuer", policy.issuer.is_some()),
        ("its tokens are no grants", "whose tokens are grants"),
    );
    let each = [
        (GrantType::TokenExchange, exchange),
        (GrantType::JwtBearer, bearer),
    ];
    each.into_iter().filter_map(|(grant, (stated, words))| {
        let ((key, is_stated), (so, what)) = (stated, words);
        let is_named = policy.grants.contains(&grant);
        let is_for_all = policy.grants.is_empty();
        let lacks =
            |whose| format!("it has an `{key}`, and {whose} `grants` lack \"{grant}\": {so}");
        match (is_stated, client.grants.contains(&grant)) {
            (false, _) => {
                is_named.then(|| format!("it holds for {grant}, and no `{key}` says {what}"))
            }
            (true, false) => Some(lacks("the client's")),
            (true, true) => (!is_named && !is_for_all).then(|| lacks("its own")),
        }
    })
}

/// A server that is not a client can introspect nothing; it may be a typing error, or be added later.
pub(super) fn of_unknown_servers(catalog: &Catalog, stored: &Stored, prune: bool) -> Vec<String> {
    let stated: BTreeSet<&ClientId> = catalog.clients.iter().map(|it| &it.client.id).collect();
    let is_known = |id: &ClientId| stated.contains(id) || (!prune && stored.client(id).is_some());
    let mut warnings = Vec::new();
    for stated in &catalog.audiences {
        for server in stated.served_by.iter().filter(|it| !is_known(it)) {
            warnings.push(format!(
                "{}: audience {} is served by {server}, which is not a client: nobody can introspect its tokens under that name",
                stated.place, stated.id
            ));
        }
    }
    warnings
}

/// An opaque token is checked by introspection or not at all, and has no header.
pub(super) fn of_opaque_tokens(catalog: &Catalog) -> Vec<String> {
    let mut warnings = Vec::new();
    for stated in &catalog.audiences {
        if stated.format != TokenFormat::Opaque {
            continue;
        }
        if stated.served_by.is_empty() {
            warnings.push(format!(
                "{}: the tokens of audience {} are opaque, and nobody is in served_by: no API can check them",
                stated.place, stated.id
            ));
        }
        if stated.jwt_typ != JwtTyp::AccessToken {
            warnings.push(format!(
                "{}: jwt_typ of audience {} has no effect: its tokens are opaque and have no header",
                stated.place, stated.id
            ));
        }
    }
    warnings
}
