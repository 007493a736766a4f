//! The audit log: events are queued off the hot path and written in batches; nothing a stranger sends can
//! grow the queue or the table without bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::{mpsc, watch};

use crate::clock::Clock;
use crate::crypto::random;
use crate::domain::client::{AuthMethod, GrantType};
use crate::domain::decision::{Decided, Outcome};
use crate::domain::identifier::CredentialId;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;
use crate::store::audit_events::AuditEvent;

/// Events that wait to be written at most.
const QUEUE: usize = 4096;
/// Events that are written at most in one second; the rest is counted in one event.
const PER_SECOND: usize = 100;

/// Where events are handed in; clones share it.
#[derive(Clone, Debug)]
pub struct Audit {
    queue: mpsc::Sender<AuditEvent>,
    suppressed: Arc<AtomicU64>,
}

/// The other end, for the task that writes.
#[derive(Debug)]
pub struct AuditQueue {
    events: mpsc::Receiver<AuditEvent>,
    suppressed: Arc<AtomicU64>,
}

impl Audit {
    /// Both ends of a queue.
    #[must_use]
    pub fn new() -> (Self, AuditQueue) {
        let (queue, events) = mpsc::channel(QUEUE);
        let suppressed = Arc::new(AtomicU64::new(0));
        (
            Self {
                queue,
                suppressed: Arc::clone(&suppressed),
            },
            AuditQueue { events, suppressed },
        )
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
        if self.queue.try_send(event).is_err() {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn text_of<T: ToString>(value: &T) -> String {
    value.to_string()
}

impl AuditQueue {
    /// Writes what waits; at most `PER_SECOND` events, the rest as one event that counts them.
    pub async fn write_waiting(&mut self, store: &Store, now: Timestamp) {
        let mut events = Vec::new();
        let mut rest = self.suppressed.swap(0, Ordering::Relaxed);
        while let Ok(event) = self.events.try_recv() {
            if events.len() < PER_SECOND {
                events.push(event);
            } else {
                rest += 1;
            }
        }
        if rest > 0 {
            events.push(AuditEvent {
                id: random::token_id(),
                at: now,
                actor: String::new(),
                action: "events_suppressed",
                target: String::new(),
                details: json!({ "count": rest }),
            });
        }
        if !events.is_empty()
            && let Err(error) = store.write_audit_events(&events).await
        {
            tracing::warn!(%error, lost = events.len(), "audit events were not written");
        }
    }

    /// Writes once a second, and a last time when it is stopped.
    pub async fn run(
        mut self,
        store: Arc<Store>,
        clock: Clock,
        mut stopped: watch::Receiver<bool>,
    ) {
        loop {
            let second = tokio::time::sleep(Duration::from_secs(1));
            let ends = tokio::select! {
                () = second => false,
                _ = stopped.wait_for(|stop| *stop) => true,
            };
            self.write_waiting(&store, clock.now()).await;
            if ends {
                return;
            }
        }
    }
}
