//! Hashing off the async threads: a few dedicated threads behind bounded queues (the throttle).

mod queues;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::secret_hash::{self, HashCost, PhcHash, SecretHashError};
use crate::domain::secret_format::Secret;
use queues::{Job, Queues};

pub use queues::{HashQueue, HashingCapacity};

/// How a queue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueState {
    /// `generated` or `imported`.
    pub name: &'static str,
    /// How many secrets wait in it.
    pub waiting: usize,
    /// For how many it had no room since the start, or had it no more.
    pub refused: u64,
}

/// Why there is no hash.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashingError {
    #[error("too many secrets wait to be hashed")]
    QueueFull,
    #[error("the hash was not computed: others went before it, or the process is stopping")]
    Lost,
    /// The salt or the cost is past the bounds, or there was no memory.
    #[error(transparent)]
    Refused(#[from] SecretHashError),
}

/// The threads and their queues. Dropping it ends the threads after the job that each is at; who
/// still waits gets [`HashingError::Lost`].
pub struct HashingPool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    queues: Mutex<Queues>,
    work_or_end: Condvar,
    counts: Mutex<BTreeMap<HashCost, u64>>,
    refused_generated: AtomicU64,
    refused_imported: AtomicU64,
}

impl HashingPool {
    /// Starts the threads.
    ///
    /// # Errors
    /// Where the system starts no thread.
    pub fn start(capacity: HashingCapacity) -> std::io::Result<Self> {
        let threads = capacity.threads;
        let shared = Arc::new(Shared {
            queues: Mutex::new(Queues::new(capacity)),
            work_or_end: Condvar::new(),
            counts: Mutex::default(),
            refused_generated: AtomicU64::new(0),
            refused_imported: AtomicU64::new(0),
        });
        // Made first, so that its drop ends the threads already started when one does not start.
        let mut pool = Self {
            shared,
            threads: Vec::with_capacity(threads.get()),
        };
        for number in 0..threads.get() {
            let shared = Arc::clone(&pool.shared);
            let builder = thread::Builder::new().name(format!("hashing-{number}"));
            pool.threads.push(builder.spawn(move || shared.work())?);
        }
        Ok(pool)
    }

    /// Hashes `secret` with `salt` at `cost`. Nothing is computed for a caller who went away before
    /// the turn came.
    ///
    /// # Errors
    /// A full queue, an ended pool, or what [`secret_hash::hash`] refuses.
    pub async fn hash(
        &self,
        queue: HashQueue,
        secret: Secret,
        salt: Vec<u8>,
        cost: HashCost,
    ) -> Result<PhcHash, HashingError> {
        let hashed = self
            .run(queue, cost, move || secret_hash::hash(&secret, &salt, cost))
            .await?;
        Ok(hashed?)
    }

    /// Whether `secret` is what `expected` was made of, at the cost of `expected`.
    ///
    /// # Errors
    /// A full queue or an ended pool.
    pub async fn verify(
        &self,
        queue: HashQueue,
        secret: Secret,
        expected: PhcHash,
    ) -> Result<bool, HashingError> {
        self.run(queue, expected.cost(), move || expected.verify(&secret))
            .await
    }

    /// Runs `job` when nothing else waits. Nobody waits for it, and where too many are waiting it
    /// is dropped. Its hashes are not counted.
    pub fn idle(&self, job: impl FnOnce() + Send + 'static) {
        let mut queues = self.shared.queues.lock();
        if queues.push_idle(Box::new(job)) {
            drop(queues);
            self.shared.work_or_end.notify_one();
        }
    }

    /// How each queue stands.
    #[must_use]
    pub fn queues(&self) -> [QueueState; 2] {
        let (generated, imported) = self.shared.queues.lock().waiting();
        let state = |name, waiting, refused: &AtomicU64| QueueState {
            name,
            waiting,
            refused: refused.load(Ordering::Relaxed),
        };
        let shared = &self.shared;
        [
            state("generated", generated, &shared.refused_generated),
            state("imported", imported, &shared.refused_imported),
        ]
    }

    /// How many hashes were begun at each cost.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<HashCost, u64> {
        self.shared.counts.lock().clone()
    }

    async fn run<T: Send + 'static>(
        &self,
        queue: HashQueue,
        cost: HashCost,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let (answer, waiting) = oneshot::channel();
        let shared = Arc::downgrade(&self.shared);
        let job = move || {
            if answer.is_closed() {
                return;
            }
            if let Some(shared) = shared.upgrade() {
                *shared.counts.lock().entry(cost).or_default() += 1;
            }
            // The caller may have gone away meanwhile.
            let _ = answer.send(work());
        };
        let pushed = self.shared.queues.lock().push(queue, Box::new(job));
        if !matches!(pushed, Ok(None)) {
            self.shared.refuse(queue);
        }
        // Outside of the lock; its caller learns of it by the closed channel.
        drop(pushed?);
        self.shared.work_or_end.notify_one();
        waiting.await.map_err(|_| HashingError::Lost)
    }
}

impl Drop for HashingPool {
    fn drop(&mut self) {
        let mut queues = self.shared.queues.lock();
        queues.ended = true;
        let left = queues.take_all();
        drop(queues);
        self.shared.work_or_end.notify_all();
        // Outside of the lock: what a job holds may do anything when it is dropped.
        drop(left);
    }
}

impl fmt::Debug for HashingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashingPool")
            .field("threads", &self.threads.len())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn refuse(&self, queue: HashQueue) {
        let refused = match queue {
            HashQueue::Generated => &self.refused_generated,
            HashQueue::Imported { .. } => &self.refused_imported,
        };
        refused.fetch_add(1, Ordering::Relaxed);
    }

    /// What a thread does until the pool ends.
    fn work(&self) {
        while let Some(job) = self.next() {
            // A panic was printed by the panic hook, and the caller learns of it by its closed
            // channel; the thread must go on, or a few of them would end all hashing.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queues = self.queues.lock();
        loop {
            if queues.ended {
                return None;
            }
            if let Some(job) = queues.pop() {
                return Some(job);
            }
            self.work_or_end.wait(&mut queues);
        }
    }
}

#[cfg(test)]
mod tests;
