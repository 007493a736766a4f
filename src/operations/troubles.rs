//! What is wrong with a replica, and since when, as `/readyz` shows it (OPERATING section 9).

use std::collections::BTreeMap;

use parking_lot::{Mutex, MutexGuard};

use crate::domain::client::named;
use crate::domain::timestamp::Timestamp;

named! {
    /// What is wrong, as `what` of `/readyz`.
    Trouble {
        /// Signing keys that are not loaded, or cannot be opened.
        Keys = "keys",
        /// The change feed was not read for longer than `max_staleness`, or never.
        Feed = "feed",
        /// The database is out of reach; warm clients are still served until the feed is stale.
        Database = "database",
        /// The database can be read, but not written.
        Writes = "database_writes",
        /// Keys that clients publish by URL cannot be fetched.
        KeySources = "key_sources",
        /// Our clock and the database's are apart.
        Clock = "clock",
        /// The process is about to end.
        Draining = "draining",
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Degraded {
    /// What.
    pub what: Trouble,
    /// Since when it was seen.
    pub since: Timestamp,
    /// A sentence for the operator.
    pub message: String,
    /// Whether it stops the replica from issuing.
    pub blocks: bool,
}

/// What is wrong now.
#[derive(Debug, Default)]
pub struct Troubles(Mutex<BTreeMap<Trouble, Degraded>>);

impl Troubles {
    /// Notes a trouble; a known one keeps its `since`. Returns whether it is new.
    pub fn note(&self, what: Trouble, now: Timestamp, (message, blocks): (String, bool)) -> bool {
        let mut troubles = self.lock();
        let since = troubles.get(&what).map(|known| known.since);
        let degraded = Degraded {
            what,
            since: since.unwrap_or(now),
            message,
            blocks,
        };
        troubles.insert(what, degraded);
        since.is_none()
    }

    /// Clears a trouble; returns whether it was noted.
    pub fn clear(&self, what: Trouble) -> bool {
        self.lock().remove(&what).is_some()
    }

    /// Whether it is there.
    #[must_use]
    pub fn has(&self, what: Trouble) -> bool {
        self.lock().contains_key(&what)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<Degraded> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Trouble, Degraded>> {
        self.0.lock()
    }
}
