//! The replay cache: each `jti` is spent once, in the whole cluster and across restarts (RFC 7523 section 3,
//! RFC 9449 section 11.1).
//!
//! The database's unique key decides. Memory only saves work: it refuses a `jti` that this process has spent or is
//! spending now. Concurrent uses are written in one statement, and each caller is answered only once its own row is
//! committed.
//!
//! A database may lose recent rows: in a failover to a lagging standby, or in a restore. It is then unknown which
//! assertions and proofs made before the loss were spent, so all of them are refused.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use parking_lot::Mutex;

use super::batcher::{Asked, Batcher};
use super::error::{Outage, Unwritten};
use crate::crypto::digest;
use crate::domain::timestamp::Timestamp;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::used_assertions::UsedAssertion;
use crate::telemetry::metrics::Histogram;

/// The most uses that wait to be written.
const QUEUE: usize = 4096;
/// The most uses in one statement.
const BATCH: usize = 256;
/// The most spent keys that memory holds.
const RECENT: u64 = 100_000;

/// What is written, as the log names it.
pub(super) const USE_OF_JTI: &str = "the use of a jti";
/// The upper bounds of the sizes of batches.
const BATCHES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// The result of spending a `jti`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// Nobody had used it.
    First,
    /// It was used before.
    Replay,
    /// It was made before the database lost rows, so it is unknown whether it was used.
    Forgotten,
}

/// One `jti` that is to be spent.
#[derive(Clone, Copy, Debug)]
pub struct Spending<'a> {
    /// What it belongs to: `assertion` or `dpop`.
    pub kind: &'static str,
    /// The scope within which it is unique: the client, or a proof's key and URL.
    pub scope: &'a [&'a [u8]],
    /// The `jti`, any text.
    pub jti: &'a str,
    /// When it was made, at the earliest.
    pub made_at: Timestamp,
    /// When its assertion or proof is refused as too old, so that the record may be deleted.
    pub dead_at: Timestamp,
}

/// Spends each `jti` once.
#[derive(Debug)]
pub struct ReplayCache {
    store: Arc<Store>,
    batcher: Batcher<Vec<Use>>,
    /// How many uses each statement wrote.
    pub(super) batches: Histogram,
    memory: Memory,
    /// When a loss was last detected, in Unix seconds; 0 if never.
    past_lost_at: AtomicI64,
}

/// A use that waits to be written.
type Use = Asked<UsedAssertion, Spent>;

/// What this process spent, and what it is spending.
#[derive(Debug)]
struct Memory {
    recent: Cache<String, ()>,
    under_way: Mutex<HashSet<String>>,
    /// The last use that this process committed: if the database lost any of this process's uses, it lost this one.
    last: Mutex<Option<UsedAssertion>>,
}

