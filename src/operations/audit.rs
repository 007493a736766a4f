//! The audit log: events are queued off the hot path and written in batches; nothing a stranger sends can
//! grow the queue or the table without bound.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::batcher::{Batcher, Waiting};
use crate::clock::Clock;
use crate::crypto::random;
use crate::domain::client::{AuthMethod, GrantType};
use crate::domain::decision::{Decided, Outcome};
use crate::domain::identifier::CredentialId;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;
use crate::store::audit_events::AuditEvent;

/// Events that are written at most in one second; the rest is counted in one event.
const PER_SECOND: usize = 100;
const SECOND: Duration = Duration::from_secs(1);

/// Where events are handed in.
#[derive(Debug)]
pub struct Audit {
    store: Arc<Store>,
    clock: Clock,
    batcher: Batcher<Events>,
}

/// The events of one second.
#[derive(Debug, Default)]
struct Events {
    kept: Vec<AuditEvent>,
    suppressed: u64,
}

impl Waiting for Events {
    fn len(&self) -> usize {
        self.kept.len()
    }

    fn take(&mut self, _: usize) -> Self {
        std::mem::take(self)
    }
}

impl Audit {
    /// Nothing happened yet.
    #[must_use]
    pub fn new(store: Arc<Store>, clock: Clock) -> Self {
        Self {
            store,
            clock,
            batcher: Batcher::new(PER_SECOND, PER_SECOND),
        }
    }

    /// A request that was refused; of others nothing is kept.
    pub fn refused(&self, decided: &Decided, now: Timestamp) {
        let (decision, outcome) = (&decided.decision, &decided.outcome);
        let Outcome::Refused(refusal) = outcome else {
            return;
        };
        let told = refusal.explain();
        let finding = told.finding;
        self.send(AuditEvent {
            id: random::token_id(),
            at: now,
            actor: decision.client.as_ref().map(text_of).unwrap_or_default(),
            action: "refused",
            target: decision.endpoint.to_owned(),
            details: json!({
                "request_id": text_of(&decision.request_id),
                "source": text_of(&decision.source),
                "proxy": decision.proxy.as_ref().map(text_of),
                "grant": decision.grant.map(GrantType::as_str),
                "method": decision.method.map(AuthMethod::as_str),
                "credential": decision.credential.as_ref().map(text_of),
                "audience": decision.audience.as_ref().map(text_of),
                "scopes_asked": decision.scopes_asked.as_ref().map(text_of),
                "error": told.error.as_str(),
                "check": finding.check.name(),
                "expected": finding.check.expected(),
                "found": finding.found,
                "remedy": finding.remedy,
            }),
        });
    }

    /// Somebody still uses a secret that was retired.
    pub fn alert_retired_credential(&self, credential: &CredentialId, now: Timestamp) {
        tracing::warn!(%credential, "a retired credential was used: somebody still has it");
        self.send(AuditEvent {
            id: random::token_id(),
            at: now,
            actor: String::new(),
            action: "retired_credential_used",
            target: credential.to_string(),
            details: json!({}),
        });
    }

    fn send(&self, event: AuditEvent) {
        self.batcher.put(|events, has_room| {
            if has_room {
                events.kept.push(event);
            } else {
                events.suppressed += 1;
            }
        });
    }

    /// Writes them for ever.
    pub(super) async fn keep_writing(self: Arc<Self>) {
        self.batcher
            .keep_writing(SECOND, |events| self.write(events))
            .await;
    }

    /// Writes those of now.
    pub(super) async fn write_waiting(&self) {
        self.batcher
            .write_waiting(|events| self.write(events))
            .await;
    }

    /// How many are not written.
    pub(super) fn unwritten(&self) -> usize {
        self.batcher.unwritten()
    }

    async fn write(&self, events: Events) {
        let Events {
            mut kept,
            suppressed,
        } = events;
        if suppressed > 0 {
            kept.push(AuditEvent {
                id: random::token_id(),
                at: self.clock.now(),
                actor: String::new(),
                action: "events_suppressed",
                target: String::new(),
                details: json!({ "count": suppressed }),
            });
        }
        if let Err(error) = self.store.write_audit_events(&kept).await {
            tracing::warn!("{} audit events were not written: {error}", kept.len());
        }
    }
}

fn text_of<T: ToString>(value: &T) -> String {
    value.to_string()
}
