//! What the database should hold: the catalog, completed by what only the database knows. Pure: reads and writes
//! nothing.

use std::collections::BTreeMap;

use super::credentials::Credentials;
use super::findings::Findings;
use super::identities::Issuers;
use super::issuers;
use super::options::ApplyOptions;
use super::secrets::{Outdated, Secrets};
use super::stored::Stored;
use crate::config::catalog::{Catalog, CatalogClient, Placed};
use crate::domain::audience::Audience;
use crate::domain::client::{Client, ClientStatus};
use crate::domain::foreign_name;
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::known_client::KnownClient;
use crate::domain::policy::{Policy, PolicyFault};
use crate::domain::timestamp::Timestamp;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::operations::manage_credentials::LATE_ISSUE;

/// What it should hold of what the catalog states.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) audiences: Vec<Audience>,
    pub(super) issuers: Vec<TrustedIssuer>,
    pub(super) clients: Vec<KnownClient>,
    pub(super) findings: Findings,
}

/// The issuer as it is stated, with what only the database knows. By another URL it is another, and who was called like a
/// subject of its before is another, too: nothing of theirs is taken for its own.
fn issuer(stated: &TrustedIssuer, stored: &Stored) -> TrustedIssuer {
    let (id, old) = (&stated.id, stored.issuers.get(&stated.id));
    let same = old.filter(|it| it.url == stated.url);
    let is_like = |it: &ClientId| foreign_name::issuer_of(it.as_str()).as_ref() == Some(id);
    let was_a_client = || stored.clients.keys().any(is_like);
    TrustedIssuer {
        tokens_not_before: match same {
            Some(same) => same.tokens_not_before,
            None if was_a_client() => stored.now.plus(LATE_ISSUE),
            None => stored.mark_of_issuer(id),
        },
        ..stated.clone()
    }
}

/// What `catalog` wants where `stored` is there.
///
/// # Errors
/// Secrets that were matched with others than those stored now.
pub(super) fn wanted(
    catalog: &Catalog,
    stored: &Stored,
    secrets: &Secrets,
    options: &ApplyOptions<'_>,
) -> Result<Wanted, Outdated> {
    let mut wanted = Wanted {
        audiences: catalog
            .audiences
            .iter()
            .map(|it| it.value.clone())
            .collect(),
        issuers: catalog
            .issuers
            .iter()
            .map(|it| issuer(it, stored))
            .collect(),
        ..Wanted::default()
    };
    issuers::check(catalog, stored, options.prune, &mut wanted.findings);
    let audiences = audiences_after(catalog, stored, options.prune);
    let issuers = Issuers::after(catalog, stored, options.prune);
    for stated in &catalog.clients {
        let old = stored.client(&stated.client.id);
        let client = client(stated, stored);
        let mut resolving = Credentials {
            client: &client,
            existing: old.map_or(&[], |it| &it.credentials),
            options,
            stored,
            secrets,
            findings: &mut wanted.findings,
        };
        let credentials = resolving.wanted(&stated.credentials)?;
        issuers.check(stated, stored, &mut wanted.findings);
        let policies = old.map_or(&[][..], |it| &it.policies);
        for stated in &stated.policies {
            check_policy(
                &client,
                stated,
                (&audiences, &issuers),
                &mut wanted.findings,
            );
        }
        if !options.prune {
            check_kept(&client, stated, policies, &mut wanted.findings);
        }
        wanted.clients.push(KnownClient {
            client,
            credentials,
            policies: stated.policies.iter().map(|it| it.value.clone()).collect(),
            policy_marks: BTreeMap::new(),
        });
    }
    if !options.prune {
        check_stored_policies(catalog, stored, &mut wanted.findings);
    }
    Ok(wanted)
}

/// The audiences as they will be.
fn audiences_after<'a>(
    catalog: &'a Catalog,
    stored: &'a Stored,
    prune: bool,
) -> BTreeMap<&'a AudienceId, &'a Audience> {
    let kept = stored.audiences.values().filter(|_| !prune);
    let stated = catalog.audiences.iter().map(|it| &it.value);
    kept.chain(stated).map(|it| (&it.id, it)).collect()
}

/// The client as the catalog states it, with what only the database knows.
fn client(stated: &CatalogClient, stored: &Stored) -> Client {
    let known = stored.clients.get(&stated.client.id).map(|it| &it.client);
    let kept = known.filter(|old| old.status != ClientStatus::Deleted);
    let status = match kept {
        Some(old) if !stated.states_status => old.status,
        _ => stated.client.status,
    };
    // Nor is anything of theirs taken for that of a client which is called so later.
    let issuer = foreign_name::issuer_of(stated.client.id.as_str());
    let of_issuer = issuer.map_or(Timestamp::EPOCH, |it| stored.mark_of_issuer(&it));
    Client {
        status,
        tokens_not_before: mark(known, status, stored.now).max(of_issuer),
        created_at: kept.map_or(stored.now, |old| old.created_at),
        rotated_at: kept.and_then(|old| old.rotated_at),
        ..stated.client.clone()
    }
}

