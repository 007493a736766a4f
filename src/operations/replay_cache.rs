//! The replay cache: each `jti` is spent once, in the whole cluster and across restarts (RFC 7523 section 3,
//! RFC 9449 section 11.1).
//!
//! The database's unique key is the only arbiter. Memory saves work, never decides for anybody: it refuses what
//! this process spent itself, and what it is spending right now. Concurrent uses are gathered into one statement,
//! and each caller is answered only once its own row is committed.
//!
//! A database may lose a part of its past: in a failover to a standby that lagged, or in a restore. Of what was made
//! before that nobody knows whether it was spent, so it counts no more.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::sync::{mpsc, oneshot};

use super::Grantd;
use super::error::Outage;
use crate::crypto::digest;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::used_assertions::UsedAssertion;

/// Uses that wait to be written at most.
const QUEUE: usize = 4096;
/// How long a caller waits; the `jti` may be spent all the same when it is over.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Uses of one statement at most.
const BATCH: usize = 256;
/// Spent keys that memory holds at most.
const RECENT: u64 = 100_000;

/// What became of a `jti`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// Nobody had used it.
    First,
    /// It was used before.
    Replay,
    /// It was made before a part of the past was lost: whether it was used nobody knows.
    Forgotten,
}

/// One `jti` that is to be spent.
#[derive(Clone, Copy, Debug)]
pub struct Spending<'a> {
    /// What it is of: `assertion` or `dpop`.
    pub kind: &'static str,
    /// Within what it is unique: the client, or key and URL of a proof.
    pub scope: &'a [&'a [u8]],
    /// The `jti`, any text.
    pub jti: &'a str,
    /// When it was made, at the earliest.
    pub made_at: Timestamp,
    /// From when on what it belongs to is refused for its age.
    pub dead_at: Timestamp,
}

/// Where uses are handed in.
#[derive(Debug)]
pub struct ReplayCache {
    queue: mpsc::Sender<Waiting>,
    memory: Arc<Memory>,
    /// When a part of the past was last found lost, in Unix seconds; 0 where none ever was.
    past_lost_at: AtomicI64,
}

/// The other end, for the task that writes.
#[derive(Debug)]
pub struct ReplayQueue {
    waiting: mpsc::Receiver<Waiting>,
    memory: Arc<Memory>,
}

/// A use that waits to be written, and who waits for it.
#[derive(Debug)]
struct Waiting {
    used: UsedAssertion,
    answer: oneshot::Sender<Result<Spent, Arc<StoreError>>>,
}

/// What this process spent, and what it is spending.
#[derive(Debug)]
struct Memory {
    recent: Cache<String, ()>,
    under_way: Mutex<HashSet<String>>,
    /// The last use that this process committed; where the database lost any of its uses, it lost this one.
    last: Mutex<Option<UsedAssertion>>,
}