impl ReplayCache {
    /// Nothing was spent yet.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            batcher: Batcher::new(QUEUE, BATCH),
            batches: Histogram::new(BATCHES),
            memory: Memory::new(),
            past_lost_at: AtomicI64::new(0),
        }
    }

    /// A use that must be in the database until it is swept.
    pub(super) fn last_use(&self) -> Option<UsedAssertion> {
        self.memory.last.lock().clone()
    }

    /// Records a loss at `instant`: assertions and proofs made before are refused from now on.
    pub(super) fn past_was_lost(&self, instant: Timestamp) {
        self.past_lost_at
            .fetch_max(instant.unix(), Ordering::Relaxed);
    }

    /// After a loss the last use may be gone for good.
    pub(super) fn forget_last_use(&self) {
        self.memory.keep_last(None);
    }

    /// Keeps what is to be spent waiting while this is held.
    pub(super) async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.batcher.hold().await
    }

    /// The database has forgotten every use, on purpose: each `jti` may be used again.
    pub(super) fn forget_uses(&self) {
        self.memory.recent.invalidate_all();
    }

    fn is_forgotten(&self, spending: &Spending<'_>) -> bool {
        spending.made_at.unix() < self.past_lost_at.load(Ordering::Relaxed)
    }

    /// Spends a `jti`. Dropping the future does not undo that.
    ///
    /// # Errors
    /// An unreachable database, or too many that wait: then nothing may be issued.
    pub async fn spend(&self, spending: Spending<'_>) -> Result<Spent, Outage> {
        if self.is_forgotten(&spending) {
            return Ok(Spent::Forgotten);
        }
        let key = key(&spending);
        if !self.memory.reserve(&key) {
            return Ok(Spent::Replay);
        }
        let used = UsedAssertion {
            key: key.clone(),
            expires_at: spending.dead_at,
        };
        match self.batcher.ask(used).await {
            // The write may have waited for a database that came back after a loss.
            Ok(Spent::First) if self.is_forgotten(&spending) => Ok(Spent::Forgotten),
            Ok(spent) => Ok(spent),
            Err(why) => {
                if let Unwritten::Full = why {
                    self.memory.release(&key);
                }
                Err(Outage::NotWritten {
                    what: USE_OF_JTI,
                    why,
                })
            }
        }
    }

    /// Whether a `jti` is spent, by whatever replica, and spends nothing.
    ///
    /// # Errors
    /// An unreachable database.
    pub async fn look(&self, spending: Spending<'_>) -> Result<Spent, StoreError> {
        let key = key(&spending);
        if self.memory.recent.contains_key(&key) || self.store.is_used(&key).await? {
            Ok(Spent::Replay)
        } else if self.is_forgotten(&spending) {
            Ok(Spent::Forgotten)
        } else {
            Ok(Spent::First)
        }
    }

    /// How many uses were handed in and are not written yet.
    #[must_use]
    pub fn unwritten(&self) -> usize {
        self.batcher.unwritten()
    }

    /// Writes what waits, for ever.
    pub async fn keep_writing(self: Arc<Self>) {
        let write = |batch| self.write(batch);
        self.batcher.keep_writing(Duration::ZERO, write).await;
    }

    /// Writes one batch. It has no duplicates, because each key in it was reserved.
    async fn write(&self, mut batch: Vec<Use>) {
        self.batches
            .observe(u32::try_from(batch.len()).unwrap_or(u32::MAX).into());
        batch.sort_by(|a, b| a.item.cmp(&b.item));
        let uses: Vec<UsedAssertion> = batch.iter().map(|asked| asked.item.clone()).collect();
        let written = self.store.use_assertions(&uses).await.map_err(Arc::new);
        let first: Result<HashSet<String>, _> = written.map(|keys| keys.into_iter().collect());
        let kept = |used: &&UsedAssertion| first.as_ref().is_ok_and(|it| it.contains(&used.key));
        if let Some(last) = uses.iter().filter(kept).max_by_key(|used| used.expires_at) {
            self.memory.keep_last(Some(last.clone()));
        }
        for asked in batch {
            let key = &asked.item.key;
            let result = first.clone().map(|first| {
                self.memory.recent.insert(key.clone(), ());
                if first.contains(key) {
                    Spent::First
                } else {
                    Spent::Replay
                }
            });
            // Remembered before it is released, so that there is no moment at which it is neither.
            self.memory.release(key);
            asked.answer(result);
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

impl Memory {
    fn new() -> Self {
        let recent = Cache::builder()
            .max_capacity(RECENT)
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self {
            recent,
            under_way: Mutex::default(),
            last: Mutex::default(),
        }
    }

    /// Reserves a key for one caller; false if it is spent or reserved by another.
    fn reserve(&self, key: &str) -> bool {
        // Locked before `recent` is read, because the caller that had the key may finish meanwhile.
        let mut under_way = self.under_way.lock();
        !self.recent.contains_key(key) && under_way.insert(key.to_owned())
    }

    fn keep_last(&self, used: Option<UsedAssertion>) {
        *self.last.lock() = used;
    }

    fn release(&self, key: &str) {
        self.under_way.lock().remove(key);
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
        let memory = Memory::new();
        assert!(memory.reserve("a"));
        assert!(!memory.reserve("a"));
        assert!(memory.reserve("b"));
        memory.release("a");
        assert!(memory.reserve("a"));
        memory.recent.insert("b".into(), ());
        memory.release("b");
        assert!(!memory.reserve("b"));
    }
}
