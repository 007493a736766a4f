//! Writes what differs, a kind of thing at a time.

use super::difference::Write;
use crate::domain::audience::Audience;
use crate::domain::client::Client;
use crate::domain::credential::Credential;
use crate::domain::identifier::{AudienceId, ClientId, CredentialId, IssuerId};
use crate::domain::policy::Policy;
use crate::domain::timestamp::Timestamp;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::operations::manage_credentials::LATE_ISSUE;
use crate::store::change::ChangeTx;
use crate::store::error::StoreError;

/// The writes by kind, so that one statement takes many.
#[derive(Default)]
struct ByKind {
    audiences: Vec<Audience>,
    issuers: Vec<TrustedIssuer>,
    clients: Vec<Client>,
    credentials: Vec<(ClientId, Credential)>,
    policies: Vec<(ClientId, Policy)>,
    no_audiences: Vec<AudienceId>,
    no_issuers: Vec<IssuerId>,
    no_clients: Vec<ClientId>,
    no_credentials: Vec<(ClientId, CredentialId)>,
    no_policies: Vec<(ClientId, AudienceId)>,
    policy_marks: Vec<(ClientId, AudienceId, Timestamp)>,
}

/// Removals first: they free ids that other writes may take.
pub(super) async fn write_all(change: &mut ChangeTx, writes: Vec<Write>) -> Result<(), StoreError> {
    let all = ByKind::of(writes);
    let now = change.now();
    let mark = now.plus(LATE_ISSUE);
    change.delete_policies(&all.no_policies, mark).await?;
    change.delete_credentials(&all.no_credentials).await?;
    change.delete_clients(&all.no_clients, (now, mark)).await?;
    for id in &all.no_audiences {
        change.delete_audience(id).await?;
    }
    for id in &all.no_issuers {
        change.delete_issuer(id, mark).await?;
    }
    change.put_issuers(&all.issuers).await?;
    for audience in &all.audiences {
        change.put_audience(audience).await?;
    }
    change.put_clients(&all.clients).await?;
    change.put_credentials(&all.credentials).await?;
    change.put_policies(&all.policies).await?;
    change.mark_policies(&all.policy_marks).await
}

impl ByKind {
    fn of(writes: Vec<Write>) -> Self {
        let mut all = Self::default();
        for write in writes {
            match write {
                Write::Audience(it) => all.audiences.push(it),
                Write::Issuer(it) => all.issuers.push(*it),
                Write::Client(it) => all.clients.push(it),
                Write::Credential(client, it) => all.credentials.push((client, it)),
                Write::Policy(client, it) => all.policies.push((client, it)),
                Write::NoAudience(id) => all.no_audiences.push(id),
                Write::NoIssuer(id) => all.no_issuers.push(id),
                Write::NoClient(id) => all.no_clients.push(id),
                Write::NoCredential(client, id) => all.no_credentials.push((client, id)),
                Write::NoPolicy(client, audience) => all.no_policies.push((client, audience)),
                Write::PolicyMark(client, audience, mark) => {
                    all.policy_marks.push((client, audience, mark));
                }
            }
        }
        all
    }
}
