//! What an operator should know of a catalog that can be applied.

use std::collections::{BTreeMap, BTreeSet};

use super::stored::Stored;
use crate::config::catalog::Catalog;
use crate::crypto::client_key;
use crate::domain::audience::{JwtTyp, TokenFormat};
use crate::domain::client::GrantType;
use crate::domain::credential::CredentialMaterial;
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::policy::SubjectSource;

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

/// How an issuer is trusted too far.
pub(super) fn of_issuers(catalog: &Catalog) -> impl Iterator<Item = String> {
    catalog.issuers.iter().filter_map(|stated| {
        let advice = stated.advice()?;
        Some(format!("{}: issuer {}: {advice}", stated.place, stated.id))
    })
}

/// What can never be had for somebody else: it may be a typing error, or the rest be added later.
pub(super) fn of_delegation(catalog: &Catalog, stored: &Stored, prune: bool) -> Vec<String> {
    let stated: BTreeSet<&AudienceId> = catalog.audiences.iter().map(|it| &it.id).collect();
    let is_known =
        |id: &AudienceId| stated.contains(id) || (!prune && stored.audiences.contains_key(id));
    let (exchange, jwt_bearer) = (GrantType::TokenExchange, GrantType::JwtBearer);
    let mut warnings = Vec::new();
    for client in &catalog.clients {
        let has_grant = |grant: &GrantType| client.client.grants.contains(grant);
        for policy in &client.policies {
            let mut warn = |what: String| {
                let (id, audience) = (&client.client.id, &policy.audience);
                let place = &policy.place;
                warnings.push(format!(
                    "{place}: client {id}, policy for {audience}: {what}"
                ));
            };
            match (&policy.exchange, policy.grants.contains(&exchange)) {
                (None, true) => {
                    warn("it holds for token-exchange, and no `exchange` says which tokens may be exchanged".to_owned());
                }
                (Some(_), _) if !has_grant(&exchange) => {
                    warn("it has an `exchange`, and the client's `grants` lack \"token-exchange\": none can be made".to_owned());
                }
                _ => {}
            }
            match (&policy.issuer, policy.grants.contains(&jwt_bearer)) {
                (None, true) => {
                    warn(
                        "it holds for jwt-bearer, and no `issuer` says whose tokens are grants"
                            .to_owned(),
                    );
                }
                (Some(_), _) if !has_grant(&jwt_bearer) => {
                    warn("it has an `issuer`, and the client's `grants` lack \"jwt-bearer\": its tokens are no grants".to_owned());
                }
                _ => {}
            }
            for from in policy.exchange.iter().flat_map(|it| &it.from) {
                if let SubjectSource::Audience(id) = from
                    && !is_known(id)
                {
                    warn(format!(
                        "no token can be exchanged from {id}, which is no audience"
                    ));
                }
            }
        }
    }
    warnings
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
