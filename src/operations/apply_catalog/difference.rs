//! The difference between what is stored and what is wanted: the plan, and the writes that carry it out.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use super::plan::{Action, Change, Plan, Step, Subject};
use super::stored::{Stored, leaves};
use super::wanted::Wanted;
use crate::config::catalog::write::members;
use crate::domain::audience::Audience;
use crate::domain::client::Client;
use crate::domain::credential::{Credential, CredentialKind};
use crate::domain::identifier::{AudienceId, ClientId, CredentialId, IssuerId};
use crate::domain::known_client::KnownClient;
use crate::domain::policy::Policy;
use crate::domain::timestamp::Timestamp;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::operations::manage_credentials::LATE_ISSUE;

/// One thing to write.
pub(super) enum Write {
    Audience(Audience),
    Issuer(Box<TrustedIssuer>),
    Client(Client),
    Credential(ClientId, Credential),
    Policy(ClientId, Policy),
    /// With its policies.
    NoAudience(AudienceId),
    NoIssuer(IssuerId),
    /// With its credentials and policies.
    NoClient(ClientId),
    NoCredential(ClientId, CredentialId),
    NoPolicy(ClientId, AudienceId),
    /// Tokens that the client got for the audience up to that second are void.
    PolicyMark(ClientId, AudienceId, Timestamp),
}

/// The steps from `stored` to `wanted`, and their writes in the same order.
pub(super) fn between(stored: &Stored, wanted: &Wanted, prune: bool) -> (Plan, Vec<Write>) {
    let mut difference = Difference {
        stored,
        uncompared: &wanted.findings.uncompared,
        prune,
        plan: Plan::default(),
        writes: Vec::new(),
    };
    difference.audiences(&wanted.audiences);
    difference.issuers(&wanted.issuers);
    for client in &wanted.clients {
        difference.client(client);
    }
    let ids: BTreeSet<&ClientId> = wanted.clients.iter().map(|it| &it.client.id).collect();
    for other in stored.living().filter(|it| !ids.contains(&it.client.id)) {
        let id = &other.client.id;
        let write = Write::NoClient(id.clone());
        difference.left((Subject::Client, id.to_string()), prune.then_some(write));
    }
    (difference.plan, difference.writes)
}

struct Difference<'a> {
    stored: &'a Stored,
    /// The clients of which a secret is absent here.
    uncompared: &'a BTreeSet<ClientId>,
    prune: bool,
    plan: Plan,
    writes: Vec<Write>,
}

