//! What the database holds before a catalog is applied.

use std::collections::BTreeMap;

use crate::domain::audience::Audience;
use crate::domain::client::ClientStatus;
use crate::domain::credential::{Credential, CredentialKind};
use crate::domain::identifier::{AudienceId, ClientId, CredentialId, IssuerId};
use crate::domain::known_client::KnownClient;
use crate::domain::timestamp::Timestamp;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::operations::manage_credentials::LATE_ISSUE;
use crate::store::clients::Contents;

/// What the database holds.
pub(super) struct Stored {
    pub(super) audiences: BTreeMap<AudienceId, Audience>,
    pub(super) issuers: BTreeMap<IssuerId, TrustedIssuer>,
    /// Those that were deleted are among them.
    pub(super) clients: BTreeMap<ClientId, KnownClient>,
    /// The owner of each credential.
    pub(super) owners: BTreeMap<CredentialId, ClientId>,
    /// What was issued up to then is dead for subjects of issuers that are trusted no more.
    pub(super) issuer_marks: BTreeMap<IssuerId, Timestamp>,
    /// When that is, by the database's clock.
    pub(super) now: Timestamp,
}

impl Stored {
    pub(super) fn of(contents: Contents, now: Timestamp) -> Self {
        let Contents {
            audiences,
            issuers,
            clients,
            issuer_marks,
        } = contents;
        let owners = clients.iter().flat_map(|it| {
            let ids = it.credentials.iter().map(|it| it.id.clone());
            ids.map(|id| (id, it.client.id.clone()))
        });
        Self {
            owners: owners.collect(),
            audiences: audiences
                .into_iter()
                .map(|it| (it.id.clone(), it))
                .collect(),
            issuers: issuers.into_iter().map(|it| (it.id.clone(), it)).collect(),
            clients: clients
                .into_iter()
                .map(|it| (it.client.id.clone(), it))
                .collect(),
            issuer_marks,
            now,
        }
    }

    /// What was issued up to and including this second is dead for whom an issuer of this id knew that is trusted no
    /// more, or will not be.
    pub(super) fn mark_of_issuer(&self, id: &IssuerId) -> Timestamp {
        if self.issuers.contains_key(id) {
            return self.now.plus(LATE_ISSUE);
        }
        let mark = self.issuer_marks.get(id).copied();
        mark.unwrap_or(Timestamp::EPOCH)
    }

    /// The client, where it is there and was not deleted.
    pub(super) fn client(&self, id: &ClientId) -> Option<&KnownClient> {
        let known = self.clients.get(id);
        known.filter(|it| it.client.status != ClientStatus::Deleted)
    }

    /// All clients that were not deleted.
    pub(super) fn living(&self) -> impl Iterator<Item = &KnownClient> {
        let all = self.clients.values();
        all.filter(|it| it.client.status != ClientStatus::Deleted)
    }
}

/// Whether a stored credential that the catalog does not state is removed. Secrets that `credential add-secret` made
/// belong to no catalog, unless it lists secrets itself; and a compromised one stays until its tokens have expired.
pub(super) fn leaves(
    credential: &Credential,
    states_secrets: bool,
    (prune, now): (bool, Timestamp),
) -> bool {
    let is_ours = states_secrets || credential.kind() != CredentialKind::Secret;
    prune && is_ours && !credential.kills_tokens(now)
}
