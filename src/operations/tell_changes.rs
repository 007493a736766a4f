//! Writes a log line for each administrative change that the feed brings: a command is a process of its own, whose log
//! nobody keeps.

use std::sync::Arc;
use std::time::Duration;

use super::batcher::Batcher;
use crate::store::Store;
use crate::store::audit_events::StoredEvent;
use crate::store::change::MORE_EVENTS;

/// The most changes that wait for their lines; further ones get none.
const CAPACITY: usize = 10_000;
/// Events that one statement reads.
const BATCH: usize = 500;

/// Where ids of audit events are handed in.
#[derive(Debug)]
pub struct ChangeLines {
    store: Arc<Store>,
    batcher: Batcher<Vec<String>>,
}

impl ChangeLines {
    /// Nothing has changed yet.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            batcher: Batcher::new(CAPACITY, BATCH),
        }
    }

    /// Takes the key of a change of the feed.
    pub(super) fn put(&self, key: String) {
        self.batcher.put(|keys, has_room| {
            if has_room {
                keys.push(key);
            }
        });
    }

    /// Writes lines, until the process ends.
    pub(super) async fn keep_telling(self: Arc<Self>) {
        let tell = |keys| self.tell(keys);
        self.batcher.keep_writing(Duration::ZERO, tell).await;
    }

    /// Writes the lines that wait now.
    pub(super) async fn tell_waiting(&self) {
        self.batcher.write_waiting(|keys| self.tell(keys)).await;
    }

    async fn tell(&self, keys: Vec<String>) {
        let (more, ids): (Vec<_>, Vec<_>) = keys
            .into_iter()
            .partition(|key| key.starts_with(MORE_EVENTS));
        match self.store.events_of_ids(&ids).await {
            Ok(events) => events.iter().for_each(line),
            Err(error) => {
                let number = ids.len();
                tracing::warn!(
                    "could not read {number} administrative changes for the log: {error}"
                );
            }
        }
        for number in more.iter().filter_map(|it| it.strip_prefix(MORE_EVENTS)) {
            tracing::info!("{number} more changes at once: grantd audit shows them");
        }
    }
}

fn line(event: &StoredEvent) {
    let detail = |name: &str| event.details.get(name).and_then(|it| it.as_str());
    tracing::info!(
        event = event.id,
        at = %event.at,
        actor = event.actor,
        action = event.action,
        target = event.target,
        credential = detail("credential"),
        audience = detail("audience"),
        reason = detail("reason"),
        "changed"
    );
}