impl Difference<'_> {
    fn audiences(&mut self, wanted: &[Audience]) {
        for new in wanted {
            let old = self.stored.audiences.get(&new.id);
            self.compared((Subject::Audience, new.id.to_string()), (old, new));
            if old != Some(new) {
                self.writes.push(Write::Audience(new.clone()));
            }
        }
        let ids: BTreeSet<&AudienceId> = wanted.iter().map(|it| &it.id).collect();
        for other in self.stored.audiences.keys().filter(|it| !ids.contains(it)) {
            let write = Write::NoAudience(other.clone());
            self.left(
                (Subject::Audience, other.to_string()),
                self.prune.then_some(write),
            );
        }
    }

    fn issuers(&mut self, wanted: &[TrustedIssuer]) {
        for new in wanted {
            let old = self.stored.issuers.get(&new.id);
            self.compared((Subject::Issuer, new.id.to_string()), (old, new));
            if old != Some(new) {
                self.writes.push(Write::Issuer(Box::new(new.clone())));
            }
        }
        let ids: BTreeSet<&IssuerId> = wanted.iter().map(|it| &it.id).collect();
        for other in self.stored.issuers.keys().filter(|it| !ids.contains(it)) {
            let write = self.prune.then(|| Write::NoIssuer(other.clone()));
            self.left((Subject::Issuer, other.to_string()), write);
        }
    }

    fn client(&mut self, wanted: &KnownClient) {
        let new = &wanted.client;
        let known = self.stored.client(&new.id);
        let old = known.map(|it| &it.client);
        self.compared((Subject::Client, new.id.to_string()), (old, new));
        let at = self.writes.len();
        self.credentials(known, wanted);
        let is_rotated = self.writes.len() > at;
        if is_rotated || old != Some(new) {
            let rotated_at = is_rotated.then_some(self.stored.now).or(new.rotated_at);
            let client = Client {
                rotated_at,
                ..new.clone()
            };
            self.writes.insert(at, Write::Client(client));
        }
        self.policies(known, wanted);
    }

    fn credentials(&mut self, known: Option<&KnownClient>, wanted: &KnownClient) {
        let id = &wanted.client.id;
        let existing = known.map_or(&[][..], |it| &it.credentials);
        let name = |it: &Credential| name_of_credential(id, it);
        for new in &wanted.credentials {
            let old = existing.iter().find(|old| old.id == new.id);
            let shapes = (old.map(Credential::shape), new.shape());
            self.compared(
                (Subject::Credential, name(new)),
                (shapes.0.as_ref(), &shapes.1),
            );
            if old.is_none() {
                self.tell_identity((None, Some(new)));
            }
            if old != Some(new) {
                self.writes.push(Write::Credential(id.clone(), new.clone()));
            }
        }
        let mut kinds = wanted.credentials.iter().map(Credential::kind);
        let states_secrets = kinds.any(|kind| kind == CredentialKind::Secret);
        let is_wanted = |old: &Credential| wanted.credentials.iter().any(|new| new.id == old.id);
        let is_uncompared = self.uncompared.contains(id);
        for other in existing.iter().filter(|old| !is_wanted(old)) {
            if is_uncompared && other.kind() == CredentialKind::Secret {
                self.plan
                    .note(Action::NotCompared, Subject::Credential, name(other));
                continue;
            }
            let goes = leaves(other, states_secrets, (self.prune, self.stored.now));
            let write = goes.then(|| Write::NoCredential(id.clone(), other.id.clone()));
            let is_removed = write.is_some();
            self.left((Subject::Credential, name(other)), write);
            if is_removed {
                self.tell_identity((Some(other), None));
            }
        }
    }

    /// Tells what the last step makes or removes, where it is an identity: whose tokens count is for everybody to read.
    fn tell_identity(&mut self, (old, new): (Option<&Credential>, Option<&Credential>)) {
        let of = |it: Option<&Credential>| {
            let identity = it.and_then(|it| it.material.identity());
            identity.map(members).unwrap_or_default()
        };
        if let Some(step) = self.plan.steps.last_mut() {
            step.changes.extend(changes(&of(old), &of(new)));
        }
    }

    fn policies(&mut self, known: Option<&KnownClient>, wanted: &KnownClient) {
        let id = &wanted.client.id;
        let existing = known.map_or(&[][..], |it| &it.policies);
        let name = |it: &Policy| name_of_policy(id, &it.audience);
        for new in &wanted.policies {
            let old = existing.iter().find(|old| old.audience == new.audience);
            self.compared((Subject::Policy, name(new)), (old, new));
            if old != Some(new) {
                self.writes.push(Write::Policy(id.clone(), new.clone()));
            }
            if let Some(mark) = policy_mark(known, new, self.stored.now) {
                let audience = new.audience.clone();
                self.writes
                    .push(Write::PolicyMark(id.clone(), audience, mark));
            }
        }
        let is_wanted = |old: &Policy| wanted.policies.iter().any(|it| it.audience == old.audience);
        for other in existing.iter().filter(|old| !is_wanted(old)) {
            let write = Write::NoPolicy(id.clone(), other.audience.clone());
            self.left((Subject::Policy, name(other)), self.prune.then_some(write));
        }
    }

    /// A wanted thing beside the stored one.
    fn compared<T: Serialize + PartialEq>(
        &mut self,
        (subject, name): (Subject, String),
        (old, new): (Option<&T>, &T),
    ) {
        let changes = old.map_or_else(Vec::new, |old| differing(old, new));
        let action = match old {
            None => Action::Created,
            Some(_) if changes.is_empty() => Action::Unchanged,
            Some(_) => Action::Changed,
        };
        self.plan.steps.push(Step {
            action,
            subject,
            name,
            changes,
        });
    }

    /// A stored thing that the catalog does not state: `write` removes it, or it stays.
    fn left(&mut self, (subject, name): (Subject, String), write: Option<Write>) {
        let action = match write {
            Some(_) => Action::Removed,
            None => Action::Kept,
        };
        self.plan.note(action, subject, name);
        self.writes.extend(write);
    }
}

/// The name of a credential in a plan.
pub(super) fn name_of_credential(client: &ClientId, credential: &Credential) -> String {
    format!("{client} {} {}", credential.kind(), credential.id)
}

/// The name of a policy in a plan.
pub(super) fn name_of_policy(client: &ClientId, audience: &AudienceId) -> String {
    format!("{client} {audience}")
}

/// Disabling a policy voids the tokens that were issued under it, as disabling a client does; enabling or recreating it
/// revives none. For a removed policy the store does the same.
fn policy_mark(known: Option<&KnownClient>, new: &Policy, now: Timestamp) -> Option<Timestamp> {
    let known = known?;
    let old = known
        .policies
        .iter()
        .find(|old| old.audience == new.audience);
    match (old.is_some_and(|old| old.enabled), new.enabled) {
        (true, false) => Some(now.plus(LATE_ISSUE)),
        (false, true) if known.policy_marks.contains_key(&new.audience) => Some(now),
        _ => None,
    }
}

/// The keys of the catalog in which two things differ.
pub(super) fn differing<T: Serialize + PartialEq>(old: &T, new: &T) -> Vec<Change> {
    if old == new {
        return Vec::new();
    }
    changes(&members(old), &members(new))
}

fn changes(old: &IndexMap<String, Value>, new: &IndexMap<String, Value>) -> Vec<Change> {
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    let changes = new.keys().chain(gone).map(|key| Change {
        key: key.clone(),
        old: old.get(key).cloned(),
        new: new.get(key).cloned(),
    });
    changes.filter(|it| it.old != it.new).collect()
}
