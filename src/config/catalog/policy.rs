//! Reads one `[[client.policy]]`.

use super::audience::CEILING;
use super::{CatalogAudience, CatalogPolicy, claims};
use crate::config::document::Table;
use crate::config::fault::{Faults, Place, Problem};
use crate::config::section::Section;
use crate::config::value;
use crate::domain::audience::Audience;
use crate::domain::client::AuthMethod;
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::policy::Policy;
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::shown;
use crate::domain::timestamp::Seconds;

pub(super) const KEYS: &[&str] = &[
    "audience",
    "scopes",
    "default_scopes",
    "token_lifetime",
    "claims",
    "networks",
    "methods",
    "enabled",
];

/// Reads a policy of `client`, which authenticates by `registered` methods; it must fit its audience where that is among `audiences` (else it may
/// be in the database, where `apply` looks); none where its audience is missing or wrong.
pub(super) fn read(
    table: (Place, Table),
    (client, registered): (&ClientId, &[AuthMethod]),
    audiences: &[CatalogAudience],
    faults: &Faults,
) -> Option<CatalogPolicy> {
    let title = format!("client \"{client}\": policy: ");
    let mut table = Section::new(title, table, KEYS, faults);
    let place = table.place_of("audience");
    let audience = table.required("audience", "name one", value::parsed_by(AudienceId::parse));
    if audience
        .as_ref()
        .is_some_and(|audience| audience.as_str() == client.as_str())
    {
        table.fault(&place, "audience", Problem::AudienceIsClient);
    }
    let known = audiences
        .iter()
        .map(|known| &known.audience)
        .find(|known| Some(&known.id) == audience.as_ref());
    let scopes = permitted_scopes(&mut table, known);
    let default_scopes = default_scopes(&mut table, &scopes);
    let token_lifetime = token_lifetime(&mut table, known);
    let methods = methods(&mut table, registered);
    let policy = Policy {
        scopes,
        default_scopes,
        token_lifetime,
        claims: claims::read(&mut table),
        networks: table.list("networks", value::network).unwrap_or_default(),
        methods,
        enabled: table.read("enabled", value::boolean).unwrap_or(true),
        audience: audience?,
    };
    Some(CatalogPolicy {
        policy,
        place: table.place().clone(),
    })
}

/// The key `methods`; one of them at least the client has registered.
fn methods(table: &mut Section<'_>, registered: &[AuthMethod]) -> Vec<AuthMethod> {
    let key = "methods";
    let place = table.place_of(key);
    let method = value::one_of(AuthMethod::ALL, AuthMethod::as_str);
    let methods = table.list(key, method).unwrap_or_default();
    if !methods.is_empty() && !methods.iter().any(|method| registered.contains(method)) {
        table.fault(&place, key, Problem::PolicyMethods);
    }
    methods
}

/// The key `scopes`: at least one, and all of them known to the audience.
fn permitted_scopes(table: &mut Section<'_>, audience: Option<&Audience>) -> ScopeSet {
    let key = "scopes";
    let place = table.place_of(key);
    let set = scopes(table, key);
    if set.is_empty() {
        table.fault(
            &place,
            key,
            Problem::Missing("name at least one scope of the audience"),
        );
    }
    let Some(audience) = audience else { return set };
    let known: ScopeSet = audience.scopes.keys().cloned().collect();
    if let Some(scope) = set.first_outside(&known).cloned() {
        let known = if known.is_empty() {
            "it has no scopes".to_owned()
        } else {
            format!("it has {}", known.to_string().replace(' ', ", "))
        };
        let scope = shown::unknown(scope.as_str(), audience.scopes.keys().map(Scope::as_str));
        let audience = audience.id.to_string();
        table.fault(
            &place,
            key,
            Problem::UnknownScope {
                scope,
                audience,
                known,
            },
        );
    }
    set
}

fn token_lifetime(table: &mut Section<'_>, audience: Option<&Audience>) -> Option<Seconds> {
    let key = "token_lifetime";
    let place = table.place_of(key);
    let given = table.read(key, value::duration(1..=CEILING))?;
    if let Some(most) = audience.map(|audience| audience.max_token_lifetime)
        && given > most
    {
        table.fault(&place, key, Problem::LifetimeAbove { given, most });
    }
    Some(given)
}

fn scopes(table: &mut Section<'_>, key: &str) -> ScopeSet {
    let list = table
        .list(key, value::parsed_by(Scope::parse))
        .unwrap_or_default();
    list.into_iter().collect()
}

fn default_scopes(table: &mut Section<'_>, permitted: &ScopeSet) -> ScopeSet {
    let key = "default_scopes";
    let place = table.place_of(key);
    let set = scopes(table, key);
    if let Some(outside) = set.first_outside(permitted) {
        table.fault(
            &place,
            key,
            Problem::DefaultScope(shown::unknown(
                outside.as_str(),
                permitted.iter().map(Scope::as_str),
            )),
        );
    }
    set
}