/// Disabling voids the tokens that were issued, and those that are issued until every replica knows; enabling revives
/// none.
fn mark(stored: Option<&Client>, status: ClientStatus, now: Timestamp) -> Timestamp {
    let old = stored.map_or(Timestamp::EPOCH, |old| old.tokens_not_before);
    match (stored.map(|old| old.status), status) {
        (Some(ClientStatus::Active), ClientStatus::Disabled) => old.max(now.plus(LATE_ISSUE)),
        (Some(ClientStatus::Disabled | ClientStatus::Deleted), ClientStatus::Active) => {
            old.max(now)
        }
        _ => old,
    }
}

/// A stated policy fits its client, and names an audience and issuers that are there and fit it.
fn check_policy(
    client: &Client,
    stated: &Placed<Policy>,
    (audiences, issuers): (&BTreeMap<&AudienceId, &Audience>, &Issuers<'_>),
    findings: &mut Findings,
) {
    let policy = &stated.value;
    let at_audience = match audiences.get(&policy.audience) {
        Some(audience) => policy.faults_at(audience),
        None => vec![PolicyFault::no_audience(
            &policy.audience,
            audiences.keys().copied(),
        )],
    };
    let of_client = policy.faults_of(client).into_iter();
    let by_issuers = policy.faults_by(&issuers.0);
    for fault in of_client.chain(at_audience).chain(by_issuers) {
        let key = format!("client \"{}\": policy: {}", client.id, fault.key());
        findings.fault(stated.place_of(fault.key()), key, fault);
    }
}

/// A policy that stays although the catalog does not state it still lays its claims over the client's.
fn check_kept(
    client: &Client,
    stated: &CatalogClient,
    policies: &[Policy],
    findings: &mut Findings,
) {
    let is_stated = |kept: &Policy| {
        let mut stated = stated.policies.iter();
        stated.any(|it| it.audience == kept.audience)
    };
    for kept in policies.iter().filter(|kept| !is_stated(kept)) {
        if let Some(fault) = kept.claims_fault(client) {
            let key = format!(
                "client \"{}\": the stored policy, which this catalog does not state: claims",
                client.id
            );
            findings.fault(&stated.place, key, fault);
        }
    }
}

/// A catalog that takes a scope from an audience must not leave a stored policy that still grants it.
fn check_stored_policies(catalog: &Catalog, stored: &Stored, findings: &mut Findings) {
    let stated: BTreeMap<&ClientId, &CatalogClient> = catalog
        .clients
        .iter()
        .map(|it| (&it.client.id, it))
        .collect();
    let is_stated = |client: &ClientId, audience: &AudienceId| {
        let policies = stated.get(client).map(|it| &it.policies);
        policies.is_some_and(|it| it.iter().any(|it| &it.audience == audience))
    };
    let audiences: BTreeMap<&AudienceId, _> =
        catalog.audiences.iter().map(|it| (&it.id, it)).collect();
    for known in stored.living() {
        let id = &known.client.id;
        for policy in &known.policies {
            let Some(audience) = audiences.get(&policy.audience) else {
                continue;
            };
            if is_stated(id, &policy.audience) {
                continue;
            }
            for fault in policy.faults_at(audience) {
                let key = format!("the stored policy of {id}: {}", fault.key());
                findings.fault(audience.place_of("scopes"), key, fault);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-C09: disabling kills, enabling and making anew revive nothing, and the mark never goes back.
    #[test]
    fn the_mark_moves_when_the_status_does() {
        use ClientStatus::{Active, Deleted, Disabled};
        let now = Timestamp::from_unix(100);
        let client: Client = serde_json::from_str(r#"{"id":"a"}"#).unwrap();
        let at = |old: Option<(ClientStatus, i64)>, new| {
            let old = old.map(|(status, at)| Client {
                status,
                tokens_not_before: Timestamp::from_unix(at),
                ..client.clone()
            });
            mark(old.as_ref(), new, now).unix()
        };
        assert_eq!(at(None, Active), 0);
        assert_eq!(at(Some((Active, 5)), Active), 5);
        assert_eq!(at(Some((Active, 5)), Disabled), 101);
        assert_eq!(at(Some((Disabled, 101)), Active), 101);
        assert_eq!(at(Some((Disabled, 50)), Active), 100);
        assert_eq!(at(Some((Deleted, 101)), Active), 101);
        assert_eq!(at(Some((Active, 200)), Disabled), 200);
    }
}
