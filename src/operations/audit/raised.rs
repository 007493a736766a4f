//! One alert: what it is about, its line and its event.

use std::collections::HashMap;

use parking_lot::Mutex;
use serde_json::{Map, Value};

use crate::crypto::digest::{base64url, length_prefixed, sha256};
use crate::domain::alert::Alert;
use crate::domain::decision::Decided;
use crate::domain::identifier::CredentialId;
use crate::domain::timestamp::Timestamp;
use crate::store::audit_events::AuditEvent;

/// One in an hour, in seconds.
const HOUR: i64 = 3600;
/// Objects that are remembered at most; of more no line is written.
const MOST_OBJECTS: usize = 10_000;

/// An alert about one object.
#[derive(Clone, Debug)]
pub struct Raised {
    alert: Alert,
    /// The client that it is about; empty where it is about none.
    client: String,
    /// Which of the client's or the server's things.
    object: String,
    details: Map<String, Value>,
}

impl Raised {
    /// An alert about the thing `object` of `client`; of the server itself where that is empty.
    #[must_use]
    pub fn new(alert: Alert, client: &str, object: &str) -> Self {
        Self {
            alert,
            client: client.to_owned(),
            object: object.to_owned(),
            details: Map::new(),
        }
    }

    /// The same, with further details.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// The use of a credential of `client` that was retired.
    #[must_use]
    pub fn retired(client: &str, credential: &CredentialId) -> Self {
        Self::new(Alert::RetiredCredentialUsed, client, credential.as_str())
    }

    /// The alerts that a request raises which named `known`, an existing client.
    pub(in crate::operations) fn by(decided: &Decided, known: &str) -> Option<Self> {
        let alert = Alert::of(&decided.outcome)?;
        let decision = &decided.decision;
        let dead = decided.outcome.dead_credential();
        let object = dead.or(decision.credential.as_ref());
        let object = object.map_or("", CredentialId::as_str);
        Some(
            Self::new(alert, known, object)
                .with("request_id", decision.request_id.to_string())
                .with("source", decision.source.to_string()),
        )
    }

    /// What it is, and the client that it is about, where it is about one.
    pub(in crate::operations) fn about(&self) -> (Alert, Option<&str>) {
        let client = Some(self.client.as_str());
        (self.alert, client.filter(|it| !it.is_empty()))
    }

    /// The id of its event: the same on every replica for one hour.
    pub(super) fn id(&self, now: Timestamp) -> String {
        let hour = hour(now).to_be_bytes();
        let parts = [
            self.alert.as_str().as_bytes(),
            self.client.as_bytes(),
            self.object.as_bytes(),
            &hour,
        ];
        base64url(&sha256(&length_prefixed(&parts)))
    }

    /// `count`: how often it was raised since its last line, with this time.
    pub(super) fn log(&self, count: u64) {
        let text = |name: &str| self.details.get(name).and_then(Value::as_str);
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        tracing::warn!(
            alert = self.alert.as_str(),
            client = some(&self.client),
            object = some(&self.object),
            request_id = text("request_id"),
            source = text("source"),
            expires_at = text("expires_at"),
            found = text("found"),
            count,
            "{}",
            self.alert.message()
        );
    }

    pub(super) fn event(&self, id: String, at: Timestamp) -> AuditEvent {
        let mut details = self.details.clone();
        details.insert("object".to_owned(), self.object.as_str().into());
        AuditEvent {
            id,
            at,
            actor: String::new(),
            action: self.alert.as_str().into(),
            target: self.client.clone(),
            details: details.into(),
        }
    }

    fn key(&self) -> (Alert, String, String) {
        (self.alert, self.client.clone(), self.object.clone())
    }
}

fn hour(now: Timestamp) -> i64 {
    now.unix().div_euclid(HOUR)
}

/// What was told, and in which hour.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<HashMap<(Alert, String, String), Count>>);

#[derive(Debug)]
struct Count {
    hour: i64,
    since_line: u64,
}

impl Told {
    /// Counts it. Gives how often it was raised since its last line, where another line is due.
    pub(super) fn count(&self, raised: &Raised, now: Timestamp) -> Option<u64> {
        let (mut told, now) = (self.0.lock(), hour(now));
        if told.len() >= MOST_OBJECTS {
            told.retain(|_, it| it.hour == now);
        }
        let has_room = told.len() < MOST_OBJECTS;
        let Some(count) = told.get_mut(&raised.key()) else {
            if has_room {
                let first = Count {
                    hour: now,
                    since_line: 0,
                };
                told.insert(raised.key(), first);
            }
            return has_room.then_some(1);
        };
        count.since_line += 1;
        if count.hour == now {
            return None;
        }
        count.hour = now;
        Some(std::mem::take(&mut count.since_line))
    }

    /// Whether it was told in this hour.
    pub(super) fn knows(&self, raised: &Raised, now: Timestamp) -> bool {
        let told = self.0.lock();
        let known = told.get(&raised.key());
        known.is_some_and(|it| it.hour == hour(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_line_an_hour_for_each_object_with_the_number_since() {
        let told = Told::default();
        let at = |seconds: i64| Timestamp::from_unix(1_767_225_600 + seconds);
        let one = Raised::new(Alert::AssertionReplayed, "reader", "a");
        let other = Raised::new(Alert::AssertionReplayed, "reader", "b");
        assert_eq!(told.count(&one, at(0)), Some(1));
        assert_eq!(told.count(&one, at(1)), None);
        assert_eq!(told.count(&one, at(3599)), None);
        assert_eq!(told.count(&other, at(3599)), Some(1));
        assert_eq!(told.count(&one, at(3600)), Some(3));
        assert!(told.knows(&one, at(3601)) && !told.knows(&other, at(3601)));
        assert_eq!(one.id(at(0)), one.id(at(3599)));
        assert_ne!(one.id(at(0)), one.id(at(3600)));
        assert_ne!(one.id(at(0)), other.id(at(0)));
    }

    #[test]
    fn memory_of_alerts_is_bounded() {
        let told = Told::default();
        let now = Timestamp::from_unix(1_767_225_600);
        for number in 0..MOST_OBJECTS {
            let raised = Raised::new(Alert::OverBudget, &number.to_string(), "");
            assert_eq!(told.count(&raised, now), Some(1));
        }
        let more = Raised::new(Alert::OverBudget, "more", "");
        assert_eq!(told.count(&more, now), None);
        let later = Timestamp::from_unix(now.unix() + HOUR);
        assert_eq!(told.count(&more, later), Some(1));
        assert_eq!(told.0.lock().len(), 1);
    }
}
