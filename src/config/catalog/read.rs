//! Reads one `[[audience]]`, `[[client]]` or `[[client.policy]]`: its shape, and what holds beyond it.

use super::{CatalogClient, CatalogOptions, Placed, credentials};
use crate::config::document::Table;
use crate::config::fault::{Faults, Place};
use crate::config::shaped::Section;
use crate::domain::audience::Audience;
use crate::domain::client::Client;
use crate::domain::policy::{Policy, PolicyFault};

/// Reads an audience; none where its id is missing or wrong.
pub(super) fn audience(table: (&Place, &Table), faults: &Faults) -> Option<Placed<Audience>> {
    let mut table = Section::named("audience", table, faults);
    let audience = table.read::<Audience>().map(|audience| {
        if let Some(fault) = audience.fault().map(PolicyFault::from) {
            table.fault_of(fault.key(), fault);
        }
        Placed::of(&table, audience)
    });
    table.finish();
    audience
}

/// Reads a client whose policies may name `audiences`; none where its id is missing or wrong.
pub(super) fn client(
    table: (&Place, &Table),
    audiences: &[Placed<Audience>],
    (options, faults): (&CatalogOptions<'_>, &Faults),
) -> Option<CatalogClient> {
    let mut table = Section::named("client", table, faults);
    let client = table.read::<Client>();
    let credentials = credentials::read(&mut table, client.as_ref(), options);
    let policies = table.tables("policy");
    let policies = policies
        .into_iter()
        .filter_map(|table| policy(table, client.as_ref()?, (audiences, faults)))
        .collect();
    let client = client.map(|client| CatalogClient {
        states_status: table.has("status").is_some(),
        place: table.place().clone(),
        client,
        credentials,
        policies,
    });
    table.finish();
    client
}

/// Reads a policy of `client`. It must fit its audience where that is among `audiences`; else it may be in the
/// database, where `apply` looks.
fn policy(
    table: (&Place, &Table),
    client: &Client,
    (audiences, faults): (&[Placed<Audience>], &Faults),
) -> Option<Placed<Policy>> {
    let title = format!("client \"{}\": policy: ", client.id);
    let mut table = Section::new(title, table, faults);
    let policy = table.read::<Policy>();
    if let Some(policy) = &policy {
        let audience = audiences.iter().find(|it| it.id == policy.audience);
        let at_audience = audience.map(|it| policy.faults_at(it));
        let of_client = policy.faults_of(client).into_iter();
        for fault in of_client.chain(at_audience.into_iter().flatten()) {
            // What was left out as wrong is not missing.
            if !table.is_wrong(fault.key()) {
                table.fault_of(fault.key(), fault);
            }
        }
    }
    let policy = policy.map(|policy| Placed::of(&table, policy));
    table.finish();
    policy
}
