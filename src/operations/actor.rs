//! Who makes an administrative change, and why: what its audit events say beside the change itself.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::crypto::random;
use crate::domain::timestamp::Timestamp;
use crate::store::audit_events::AuditEvent;
use crate::store::change::{ChangeTx, Session};
use crate::store::error::StoreError;

/// Who makes a change. It is self-declared: what the database knows of the connection stands beside it in the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `command:USER@HOST`, or what `--actor` says.
    pub name: String,
    /// Why, in the operator's words.
    pub reason: Option<String>,
}

/// What all events of one change have in common.
pub(super) struct Signed<'a> {
    actor: &'a Actor,
    session: Option<Session>,
    at: Timestamp,
}

impl Actor {
    /// An actor who gives no reason.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            reason: None,
        }
    }

    /// Begins to write events of `change`.
    ///
    /// # Errors
    /// A database out of reach.
    pub(super) async fn sign(&self, change: &mut ChangeTx) -> Result<Signed<'_>, StoreError> {
        Ok(Signed {
            actor: self,
            session: change.session().await?,
            at: change.now(),
        })
    }

    /// Writes the event of an action on a target in the transaction of `change`; `details` is an object.
    ///
    /// # Errors
    /// A database out of reach.
    pub(super) async fn record(
        &self,
        change: &mut ChangeTx,
        (action, target): (&'static str, &str),
        details: Value,
    ) -> Result<(), StoreError> {
        let signed = self.sign(change).await?;
        let event = signed.event(random::event_id(), (action.into(), target), details);
        change.audit([event]).await
    }
}

impl Signed<'_> {
    /// The event `id` of an action on a target; `details` is an object.
    pub(super) fn event(
        &self,
        id: String,
        (action, target): (Cow<'static, str>, &str),
        details: Value,
    ) -> AuditEvent {
        let mut members = match details {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        let mut tell = |name: &str, value: &str| {
            members.insert(name.to_owned(), json!(value));
        };
        if let Some(reason) = &self.actor.reason {
            tell("reason", reason);
        }
        if let Some(session) = &self.session {
            tell("session_user", &session.user);
            tell("client_address", &session.address);
        }
        AuditEvent {
            id,
            at: self.at,
            actor: self.actor.name.clone(),
            action,
            target: target.to_owned(),
            details: members.into(),
        }
    }
}
