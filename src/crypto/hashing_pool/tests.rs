use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::{Pin, pin};
use std::sync::{Barrier, mpsc};
use std::task::{Context, Waker};

use super::queues::IDLE_CAPACITY;
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
                    assert!(queues.push_idle(job));
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
    assert_eq!(queues.waiting(), (40, 0));
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
