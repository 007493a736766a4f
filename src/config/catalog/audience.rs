//! Reads one `[[audience]]`.

use std::collections::BTreeMap;

use super::CatalogAudience;
use crate::config::document::{Located, Node, Table};
use crate::config::fault::{Faults, Place, Problem};
use crate::config::section::Section;
use crate::config::value;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::audience::{Audience, JwtTyp, SenderConstraint};
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::scope::Scope;
use crate::domain::timestamp::Seconds;

pub(super) const KEYS: &[&str] = &[
    "id",
    "scopes",
    "token_lifetime",
    "max_token_lifetime",
    "algorithm",
    "jwt_typ",
    "sender_constraint",
    "served_by",
];

/// The token lifetime where the catalog says nothing.
const LIFETIME: Seconds = Seconds::new(300);
/// The most where the catalog says nothing.
const MAX_LIFETIME: Seconds = Seconds::new(900);
/// The most that the catalog may say, in seconds.
pub(super) const CEILING: u32 = 86_400;

/// Reads an audience; none where anything needed is wrong, which is then reported.
pub(super) fn read(table: (Place, Table), faults: &Faults) -> Option<CatalogAudience> {
    let mut table = Section::named("audience", table, KEYS, faults);
    let id = table.required(
        "id",
        "write the `aud` value",
        value::parsed_by(AudienceId::parse),
    );
    let (token_lifetime, max_token_lifetime) = lifetimes(&mut table);
    let algorithm = value::one_of(&SigningAlgorithm::ALL, SigningAlgorithm::as_str);
    let jwt_typ = value::one_of(JwtTyp::ALL, JwtTyp::as_str);
    let constraint = value::one_of(SenderConstraint::ALL, SenderConstraint::as_str);
    let audience = Audience {
        scopes: scopes(&mut table),
        token_lifetime,
        max_token_lifetime,
        algorithm: table
            .read("algorithm", algorithm)
            .unwrap_or(SigningAlgorithm::Es256),
        jwt_typ: table
            .read("jwt_typ", jwt_typ)
            .unwrap_or(JwtTyp::AccessToken),
        sender_constraint: table
            .read("sender_constraint", constraint)
            .unwrap_or(SenderConstraint::None),
        served_by: table
            .list("served_by", value::parsed_by(ClientId::parse))
            .unwrap_or_default(),
        id: id?,
    };
    Some(CatalogAudience {
        audience,
        place: table.place().clone(),
    })
}

/// Default and most; where one alone is stated, the other gives way.
fn lifetimes(table: &mut Section<'_>) -> (Seconds, Seconds) {
    let place = table.place_of("token_lifetime");
    let given = table.read("token_lifetime", value::duration(1..=CEILING));
    let most = table.read("max_token_lifetime", value::duration(1..=CEILING));
    match (given, most) {
        (Some(given), Some(most)) if given > most => {
            table.fault(
                &place,
                "token_lifetime",
                Problem::LifetimeAbove { given, most },
            );
            (given, most)
        }
        (given, Some(most)) => (given.unwrap_or(LIFETIME.min(most)), most),
        (given, None) => {
            let given = given.unwrap_or(LIFETIME);
            (given, given.max(MAX_LIFETIME))
        }
    }
}

/// A list of scopes, or a table from scope to description.
fn scopes(table: &mut Section<'_>) -> BTreeMap<Scope, String> {
    let Some(value) = table.take("scopes") else {
        return BTreeMap::new();
    };
    let place = value.place.clone();
    let described = match value.node {
        Node::Table(described) => described.0,
        Node::List(list) => return listed(table, list),
        other => {
            let problem = value::type_error("a list of scopes or a table", &other);
            table.fault(&place, "scopes", problem);
            return BTreeMap::new();
        }
    };
    let read = |(name, entry): (String, crate::config::document::Entry)| {
        let scope = Scope::parse(&name)
            .map_err(|fault| table.fault(&entry.key, "scopes", fault.into()))
            .ok()?;
        let place = entry.value.place.clone();
        let description = value::text(entry.value)
            .map_err(|fault| table.fault(&place, "scopes", fault))
            .ok()?;
        Some((scope, description))
    };
    described.into_iter().filter_map(read).collect()
}

fn listed(table: &Section<'_>, list: Vec<Located>) -> BTreeMap<Scope, String> {
    let scope = value::parsed_by(Scope::parse);
    let read = |member: Located| {
        let place = member.place.clone();
        let scope = scope(member)
            .map_err(|fault| table.fault(&place, "scopes", fault))
            .ok()?;
        Some((scope, String::new()))
    };
    list.into_iter().filter_map(read).collect()
}
