//! Hashing off the async threads: a few dedicated threads behind bounded queues (the throttle).

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::secret_hash::{self, HashCost, PhcHash, SecretHashError};
use crate::domain::secret_format::Secret;

/// The most idle jobs that wait.
pub const IDLE_CAPACITY: usize = 256;
/// After this many generated ones in a row, a waiting imported one gets its turn.
const GENERATED_IN_A_ROW: u32 = 32;

/// How much hashing there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingCapacity {
    /// Threads that hash.
    pub threads: NonZeroUsize,
    /// Secrets of the generated form that may wait.
    pub generated: usize,
    /// Other secrets that may wait.
    pub imported: usize,
}

/// The queue for a hash, chosen by the form of the presented secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashQueue {
    /// Cheap hashes of secrets in generated form.
    Generated,
    /// Full-cost hashes.
    Imported {
        /// How many failures of its source are not paid back: who has fewer goes first, and where the queue is full, who
        /// has most gives way.
        failures: u64,
    },
}

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
    #[error("the hash was not computed: others went before it, or the process is about to end")]
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

type Job = Box<dyn FnOnce() + Send>;

/// Where a full-cost hash stands: behind those with fewer failures, then in the order of arrival.
type Place = (u64, u64);

struct Shared {
    queues: Mutex<Queues>,
    work_or_end: Condvar,
    counts: Mutex<BTreeMap<HashCost, u64>>,
    refused_generated: AtomicU64,
    refused_imported: AtomicU64,
}

struct Queues {
    generated: VecDeque<Job>,
    imported: BTreeMap<Place, Job>,
    arrivals: u64,
    idle: VecDeque<Job>,
    capacity: HashingCapacity,
    generated_in_a_row: u32,
    ended: bool,
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

    /// Runs `job` when nothing else waits. Nobody waits for it, and where too many wait already it
    /// is dropped. Its hashes are not counted.
    pub fn idle(&self, job: impl FnOnce() + Send + 'static) {
        let mut queues = self.shared.queues.lock();
        if queues.idle.len() < IDLE_CAPACITY {
            queues.idle.push_back(Box::new(job));
            drop(queues);
            self.shared.work_or_end.notify_one();
        }
    }

