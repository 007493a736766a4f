//! The audiences of a catalog.

use std::collections::BTreeSet;

use super::plan::{Action, Subject, differing};
use super::{Application, ApplyError};
use crate::config::catalog::Catalog;
use crate::domain::audience::Audience;
use crate::domain::identifier::AudienceId;

impl Application<'_> {
    pub(super) async fn put_audiences(&mut self, catalog: &Catalog) -> Result<(), ApplyError> {
        for stated in &catalog.audiences {
            self.put_audience(&stated.audience).await?;
        }
        let stated: BTreeSet<&AudienceId> =
            catalog.audiences.iter().map(|it| &it.audience.id).collect();
        let others: Vec<AudienceId> = self
            .audiences
            .keys()
            .filter(|id| !stated.contains(id))
            .cloned()
            .collect();
        for id in others {
            self.drop_audience(id).await?;
        }
        Ok(())
    }

    async fn put_audience(&mut self, audience: &Audience) -> Result<(), ApplyError> {
        let name = audience.id.to_string();
        match self.audiences.get(&audience.id) {
            None => self.plan.note(Action::Created, Subject::Audience, name),
            Some(old) => self
                .plan
                .note_compared(Subject::Audience, name, members(old, audience)),
        }
        if self.audiences.get(&audience.id) != Some(audience) {
            self.change.put_audience(audience).await?;
            self.audiences.insert(audience.id.clone(), audience.clone());
        }
        Ok(())
    }

    async fn drop_audience(&mut self, id: AudienceId) -> Result<(), ApplyError> {
        let action = if self.options.prune {
            Action::Removed
        } else {
            Action::Kept
        };
        self.plan.note(action, Subject::Audience, id.to_string());
        if self.options.prune {
            self.change.delete_audience(&id).await?;
            self.audiences.remove(&id);
        }
        Ok(())
    }

    /// A server that is no client can introspect nothing; it may be a typing error, or come later.
    pub(super) fn warn_of_unknown_servers(&mut self, catalog: &Catalog) {
        for stated in &catalog.audiences {
            for server in &stated.audience.served_by {
                let known = self.clients.contains_key(server)
                    || catalog.clients.iter().any(|client| &client.id == server);
                if !known {
                    self.plan.warnings.push(format!(
                        "{}: audience {} is served by {server}, which is no client: nobody can \
                         introspect its tokens under that name",
                        stated.place, stated.audience.id
                    ));
                }
            }
        }
    }
}

fn members(old: &Audience, new: &Audience) -> Vec<&'static str> {
    differing!(*old, *new; scopes, token_lifetime, max_token_lifetime, algorithm, jwt_typ,
        sender_constraint, served_by)
}
