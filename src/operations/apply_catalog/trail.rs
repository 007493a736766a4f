//! What the audit log keeps of an `apply`: an event for each thing that it changed, and one that counts them. They are made
//! one after the other while they are written: an `apply` may change very many things.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::difference::{Write, differing};
use super::plan::{Action, Plan, Subject};
use super::stored::Stored;
use crate::domain::credential::Credential;
use crate::domain::identifier::{AudienceId, ClientId, CredentialId};
use crate::domain::policy::Policy;
use crate::operations::actor::Signed;
use crate::store::audit_events::AuditEvent;

/// What all events of one `apply` share.
pub(super) struct Trail<'a> {
    /// The id of the event that counts, and the beginning of all others.
    pub(super) id: String,
    pub(super) deed: Deed<'a>,
    pub(super) signed: Signed<'a>,
    pub(super) stored: &'a Stored,
}

/// What was asked for, as the events tell it.
#[derive(Clone, Copy)]
pub(super) enum Deed<'a> {
    /// Many things at once: an event of this name counts them.
    Many(&'static str),
    /// This, done to that: so the event of the thing that changed is called. Where none or several have an event, one
    /// more tells of it.
    One(&'static str, &'a str),
    /// Nothing that the events of the things do not say.
    Untold,
}

/// One thing that was changed.
struct Touched<'a> {
    subject: Subject,
    /// The audience, the issuer, or the client that it is or belongs to.
    target: &'a str,
    /// Which of the client's things.
    which: Option<(&'static str, &'a str)>,
    /// Before and after; neither where nothing changed that a catalog could state.
    states: (Option<Value>, Option<Value>),
}