    /// How each queue stands.
    #[must_use]
    pub fn queues(&self) -> [QueueState; 2] {
        let queues = self.shared.queues.lock();
        let state = |name, waiting, refused: &AtomicU64| QueueState {
            name,
            waiting,
            refused: refused.load(Ordering::Relaxed),
        };
        let shared = &self.shared;
        [
            state(
                "generated",
                queues.generated.len(),
                &shared.refused_generated,
            ),
            state("imported", queues.imported.len(), &shared.refused_imported),
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

impl Queues {
    const fn new(capacity: HashingCapacity) -> Self {
        Self {
            generated: VecDeque::new(),
            imported: BTreeMap::new(),
            arrivals: 0,
            idle: VecDeque::new(),
            capacity,
            generated_in_a_row: 0,
            ended: false,
        }
    }

    /// Returns the job that gave way, where one did.
    fn push(&mut self, queue: HashQueue, job: Job) -> Result<Option<Job>, HashingError> {
        match queue {
            HashQueue::Generated if self.generated.len() < self.capacity.generated => {
                self.generated.push_back(job);
                Ok(None)
            }
            HashQueue::Generated => Err(HashingError::QueueFull),
            HashQueue::Imported { failures } => self.push_imported(failures, job),
        }
    }

    fn push_imported(&mut self, failures: u64, job: Job) -> Result<Option<Job>, HashingError> {
        let mut displaced = None;
        if self.imported.len() >= self.capacity.imported {
            let last = self.imported.last_entry();
            let gives_way = last.filter(|last| last.key().0 > failures);
            displaced = Some(gives_way.ok_or(HashingError::QueueFull)?.remove());
        }
        self.arrivals = self.arrivals.wrapping_add(1);
        self.imported.insert((failures, self.arrivals), job);
        Ok(displaced)
    }

    /// Generated ones first, as they are many and cheap; but no flood of them keeps an imported one
    /// waiting for ever.
    fn pop(&mut self) -> Option<Job> {
        let has_turn = self.generated_in_a_row < GENERATED_IN_A_ROW || self.imported.is_empty();
        if has_turn && let Some(job) = self.generated.pop_front() {
            self.generated_in_a_row = self.generated_in_a_row.saturating_add(1);
            return Some(job);
        }
        self.generated_in_a_row = 0;
        let imported = self.imported.pop_first().map(|(_, job)| job);
        imported.or_else(|| self.idle.pop_front())
    }

    fn take_all(&mut self) -> Vec<Job> {
        let imported = std::mem::take(&mut self.imported).into_values();
        let all = self.generated.drain(..).chain(imported);
        all.chain(self.idle.drain(..)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::sync::{Barrier, mpsc};
    use std::task::{Context, Waker};

    use super::*;

    const ONE: NonZeroUsize = NonZeroUsize::MIN;
    const TINY: HashCost = HashCost {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };

    /// How many may wait.
    const GENERATED: usize = 100;
    const IMPORTED: usize = 60;

    fn capacity(threads: NonZeroUsize) -> HashingCapacity {
        HashingCapacity {
            threads,
            generated: GENERATED,
            imported: IMPORTED,
        }
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    /// Puts a future's job into its queue.
    fn poll(future: Pin<&mut impl Future<Output = Result<PhcHash, HashingError>>>) -> bool {
        future
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    }

    /// A pool whose one thread is busy until the sender goes.
    fn busy_pool() -> (HashingPool, mpsc::Sender<()>) {
        let pool = HashingPool::start(capacity(ONE)).unwrap();
        let (release, held) = mpsc::channel::<()>();
        let (started, start) = mpsc::channel();
        pool.idle(move || {
            started.send(()).unwrap();
            let _ = held.recv();
        });
        start.recv().unwrap();
        (pool, release)
    }

    #[tokio::test]
    async fn a_hash_is_computed_and_counted() {
        let pool = HashingPool::start(capacity(ONE)).unwrap();
        let salt = b"saltsalt".to_vec();
        let made = pool
            .hash(HashQueue::Generated, secret("a"), salt.clone(), TINY)
            .await
            .unwrap();
        assert!(made.verify(&secret("a")));
        assert!(
            pool.verify(
                HashQueue::Imported { failures: 0 },
                secret("a"),
                made.clone()
            )
            .await
            .unwrap()
        );
        assert!(
            !pool
                .verify(HashQueue::Imported { failures: 0 }, secret("b"), made)
                .await
                .unwrap()
        );
        let low = HashCost::GENERATED;
        pool.hash(HashQueue::Generated, secret("a"), salt, low)
            .await
            .unwrap();
        assert_eq!(pool.counts(), BTreeMap::from([(TINY, 3), (low, 1)]));
    }

    #[tokio::test]
    async fn a_salt_past_the_bounds_is_refused() {
        let pool = HashingPool::start(capacity(ONE)).unwrap();
        let refused = pool
            .hash(HashQueue::Generated, secret("a"), Vec::new(), TINY)
            .await;
        assert_eq!(
            refused.unwrap_err(),
            HashingError::Refused(SecretHashError::Salt)
        );
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_the_others_go_on() {
        for (queue, other, capacity) in [
            (
                HashQueue::Generated,
                HashQueue::Imported { failures: 0 },
                GENERATED,
            ),
            (
                HashQueue::Imported { failures: 0 },
                HashQueue::Generated,
                IMPORTED,
            ),
        ] {
            let (pool, release) = busy_pool();
            let hash = |queue| pool.hash(queue, secret("a"), b"saltsalt".to_vec(), TINY);
            let mut waiting: Vec<_> = (0..capacity).map(|_| Box::pin(hash(queue))).collect();
            assert!(waiting.iter_mut().all(|future| poll(future.as_mut())));
            assert_eq!(hash(queue).await.unwrap_err(), HashingError::QueueFull);
            let full = pool.queues().into_iter().filter(|it| it.refused > 0);
            let full: Vec<_> = full.map(|it| (it.waiting, it.refused)).collect();
            assert_eq!(full, [(capacity, 1)]);
            let mut fits = pin!(hash(other));
            assert!(poll(fits.as_mut()));
            drop(release);
            assert!(fits.await.is_ok());
            for future in waiting {
                assert!(future.await.is_ok());
            }
            assert_eq!(pool.counts()[&TINY], capacity as u64 + 1);
        }
    }

    #[tokio::test]
    async fn idle_jobs_past_their_number_are_dropped() {
        let (pool, release) = busy_pool();
        let (done, ran) = mpsc::channel();
        for _ in 0..=IDLE_CAPACITY {
            let done = done.clone();
            pool.idle(move || done.send(()).unwrap());
        }
        drop((release, done));
        assert_eq!(ran.iter().count(), IDLE_CAPACITY);
    }

    #[test]
    fn a_flood_of_generated_ones_starves_no_imported_one() {
        let (order, seen) = mpsc::channel();
        let mut queues = Queues::new(capacity(ONE));
        let mut push = |name, count| {
            for _ in 0..count {
                let order = order.clone();
                let job: Job = Box::new(move || order.send(name).unwrap());
                let queue = match name {
                    'g' => HashQueue::Generated,
                    'i' => HashQueue::Imported { failures: 0 },
                    _ => {
                        queues.idle.push_back(job);
                        continue;
                    }
                };
                assert!(queues.push(queue, job).unwrap().is_none());
            }
        };
        push('x', 1);
        push('i', 3);
        push('g', 80);
        while let Some(job) = queues.pop() {
            job();
        }
        drop(order);
        let g = |count| "g".repeat(count);
        let expected = format!("{}i{}i{}ix", g(32), g(32), g(16));
        assert_eq!(seen.iter().collect::<String>(), expected);
    }

    #[test]
    fn an_imported_one_that_comes_late_in_a_flood_is_next() {
        let mut queues = Queues::new(capacity(ONE));
        for _ in 0..100 {
            queues.push(HashQueue::Generated, Box::new(|| ())).unwrap();
        }
        for _ in 0..60 {
            queues.pop().unwrap()();
        }
        queues
            .push(HashQueue::Imported { failures: 0 }, Box::new(|| ()))
            .unwrap();
        queues.pop().unwrap()();
        assert!(queues.imported.is_empty());
    }

    #[test]
    fn who_failed_least_goes_first_and_who_failed_most_gives_way() {
        let mut queues = Queues::new(HashingCapacity {
            imported: 3,
            ..capacity(ONE)
        });
        let (order, seen) = mpsc::channel();
        let mut push = |name: char, failures| {
            let order = order.clone();
            let job: Job = Box::new(move || order.send(name).unwrap());
            queues.push(HashQueue::Imported { failures }, job)
        };
        for (name, failures) in [('c', 5), ('b', 2), ('x', 9)] {
            assert!(push(name, failures).is_ok());
        }
        assert!(push('a', 0).unwrap().is_some(), "x gives way");
        assert_eq!(push('y', 5).err(), Some(HashingError::QueueFull));
        while let Some(job) = queues.pop() {
            job();
        }
        drop(order);
        assert_eq!(seen.iter().collect::<String>(), "abc");
    }

    #[tokio::test]
    async fn nothing_is_hashed_for_a_caller_who_went_away() {
        let (pool, release) = busy_pool();
        let gone = HashCost {
            memory_kib: 16,
            ..TINY
        };
        {
            let salt = b"saltsalt".to_vec();
            let mut future = pin!(pool.hash(HashQueue::Generated, secret("a"), salt, gone));
            assert!(poll(future.as_mut()));
        }
        drop(release);
        let salt = b"saltsalt".to_vec();
        pool.hash(HashQueue::Generated, secret("b"), salt, TINY)
            .await
            .unwrap();
        assert_eq!(pool.counts(), BTreeMap::from([(TINY, 1)]));
    }

    #[tokio::test]
    async fn a_panic_ends_no_thread() {
        let pool = HashingPool::start(capacity(ONE)).unwrap();
        pool.idle(|| panic!("on purpose"));
        let lost = pool
            .run(HashQueue::Generated, TINY, || panic!("on purpose"))
            .await;
        assert_eq!(lost, Err::<(), _>(HashingError::Lost));
        let salt = b"saltsalt".to_vec();
        assert!(
            pool.hash(HashQueue::Generated, secret("b"), salt, TINY)
                .await
                .is_ok()
        );
    }

    #[test]
    fn dropping_the_pool_ends_its_threads() {
        let mut pool = HashingPool::start(capacity(NonZeroUsize::new(3).unwrap())).unwrap();
        let all_started = Arc::new(Barrier::new(4));
        for _ in 0..3 {
            let all_started = Arc::clone(&all_started);
            pool.idle(move || {
                all_started.wait();
            });
        }
        all_started.wait();
        // Most often they wait for work by then; the end must come in either case.
        (0..1000).for_each(|_| thread::yield_now());
        let threads = std::mem::take(&mut pool.threads);
        drop(pool);
        for thread in threads {
            thread.join().unwrap();
        }
    }

    #[test]
    fn dropping_the_pool_frees_who_waits() {
        let (pool, release) = busy_pool();
        let (answer, waiting) = oneshot::channel::<()>();
        let job = move || drop(answer);
        pool.shared
            .queues
            .lock()
            .push(HashQueue::Generated, Box::new(job))
            .unwrap();
        drop(pool);
        assert!(waiting.blocking_recv().is_err());
        drop(release);
    }
}
