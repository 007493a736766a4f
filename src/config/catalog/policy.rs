//! Reads one `[[client.policy]]`.

use ipnet::IpNet;

use super::CatalogPolicy;
use super::audience::CEILING;
use crate::config::document::Table;
use crate::config::fault::{Faults, Place, Problem};
use crate::config::section::Section;
use crate::config::value;
use crate::domain::client::AuthMethod;
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::policy::Policy;
use crate::domain::scope::{Scope, ScopeSet};

pub(super) const KEYS: &[&str] =
    &["audience", "scopes", "default_scopes", "token_lifetime", "networks", "methods", "enabled"];

/// Reads a policy of `client`; none where its audience is missing or wrong.
pub(super) fn read(
    table: (Place, Table),
    client: &ClientId,
    faults: &Faults,
) -> Option<CatalogPolicy> {
    let title = format!("client \"{client}\": policy: ");
    let mut table = Section::new(title, table, KEYS, faults);
    let place = table.place_of("audience");
    let audience = table.required("audience", "name one", value::parsed_by(AudienceId::parse));
    if audience.as_ref().is_some_and(|audience| audience.as_str() == client.as_str()) {
        table.fault(&place, "audience", Problem::AudienceIsClient);
    }
    let scopes = scopes(&mut table, "scopes");
    let default_scopes = default_scopes(&mut table, &scopes);
    if scopes.is_empty() {
        let problem = Problem::Missing("name at least one scope of the audience");
        table.fault(&table.place_of("scopes"), "scopes", problem);
    }
    let method = value::one_of(AuthMethod::ALL, AuthMethod::as_str);
    let policy = Policy {
        scopes,
        default_scopes,
        token_lifetime: table.read("token_lifetime", value::duration(1..=CEILING)),
        networks: table.list("networks", value::parsed_by(network)).unwrap_or_default(),
        methods: table.list("methods", method).unwrap_or_default(),
        enabled: table.read("enabled", value::boolean).unwrap_or(true),
        audience: audience?,
    };
    Some(CatalogPolicy { policy, place: table.place().clone() })
}

fn scopes(table: &mut Section<'_>, key: &str) -> ScopeSet {
    let list = table.list(key, value::parsed_by(Scope::parse)).unwrap_or_default();
    list.into_iter().collect()
}

fn default_scopes(table: &mut Section<'_>, permitted: &ScopeSet) -> ScopeSet {
    let key = "default_scopes";
    let place = table.place_of(key);
    let set = scopes(table, key);
    if let Some(outside) = set.first_outside(permitted) {
        table.fault(&place, key, Problem::DefaultScope(outside.clone()));
    }
    set
}

fn network(text: &str) -> Result<IpNet, Problem> {
    text.parse().map_err(|_| Problem::Expected("a network, for example 10.0.0.0/8 or fd00::/8"))
}
