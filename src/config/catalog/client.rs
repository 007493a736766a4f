//! Reads one `[[client]]`.

use super::{CatalogAudience, CatalogClient, CatalogOptions, claims, credentials, policy};
use crate::config::document::Table;
use crate::config::fault::{Faults, Place, Problem};
use crate::config::section::Section;
use crate::config::value;
use crate::domain::client::{AssertionAudience, AuthMethod, ClientStatus, GrantType};
use crate::domain::identifier::ClientId;

pub(super) const KEYS: &[&str] = &[
    "id",
    "name",
    "owner",
    "environment",
    "tenant",
    "status",
    "claims",
    "grants",
    "auth",
    "secret",
    "secrets",
    "jwks",
    "jwks_file",
    "certificate_file",
    "certificate_files",
    "thumbprints",
    "subject_dn",
    "san_dns",
    "san_uri",
    "san_ip",
    "san_email",
    "assertion_audience",
    "max_assertion_lifetime",
    "dpop_bound_access_tokens",
    "tls_client_certificate_bound_access_tokens",
    "policy",
];

/// What a catalog may state; `deleted` is not among it.
const STATUSES: &[ClientStatus] = &[ClientStatus::Active, ClientStatus::Disabled];

/// Reads a client whose policies may name `audiences`; none where its id is missing or wrong.
pub(super) fn read(
    table: (Place, Table),
    audiences: &[CatalogAudience],
    options: &CatalogOptions<'_>,
    faults: &Faults,
) -> Option<CatalogClient> {
    let mut table = Section::named("client", table, KEYS, faults);
    let id = table.required(
        "id",
        "write the client_id",
        value::parsed_by(ClientId::parse),
    )?;
    let auth_methods = auth_methods(&mut table);
    let credentials = credentials::read(&mut table, &auth_methods, options);
    let policies = table.tables("policy");
    let policies = policies
        .into_iter()
        .filter_map(|table| policy::read(table, (&id, &auth_methods), audiences, faults));
    let policies: Vec<_> = policies.collect();
    let claims = claims::read(&mut table);
    claims::check_together(&claims, &policies, (table.title(), faults));
    let grant = value::one_of(GrantType::ALL, GrantType::as_str);
    let audience = value::one_of(AssertionAudience::ALL, AssertionAudience::as_str);
    Some(CatalogClient {
        name: table.read("name", value::label),
        owner: table.read("owner", value::label),
        environment: table.read("environment", value::label),
        tenant: table.read("tenant", value::label),
        status: table.read("status", value::one_of(STATUSES, ClientStatus::as_str)),
        claims,
        grants: unique(
            table
                .list("grants", grant)
                .unwrap_or_else(|| vec![GrantType::ClientCredentials]),
        ),
        assertion_audience: table
            .read("assertion_audience", audience)
            .unwrap_or(AssertionAudience::Issuer),
        max_assertion_lifetime: table.read("max_assertion_lifetime", value::duration(1..=3600)),
        dpop_bound_access_tokens: flag(&mut table, "dpop_bound_access_tokens"),
        certificate_bound_access_tokens: flag(
            &mut table,
            "tls_client_certificate_bound_access_tokens",
        ),
        place: table.place().clone(),
        id,
        auth_methods,
        credentials,
        policies,
    })
}

fn auth_methods(table: &mut Section<'_>) -> Vec<AuthMethod> {
    let place = table.place_of("auth");
    let method = value::one_of(AuthMethod::ALL, AuthMethod::as_str);
    let Some(methods) = table.one_or_many("auth", method) else {
        return vec![AuthMethod::ClientSecretBasic];
    };
    if methods.is_empty() {
        table.fault(
            &place,
            "auth",
            Problem::EmptyList("name at least one method"),
        );
    }
    unique(methods)
}

fn unique<T: Ord>(mut members: Vec<T>) -> Vec<T> {
    members.sort();
    members.dedup();
    members
}

fn flag(table: &mut Section<'_>, key: &str) -> bool {
    table.read(key, value::boolean).unwrap_or(false)
}
