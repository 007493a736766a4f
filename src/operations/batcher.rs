//! Gathers what is to be written and writes it in batches off the hot path. What nobody has written yet is bounded.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, oneshot};

use super::error::Unwritten;
use crate::store::error::StoreError;

/// How long a caller waits for its answer; what it handed in may be written all the same when it is over.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What can wait to be written.
pub(super) trait Waiting: Default {
    /// How many things wait.
    fn len(&self) -> usize;

    /// Takes the first `most` out, or all where they cannot be told apart.
    fn take(&mut self, most: usize) -> Self;
}

impl<T> Waiting for Vec<T> {
    fn len(&self) -> usize {
        self.len()
    }

    fn take(&mut self, most: usize) -> Self {
        let rest = self.split_off(most.min(self.len()));
        mem::replace(self, rest)
    }
}

/// Of each key the last value counts.
impl<K: Eq + Hash, V> Waiting for HashMap<K, V> {
    fn len(&self) -> usize {
        self.len()
    }

    fn take(&mut self, _: usize) -> Self {
        mem::take(self)
    }
}

/// A thing that waits, and who waits for what becomes of it.
#[derive(Debug)]
pub(super) struct Asked<T, A> {
    pub(super) item: T,
    answer: oneshot::Sender<Result<A, Arc<StoreError>>>,
}

impl<T, A> Asked<T, A> {
    /// Tells who waits. Nobody may do so any more; it is written all the same.
    pub(super) fn answer(self, answer: Result<A, Arc<StoreError>>) {
        let _ = self.answer.send(answer);
    }
}

/// What waits, and how it is written: at most `batch` at a time, one batch after the other.
#[derive(Debug)]
pub(super) struct Batcher<W> {
    waiting: Mutex<W>,
    capacity: usize,
    batch: usize,
    news: Notify,
    turn: tokio::sync::Mutex<()>,
    under_way: AtomicUsize,
}

impl<W: Waiting> Batcher<W> {
    /// Nothing waits; at most `capacity` things will.
    pub(super) fn new(capacity: usize, batch: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            capacity,
            batch,
            news: Notify::new(),
            turn: tokio::sync::Mutex::default(),
            under_way: AtomicUsize::new(0),
        }
    }

    /// Lets `add` put a thing to those that wait; it is told whether there is room.
    pub(super) fn put<R>(&self, add: impl FnOnce(&mut W, bool) -> R) -> R {
        let mut waiting = self.waiting();
        let has_room = waiting.len() < self.capacity;
        let added = add(&mut waiting, has_room);
        drop(waiting);
        self.news.notify_one();
        added
    }

    /// Writes for ever what waits: whenever there is something, and not before `pause` is over. What comes while a batch
    /// is written is gathered into the next.
    pub(super) async fn keep_writing<F>(&self, pause: Duration, write: impl Fn(W) -> F)
    where
        F: Future<Output = ()>,
    {
        loop {
            self.news.notified().await;
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            self.write_waiting(&write).await;
        }
    }

    /// Writes all that waits now, after what is being written.
    pub(super) async fn write_waiting<F>(&self, write: impl Fn(W) -> F)
    where
        F: Future<Output = ()>,
    {
        let _turn = self.turn.lock().await;
        loop {
            let batch = self.waiting().take(self.batch);
            self.under_way.store(batch.len(), Ordering::Relaxed);
            if batch.len() == 0 {
                return;
            }
            write(batch).await;
        }
    }

    /// How many things were handed in and are not written yet.
    pub(super) fn unwritten(&self) -> usize {
        self.waiting().len() + self.under_way.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, W> {
        self.waiting.lock()
    }
}

impl<T, A> Batcher<Vec<Asked<T, A>>> {
    /// Hands `item` in and waits for what becomes of it. A caller who goes away does not take it back.
    ///
    /// # Errors
    /// No room, no answer in time, or a database that did not take it.
    pub(super) async fn ask(&self, item: T) -> Result<A, Unwritten> {
        let (answer, answered) = oneshot::channel();
        let asked = Asked { item, answer };
        let has_room = self.put(|waiting, has_room| {
            if has_room {
                waiting.push(asked);
            }
            has_room
        });
        if !has_room {
            return Err(Unwritten::Full);
        }
        match tokio::time::timeout(LONGEST_WAIT, answered).await {
            Ok(Ok(answer)) => answer.map_err(Unwritten::Store),
            Ok(Err(_)) => Err(Unwritten::Ended),
            Err(_) => Err(Unwritten::Slow(LONGEST_WAIT)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn batches_are_bounded_in_order_and_counted_until_they_are_written() {
        let batcher = Batcher::<Vec<u32>>::new(5, 2);
        for number in 0..7 {
            batcher.put(|waiting, has_room| {
                if has_room {
                    waiting.push(number);
                }
            });
        }
        let written = Mutex::new(Vec::new());
        let left = Mutex::new(Vec::new());
        let write = async |batch: Vec<u32>| {
            written.lock().push(batch);
            left.lock().push(batcher.unwritten());
        };
        batcher.write_waiting(write).await;
        assert_eq!(written.into_inner(), [vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(left.into_inner(), [5, 3, 1]);
        assert_eq!(batcher.unwritten(), 0);
    }

    #[tokio::test]
    async fn who_asks_is_answered_or_told_why_not() {
        let batcher = Batcher::<Vec<Asked<u32, u32>>>::new(1, 1);
        let double = async |batch: Vec<Asked<u32, u32>>| {
            for asked in batch {
                let doubled = asked.item * 2;
                asked.answer(Ok(doubled));
            }
        };
        let (answer, ()) = tokio::join!(batcher.ask(4), batcher.write_waiting(double));
        assert_eq!(answer.unwrap(), 8);
        let both = async { tokio::join!(batcher.ask(1), batcher.ask(2)) };
        let lose = async |batch: Vec<Asked<u32, u32>>| drop(batch);
        let ((first, second), ()) = tokio::join!(both, batcher.write_waiting(lose));
        assert!(matches!(
            (first, second),
            (Err(Unwritten::Ended), Err(Unwritten::Full))
        ));
    }
}