impl<'a> Trail<'a> {
    /// The events, in the order of the writes; the one that counts is the first.
    pub(super) fn events(
        &'a self,
        plan: &'a Plan,
        writes: &'a [Write],
    ) -> impl Iterator<Item = AuditEvent> + Send + 'a {
        let keys = plan.steps.iter();
        let keys = keys.filter(|step| step.subject == Subject::SigningKey);
        let keys = keys.map(|step| Touched {
            subject: step.subject,
            target: &step.name,
            which: None,
            states: (None, Some(json!({}))),
        });
        let things = writes.iter().map(|write| self.touched(write));
        let events = things.chain(keys).zip(1_u32..);
        let verb = self.verb(writes);
        let events =
            events.filter_map(move |(touched, number)| self.event(touched, (verb, number)));
        let count = self.count(plan).filter(|_| verb.is_none());
        count.into_iter().chain(events)
    }

    /// What was done to the one thing whose state changed.
    fn verb(&self, writes: &[Write]) -> Option<&'static str> {
        let Deed::One(verb, _) = self.deed else {
            return None;
        };
        let touched = writes.iter().map(|write| self.touched(write));
        let mut changed = touched.filter_map(|it| it.happened());
        (changed.next().is_some() && changed.next().is_none()).then_some(verb)
    }

    fn touched(&self, write: &'a Write) -> Touched<'a> {
        match write {
            Write::Audience(new) => {
                let old = self.stored.audiences.get(&new.id);
                let target = (Subject::Audience, new.id.as_str());
                Touched::of(target, None, states(old, Some(new)))
            }
            Write::NoAudience(id) => {
                let old = self.stored.audiences.get(id);
                Touched::of((Subject::Audience, id.as_str()), None, states(old, None))
            }
            Write::Issuer(new) => {
                let old = self.stored.issuers.get(&new.id);
                let target = (Subject::Issuer, new.id.as_str());
                Touched::of(target, None, states(old, Some(new.as_ref())))
            }
            Write::NoIssuer(id) => {
                let old = self.stored.issuers.get(id);
                Touched::of((Subject::Issuer, id.as_str()), None, states(old, None))
            }
            Write::Client(new) => {
                let old = self.stored.client(&new.id).map(|it| &it.client);
                let target = (Subject::Client, new.id.as_str());
                Touched::of(target, None, states(old, Some(new)))
            }
            Write::NoClient(id) => {
                let old = self.stored.client(id).map(|it| &it.client);
                Touched::of((Subject::Client, id.as_str()), None, states(old, None))
            }
            Write::Credential(client, new) => self.credential(client, &new.id, Some(new)),
            Write::NoCredential(client, id) => self.credential(client, id, None),
            Write::Policy(client, new) => self.policy(client, &new.audience, Some(new)),
            Write::NoPolicy(client, audience) => self.policy(client, audience, None),
            Write::PolicyMark(client, ..) => {
                Touched::of((Subject::Policy, client.as_str()), None, (None, None))
            }
        }
    }

    /// Its material is in no shape.
    fn credential(
        &self,
        client: &'a ClientId,
        id: &'a CredentialId,
        new: Option<&Credential>,
    ) -> Touched<'a> {
        let all = self.stored.client(client).map(|it| &it.credentials);
        let old = all.and_then(|all| all.iter().find(|it| it.id == *id));
        let (old, new) = (old.map(Credential::shape), new.map(Credential::shape));
        let states = states(old.as_ref(), new.as_ref());
        let target = (Subject::Credential, client.as_str());
        Touched::of(target, Some(("credential", id.as_str())), states)
    }

    fn policy(
        &self,
        client: &'a ClientId,
        audience: &'a AudienceId,
        new: Option<&Policy>,
    ) -> Touched<'a> {
        let all = self.stored.client(client).map(|it| &it.policies);
        let old = all.and_then(|all| all.iter().find(|it| it.audience == *audience));
        let target = (Subject::Policy, client.as_str());
        Touched::of(
            target,
            Some(("audience", audience.as_str())),
            states(old, new),
        )
    }

    fn event(
        &self,
        touched: Touched<'_>,
        (verb, number): (Option<&'static str>, u32),
    ) -> Option<AuditEvent> {
        let happened = touched.happened()?;
        let (before, after) = touched.states;
        let action = verb.map_or_else(
            || format!("{}_{happened}", touched.subject.as_str().replace(' ', "_")).into(),
            Cow::Borrowed,
        );
        let which = touched.which.map(|(kind, name)| (kind, name.into()));
        let members = [
            ("apply", self.id.as_str().into()),
            ("before", before.unwrap_or_default()),
            ("after", after.unwrap_or_default()),
        ];
        let members = members.into_iter().chain(which);
        let details: Map<String, Value> = members.map(|(name, it)| (name.to_owned(), it)).collect();
        let id = format!("{}.{number:07}", self.id);
        let what = (action, touched.target);
        Some(self.signed.event(id, what, details.into()))
    }

    fn count(&self, plan: &Plan) -> Option<AuditEvent> {
        let (action, target) = match self.deed {
            Deed::Many(action) => (action, ""),
            Deed::One(verb, target) => (verb, target),
            Deed::Untold => return None,
        };
        let details = json!({
            "created": plan.count(Action::Created),
            "changed": plan.count(Action::Changed),
            "removed": plan.count(Action::Removed),
        });
        let what = (action.into(), target);
        Some(self.signed.event(self.id.clone(), what, details))
    }
}

impl<'a> Touched<'a> {
    const fn of(
        (subject, target): (Subject, &'a str),
        which: Option<(&'static str, &'a str)>,
        states: (Option<Value>, Option<Value>),
    ) -> Self {
        Self {
            subject,
            target,
            which,
            states,
        }
    }

    const fn happened(&self) -> Option<Action> {
        match self.states {
            (None, None) => None,
            (None, Some(_)) => Some(Action::Created),
            (Some(_), None) => Some(Action::Removed),
            (Some(_), Some(_)) => Some(Action::Changed),
        }
    }
}

/// The whole of what came or went; of what changed, the keys that differ.
fn states<T: Serialize + PartialEq>(
    old: Option<&T>,
    new: Option<&T>,
) -> (Option<Value>, Option<Value>) {
    let whole = |it: &T| serde_json::to_value(it).unwrap_or_default();
    let (Some(old), Some(new)) = (old, new) else {
        return (old.map(whole), new.map(whole));
    };
    let changes = differing(old, new);
    if changes.is_empty() {
        return (None, None);
    }
    let (mut before, mut after) = (Map::new(), Map::new());
    for change in changes {
        before.extend(change.old.map(|old| (change.key.clone(), old)));
        after.extend(change.new.map(|new| (change.key, new)));
    }
    (Some(before.into()), Some(after.into()))
}