impl ReplayCache {
    /// Both ends.
    #[must_use]
    pub fn new() -> (Self, ReplayQueue) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let recent = Cache::builder()
            .max_capacity(RECENT)
            .eviction_policy(EvictionPolicy::lru())
            .build();
        let memory = Arc::new(Memory {
            recent,
            under_way: Mutex::default(),
            last: Mutex::default(),
        });
        let past_lost_at = AtomicI64::new(0);
        let cache = Self {
            queue,
            memory: Arc::clone(&memory),
            past_lost_at,
        };
        (cache, ReplayQueue { waiting, memory })
    }

    /// A use that is surely in the database until it is swept away.
    pub(super) fn last_use(&self) -> Option<UsedAssertion> {
        self.memory
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A part of the past was lost at `instant`, or later: what was made before counts no more.
    pub(super) fn past_was_lost(&self, instant: Timestamp) {
        self.past_lost_at
            .fetch_max(instant.unix(), Ordering::Relaxed);
    }

    /// After a loss the last use may be gone for good.
    pub(super) fn forget_last_use(&self) {
        *self
            .memory
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn is_forgotten(&self, spending: &Spending<'_>) -> bool {
        spending.made_at.unix() < self.past_lost_at.load(Ordering::Relaxed)
    }
}

impl Grantd {
    /// Spends a `jti`. A caller who goes away does not take it back.
    ///
    /// # Errors
    /// A database out of reach, or a full queue: then nothing may be issued.
    pub async fn spend(&self, spending: Spending<'_>) -> Result<Spent, Outage> {
        if self.replay_cache.is_forgotten(&spending) {
            return Ok(Spent::Forgotten);
        }
        let key = key(&spending);
        let memory = &self.replay_cache.memory;
        if !memory.reserve(&key) {
            return Ok(Spent::Replay);
        }
        let used = UsedAssertion {
            key: key.clone(),
            expires_at: spending.dead_at,
        };
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { used, answer };
        if self.replay_cache.queue.try_send(waiting).is_err() {
            memory.release(&key);
            return Err(Outage::ReplayQueueFull);
        }
        match tokio::time::timeout(LONGEST_WAIT, answered).await {
            // It may have waited for a database that came back without its past.
            Ok(Ok(Ok(Spent::First))) if self.replay_cache.is_forgotten(&spending) => {
                Ok(Spent::Forgotten)
            }
            Ok(Ok(Ok(spent))) => Ok(spent),
            Ok(Ok(Err(error))) => Err(Outage::ReplayCache(error)),
            Ok(Err(_)) => Err(Outage::Ended),
            Err(_) => Err(Outage::ReplayCacheSlow(LONGEST_WAIT)),
        }
    }
}

/// A fixed-size name, unambiguous because each part is written with its length.
fn key(spending: &Spending<'_>) -> String {
    let mut parts = vec![spending.kind.as_bytes()];
    parts.extend_from_slice(spending.scope);
    parts.push(spending.jti.as_bytes());
    digest::base64url(&digest::sha256(&digest::length_prefixed(&parts)))
}

impl ReplayQueue {
    /// Writes what waits, for ever; what comes while a statement runs is gathered into the next.
    pub async fn run(mut self, store: Arc<Store>) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.waiting.recv_many(&mut batch, BATCH).await > 0 {
            self.write(&store, &mut batch).await;
        }
    }

    /// Writes one batch. It is free of doubles, because each key in it was reserved.
    async fn write(&self, store: &Store, batch: &mut Vec<Waiting>) {
        batch.sort_by(|a, b| a.used.cmp(&b.used));
        let uses: Vec<UsedAssertion> = batch.iter().map(|waiting| waiting.used.clone()).collect();
        let written = store.use_assertions(&uses).await.map_err(Arc::new);
        let first: Result<HashSet<String>, _> = written.map(|keys| keys.into_iter().collect());
        let kept = |used: &&UsedAssertion| first.as_ref().is_ok_and(|it| it.contains(&used.key));
        if let Some(last) = uses.iter().filter(kept).max_by_key(|used| used.expires_at) {
            let mut known = self
                .memory
                .last
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *known = Some(last.clone());
        }
        for Waiting { used, answer } in batch.drain(..) {
            let result = first.clone().map(|first| {
                self.memory.recent.insert(used.key.clone(), ());
                if first.contains(&used.key) {
                    Spent::First
                } else {
                    Spent::Replay
                }
            });
            // Remembered before it is released, so that at no moment it is neither.
            self.memory.release(&used.key);
            // Nobody may be waiting any more; it is spent all the same.
            let _ = answer.send(result);
        }
    }
}

impl Memory {
    /// Takes a key for one caller; false where it is spent, or another one has it.
    fn reserve(&self, key: &str) -> bool {
        // Before `recent` is looked at: the one who had the key may finish meanwhile.
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        !self.recent.contains_key(key) && under_way.insert(key.to_owned())
    }

    fn release(&self, key: &str) {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(kind: &'static str, scope: &[&[u8]], jti: &str) -> String {
        key(&Spending {
            kind,
            scope,
            jti,
            made_at: Timestamp::EPOCH,
            dead_at: Timestamp::EPOCH,
        })
    }

    /// B-R09.
    #[test]
    fn each_variant_of_a_jti_is_another_one() {
        let names = [
            name("assertion", &[b"a"], "1"),
            name("assertion", &[b"b"], "1"),
            name("dpop", &[b"a"], "1"),
            name("assertion", &[b"a"], "1 "),
            name("assertion", &[b"a", b"1"], ""),
            name("assertion", &[b"a1"], ""),
            name("assertion", &[b"a"], "é"),
            name("assertion", &[b"a"], "e\u{301}"),
            name("assertion", &[b"a"], "A"),
            name("assertion", &[b"a"], "a"),
            name("assertion", &[b"a"], "a\0"),
        ];
        let distinct: HashSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
    }

    #[test]
    fn one_of_two_who_reserve_the_same_key_gets_it() {
        let (cache, _queue) = ReplayCache::new();
        assert!(cache.memory.reserve("a"));
        assert!(!cache.memory.reserve("a"));
        assert!(cache.memory.reserve("b"));
        cache.memory.release("a");
        assert!(cache.memory.reserve("a"));
        cache.memory.recent.insert("b".into(), ());
        cache.memory.release("b");
        assert!(!cache.memory.reserve("b"));
    }
}
