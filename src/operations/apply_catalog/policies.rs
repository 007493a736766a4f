//! The policies of a catalog's client, and whether all policies still fit their audiences.

use std::collections::BTreeSet;

use super::plan::{Action, Subject, differing};
use super::{Application, ApplyError};
use crate::config::catalog::{Catalog, CatalogClient, CatalogPolicy};
use crate::config::fault::Place;
use crate::domain::audience::Audience;
use crate::domain::extra_claims::{self, merged};
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::policy::Policy;
use crate::domain::scope::Scope;
use crate::domain::shown;

impl Application<'_> {
    pub(super) async fn put_policies(
        &mut self,
        stated: &CatalogClient,
        existing: &[Policy],
    ) -> Result<(), ApplyError> {
        for policy in &stated.policies {
            self.put_policy(&stated.id, policy, existing).await?;
        }
        let kept: BTreeSet<&AudienceId> = stated
            .policies
            .iter()
            .map(|it| &it.policy.audience)
            .collect();
        for other in existing.iter().filter(|it| !kept.contains(&it.audience)) {
            self.drop_policy(&stated.id, other).await?;
            self.check_claims(stated, other)?;
        }
        Ok(())
    }

    /// A policy that stays although the catalog does not state it still lays its claims over the client's.
    fn check_claims(&self, stated: &CatalogClient, kept: &Policy) -> Result<(), ApplyError> {
        if self.options.prune || extra_claims::fit(&merged(&stated.claims, &kept.claims)) {
            return Ok(());
        }
        let message = format!(
            "the claims of {} and of its stored policy for {} take more than {} bytes of JSON together: state that \
             policy with fewer claims, or remove it with --prune",
            stated.id,
            kept.audience,
            extra_claims::MAX_BYTES
        );
        Err(ApplyError::Misfit {
            place: stated.place.clone(),
            message,
        })
    }

    async fn put_policy(
        &mut self,
        client: &ClientId,
        stated: &CatalogPolicy,
        existing: &[Policy],
    ) -> Result<(), ApplyError> {
        let new = &stated.policy;
        let audience = self
            .audiences
            .get(&new.audience)
            .ok_or_else(|| ApplyError::Misfit {
                place: stated.place.clone(),
                message: format!(
                    "there is no audience {}",
                    shown::unknown_url(new.audience.as_str())
                ),
            })?;
        check_fit(client, new, audience, &stated.place)?;
        let name = format!("{client} {}", new.audience);
        let old = existing.iter().find(|old| old.audience == new.audience);
        match old {
            None => self.plan.note(Action::Created, Subject::Policy, name),
            Some(old) => {
                let members = differing!(*old, *new; scopes, default_scopes, token_lifetime,
                    claims, networks, methods, enabled);
                self.plan.note_compared(Subject::Policy, name, members);
            }
        }
        if old != Some(new) {
            self.change.put_policy(client, new).await?;
        }
        Ok(())
    }

    async fn drop_policy(&mut self, client: &ClientId, policy: &Policy) -> Result<(), ApplyError> {
        // An audience that was pruned took its policies along.
        let gone = !self.audiences.contains_key(&policy.audience);
        let action = if gone || self.options.prune {
            Action::Removed
        } else {
            Action::Kept
        };
        self.plan.note(
            action,
            Subject::Policy,
            format!("{client} {}", policy.audience),
        );
        if self.options.prune && !gone {
            self.change.delete_policy(client, &policy.audience).await?;
        }
        Ok(())
    }

    /// A catalog that takes a scope from an audience must not leave a stored policy that still grants it.
    pub(super) fn check_stored_policies(&self, catalog: &Catalog) -> Result<(), ApplyError> {
        let stated = |client: &ClientId, audience: &AudienceId| {
            catalog.clients.iter().any(|it| {
                &it.id == client
                    && (self.options.prune
                        || it.policies.iter().any(|it| &it.policy.audience == audience))
            })
        };
        for stored in self.clients.values() {
            for policy in &stored.policies {
                let client = &stored.client.id;
                let audience = catalog
                    .audiences
                    .iter()
                    .find(|it| it.audience.id == policy.audience);
                if let Some(audience) = audience
                    && !stated(client, &policy.audience)
                {
                    check_fit(client, policy, &audience.audience, &audience.place)?;
                }
            }
        }
        Ok(())
    }
}

/// A policy names scopes of its audience only, and gives no longer life than the audience allows.
fn check_fit(
    client: &ClientId,
    policy: &Policy,
    audience: &Audience,
    place: &Place,
) -> Result<(), ApplyError> {
    let misfit = |message: String| {
        Err(ApplyError::Misfit {
            place: place.clone(),
            message,
        })
    };
    if let Some(scope) = policy
        .scopes
        .iter()
        .find(|scope| !audience.scopes.contains_key(scope))
    {
        return misfit(format!(
            "the policy of {client} grants {}, which audience {} does not have: add it there, or take it from the policy",
            shown::unknown(scope.as_str(), audience.scopes.keys().map(Scope::as_str)),
            audience.id
        ));
    }
    if policy
        .token_lifetime
        .is_some_and(|lifetime| lifetime > audience.max_token_lifetime)
    {
        return misfit(format!(
            "the policy of {client} gives tokens a longer life than audience {} allows ({})",
            audience.id, audience.max_token_lifetime
        ));
    }
    Ok(())
}
