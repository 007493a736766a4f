//! The clients of a catalog.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Action, Subject, differing};
use super::{Application, ApplyError};
use crate::config::catalog::{Catalog, CatalogClient, CatalogMaterial};
use crate::crypto::client_key::ClientKey;
use crate::domain::client::{Client, ClientStatus};
use crate::domain::identifier::ClientId;
use crate::domain::known_client::KnownClient;
use crate::domain::timestamp::Timestamp;
use crate::operations::manage_credentials::LATE_ISSUE;

impl Application<'_> {
    pub(super) async fn put_clients(&mut self, catalog: &Catalog) -> Result<(), ApplyError> {
        for stated in &catalog.clients {
            self.put_client(stated).await?;
        }
        let stated: BTreeSet<&ClientId> = catalog.clients.iter().map(|it| &it.id).collect();
        let others: Vec<ClientId> = self
            .clients
            .keys()
            .filter(|id| !stated.contains(id))
            .cloned()
            .collect();
        for id in others {
            self.drop_client(&id).await?;
        }
        self.warn_of_shared_keys(catalog);
        Ok(())
    }

    /// Whoever holds a key that two clients registered is both of them.
    fn warn_of_shared_keys(&mut self, catalog: &Catalog) {
        let mut owners: BTreeMap<String, &ClientId> = BTreeMap::new();
        for client in &catalog.clients {
            for credential in &client.credentials {
                let CatalogMaterial::Jwk(jwk) = &credential.material else {
                    continue;
                };
                let Ok(key) = ClientKey::parse(jwk) else {
                    continue;
                };
                let owner = *owners
                    .entry(key.thumbprint().to_owned())
                    .or_insert(&client.id);
                if *owner != client.id {
                    self.plan.warnings.push(format!(
                        "{}: {} registers a key of {owner}: who holds it can be either of them",
                        credential.place, client.id
                    ));
                }
            }
        }
    }

    async fn put_client(&mut self, stated: &CatalogClient) -> Result<(), ApplyError> {
        let stored = self.change.client(&stated.id).await?;
        let alive = stored
            .as_ref()
            .filter(|it| it.client.status != ClientStatus::Deleted);
        let old = alive.map(|it| it.client.clone());
        let mut new = desired(stated, stored.as_ref(), self.change.now());
        let changed = match &old {
            None => true,
            Some(old) => !members(old, &new).is_empty(),
        };
        if changed {
            self.change.put_client(&new).await?;
        }
        match &old {
            None => self
                .plan
                .note(Action::Created, Subject::Client, stated.id.to_string()),
            Some(old) => {
                let members = members(old, &new);
                self.plan
                    .note_compared(Subject::Client, stated.id.to_string(), members);
            }
        }
        let existing = alive.map_or(&[][..], |it| &it.credentials);
        if self.put_credentials(stated, existing).await? {
            new.rotated_at = Some(self.change.now());
            self.change.put_client(&new).await?;
        }
        self.put_policies(stated, alive.map_or(&[][..], |it| &it.policies))
            .await
    }

    async fn drop_client(&mut self, id: &ClientId) -> Result<(), ApplyError> {
        let action = if self.options.prune {
            Action::Removed
        } else {
            Action::Kept
        };
        self.plan.note(action, Subject::Client, id.to_string());
        if self.options.prune {
            let now = self.change.now();
            self.change
                .delete_client(id, (now, now.plus(LATE_ISSUE)))
                .await?;
            self.clients.remove(id);
        }
        Ok(())
    }
}

/// The client as the catalog states it, with what only the database knows.
fn desired(stated: &CatalogClient, stored: Option<&KnownClient>, now: Timestamp) -> Client {
    let stored = stored.map(|it| &it.client);
    let old_status = stored.map(|old| old.status);
    let kept = old_status.filter(|status| *status != ClientStatus::Deleted);
    let status = stated.status.or(kept).unwrap_or(ClientStatus::Active);
    Client {
        id: stated.id.clone(),
        name: stated.name.clone(),
        owner: stated.owner.clone(),
        environment: stated.environment.clone(),
        tenant: stated.tenant.clone(),
        status,
        grants: stated.grants.clone(),
        auth_methods: stated.auth_methods.clone(),
        assertion_audience: stated.assertion_audience,
        max_assertion_lifetime: stated.max_assertion_lifetime,
        dpop_bound_access_tokens: stated.dpop_bound_access_tokens,
        certificate_bound_access_tokens: stated.certificate_bound_access_tokens,
        claims: stated.claims.clone(),
        tokens_not_before: mark(stored, status, now),
        created_at: stored
            .filter(|_| kept.is_some())
            .map_or(now, |old| old.created_at),
        rotated_at: stored
            .filter(|_| kept.is_some())
            .and_then(|old| old.rotated_at),
    }
}

/// Disabling kills what was issued, and what is issued until every replica has heard of it; enabling revives none.
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

fn members(old: &Client, new: &Client) -> Vec<&'static str> {
    differing!(*old, *new; name, owner, environment, tenant, status, grants, auth_methods,
        assertion_audience, max_assertion_lifetime, dpop_bound_access_tokens,
        certificate_bound_access_tokens, claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::client::AssertionAudience;

    fn client(status: ClientStatus, mark: i64) -> Client {
        Client {
            id: ClientId::parse("a").unwrap(),
            name: None,
            owner: None,
            environment: None,
            tenant: None,
            status,
            grants: Vec::new(),
            auth_methods: Vec::new(),
            assertion_audience: AssertionAudience::Issuer,
            max_assertion_lifetime: None,
            dpop_bound_access_tokens: false,
            certificate_bound_access_tokens: false,
            claims: serde_json::Map::new(),
            tokens_not_before: Timestamp::from_unix(mark),
            created_at: Timestamp::EPOCH,
            rotated_at: None,
        }
    }

    /// B-C09: disabling kills, enabling and making anew revive nothing, and the mark never goes back.
    #[test]
    fn the_mark_moves_when_the_status_does() {
        use ClientStatus::{Active, Deleted, Disabled};
        let now = Timestamp::from_unix(100);
        let at = |old: Option<(ClientStatus, i64)>, new| {
            let old = old.map(|(status, at)| client(status, at));
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
