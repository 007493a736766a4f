//! The audit log: events are queued off the hot path and written in batches; nothing a stranger sends can
//! grow the queue or the table without bound.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::batcher::{Batcher, Waiting};
use crate::clock::Clock;
use crate::crypto::random;
use crate::domain::client::{AuthMethod, GrantType};
use crate::domain::decision::{Checks, Decided, Outcome};
use crate::domain::identifier::CredentialId;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;
use crate::store::audit_events::AuditEvent;
use crate::telemetry::metrics::Counter;

/// Events that are written at most in one second; the rest is counted in one event.
const PER_SECOND: usize = 100;
const SECOND: Duration = Duration::from_secs(1);

/// Where events are handed in.
#[derive(Debug)]
pub struct Audit {
    store: Arc<Store>,
    clock: Clock,
    batcher: Batcher<Events>,
    /// Events that were not kept one by one.
    pub(super) suppressed: Counter,
}

/// The events of one second.
#[derive(Debug, Default)]
struct Events {
    kept: Vec<Event>,
    suppressed: u64,
}

/// What becomes an event when it is written: no request waits for that.
#[derive(Debug)]
enum Event {
    Decided(Box<Decided>, Timestamp),
    RetiredCredentialUsed(CredentialId, Timestamp),
    Suppressed(u64, Timestamp),
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
            suppressed: Counter::default(),
        }
    }

    /// A request that was refused or abandoned.
    pub fn decided(&self, decided: &Decided, now: Timestamp) {
        self.keep(|| Event::Decided(Box::new(decided.clone()), now));
    }

    /// Somebody still uses a secret that was retired.
    pub fn alert_retired_credential(&self, credential: &CredentialId, now: Timestamp) {
        tracing::warn!(%credential, "a retired credential was used: somebody still has it");
        self.keep(|| Event::RetiredCredentialUsed(credential.clone(), now));
    }

    fn keep(&self, event: impl FnOnce() -> Event) {
        self.batcher.put(|events, has_room| {
            if has_room {
                events.kept.push(event());
            } else {
                events.suppressed += 1;
                self.suppressed.increment();
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
            kept.push(Event::Suppressed(suppressed, self.clock.now()));
        }
        let events: Vec<AuditEvent> = kept.iter().map(Event::written).collect();
        if let Err(error) = self.store.write_audit_events(&events).await {
            tracing::warn!("{} audit events were not written: {error}", events.len());
        }
    }
}

impl Event {
    fn written(&self) -> AuditEvent {
        let (at, actor, action, target, details) = match self {
            Self::Decided(decided, at) => return of_decided(decided, *at),
            Self::RetiredCredentialUsed(credential, at) => (
                at,
                "",
                "retired_credential_used",
                credential.as_str(),
                json!({}),
            ),
            Self::Suppressed(count, at) => {
                (at, "", "events_suppressed", "", json!({ "count": count }))
            }
        };
        AuditEvent {
            id: random::token_id(),
            at: *at,
            actor: actor.to_owned(),
            action: action.into(),
            target: target.to_owned(),
            details,
        }
    }
}

/// All that is known of the request, each of its checks among it.
fn of_decided(decided: &Decided, at: Timestamp) -> AuditEvent {
    let (decision, outcome) = (&decided.decision, &decided.outcome);
    let finding = outcome.finding();
    let client = decision.client.as_ref();
    AuditEvent {
        id: random::token_id(),
        at,
        actor: client.map(ToString::to_string).unwrap_or_default(),
        action: match outcome {
            Outcome::Abandoned => "abandoned".into(),
            _ => "refused".into(),
        },
        target: decision.endpoint.to_owned(),
        details: json!({
            "request_id": decision.request_id.to_string(),
            "source": decision.source.to_string(),
            "proxy": decision.proxy.map(|it| it.to_string()),
            "grant": decision.grant.map(GrantType::as_str),
            "method": decision.method.map(AuthMethod::as_str),
            "credential": decision.credential.as_ref().map(ToString::to_string),
            "audience": decision.audience.as_ref().map(ToString::to_string),
            "scopes_asked": decision.scopes_asked.as_ref().map(ToString::to_string),
            "jti": decision.jti,
            "pending": decision.pending,
            "outcome": outcome.as_str(),
            "remedy": finding.as_ref().and_then(|it| it.remedy.as_deref()),
            "checks": Checks::of(decided),
        }),
    }
}
