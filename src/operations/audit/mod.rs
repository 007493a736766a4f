//! The audit log: events are queued off the hot path and written in batches; nothing a stranger sends can
//! grow the queue or the table without bound, or hide what known clients do.

mod admission;
mod event;
mod raised;

pub(super) use event::details;
pub use raised::Raised;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::batcher::{Batcher, Waiting};
use crate::domain::decision::Decided;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;
use crate::store::audit_events::AuditEvent;
use crate::telemetry::metrics::Counter;
use admission::{Admission, Rank};
use event::{of_decided, of_suppressed};
use raised::Told;

/// Events that wait at most, while the database takes none.
const CAPACITY: usize = 1000;
const SECOND: Duration = Duration::from_secs(1);

/// Where events are handed in.
#[derive(Debug)]
pub struct Audit {
    store: Arc<Store>,
    batcher: Batcher<Events>,
    told: Told,
    /// Events that were not kept one by one.
    pub(super) suppressed: Counter,
}

/// What waits to be written.
#[derive(Debug, Default)]
struct Events {
    admission: Admission,
    kept: Vec<(Box<Decided>, Timestamp)>,
    /// By their ids; how often each was raised since the last batch.
    alerts: HashMap<String, (AuditEvent, u32)>,
    /// How many of each second were left out.
    suppressed: BTreeMap<Timestamp, u64>,
}

impl Waiting for Events {
    fn len(&self) -> usize {
        self.kept.len() + self.alerts.len() + self.suppressed.len()
    }

    fn take(&mut self, _: usize) -> Self {
        std::mem::take(self)
    }
}

impl Audit {
    /// Nothing happened yet.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            batcher: Batcher::new(CAPACITY, CAPACITY),
            told: Told::default(),
            suppressed: Counter::default(),
        }
    }

    /// A request that was refused or abandoned, or whose token is inactive; `known` is the client that it named, where there is such a client.
    pub fn decided(&self, decided: &Decided, known: Option<&str>, now: Timestamp) {
        let is_proven = decided.decision.credential.is_some();
        let rank = known.map_or(Rank::Any, |client| Rank::Of(client, is_proven));
        self.batcher.put(|events, has_room| {
            if has_room && events.admission.admits(rank) {
                events.kept.push((Box::new(decided.clone()), now));
            } else {
                events.suppress(now);
                self.suppressed.increment();
            }
        });
    }

    /// Something that a person should look at: an event and a line for each object in an hour, with a count.
    pub fn raise(&self, raised: &Raised, now: Timestamp) {
        if let Some(count) = self.told.count(raised, now) {
            raised.log(count);
        }
        let id = raised.id(now);
        self.batcher.put(|events, has_room| {
            if let Some((_, count)) = events.alerts.get_mut(&id) {
                *count = count.saturating_add(1);
            } else if has_room && events.admission.admits(Rank::Alert) {
                let event = raised.event(id.clone(), now);
                events.alerts.insert(id, (event, 1));
            } else {
                events.suppress(now);
                self.suppressed.increment();
            }
        });
    }

    /// A lasting state that each replica sees again and again: as [`Self::raise`], but once an hour from each replica.
    /// Returns whether it was raised.
    pub(super) fn remind(&self, raised: &Raised, now: Timestamp) -> bool {
        let is_due = !self.told.knows(raised, now);
        if is_due {
            self.raise(raised, now);
        }
        is_due
    }

    /// Writes them, until the process ends.
    pub(super) async fn keep_writing(self: Arc<Self>) {
        self.batcher
            .keep_writing(SECOND, |events| self.write(events))
            .await;
    }

    /// Writes those that wait now.
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
        let kept = events.kept.iter().map(|(it, at)| of_decided(it, *at));
        let suppressed = events.suppressed.iter();
        let suppressed = suppressed.map(|(at, count)| of_suppressed(*count, *at));
        let refusals: Vec<AuditEvent> = kept.chain(suppressed).collect();
        let alerts: Vec<_> = events.alerts.into_values().collect();
        if let Err(error) = self.store.write_audit_events(&refusals, &alerts).await {
            let number = refusals.len() + alerts.len();
            tracing::warn!("could not write {number} audit events: {error}");
        }
    }
}

impl Events {
    fn suppress(&mut self, now: Timestamp) {
        *self.suppressed.entry(now).or_default() += 1;
    }
}
