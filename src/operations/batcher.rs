//! Collects items and writes them in batches, off the hot path. The queue is bounded.

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

/// How long a caller waits for its answer. Its item may still be written after that.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A queue of items.
pub(super) trait Waiting: Default {
    /// The number of items.
    fn len(&self) -> usize;

    /// Takes out the first `most` items, or all of them if they have no order.
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

/// Keeps the last value of each key.
impl<K: Eq + Hash, V> Waiting for HashMap<K, V> {
    fn len(&self) -> usize {
        self.len()
    }

    fn take(&mut self, _: usize) -> Self {
        mem::take(self)
    }
}

/// An item in the queue, and the channel to the caller that waits for the result.
#[derive(Debug)]
pub(super) struct Asked<T, A> {
    pub(super) item: T,
    answer: oneshot::Sender<Result<A, Arc<StoreError>>>,
}

impl<T, A> Asked<T, A> {
    /// Sends the result to the caller, which may have gone away.
    pub(super) fn answer(self, answer: Result<A, Arc<StoreError>>) {
        let _ = self.answer.send(answer);
    }
}

/// A queue that is written at most `batch` items at a time, one batch after the other.
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
    /// An empty queue for at most `capacity` items.
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

    /// Lets `add` change the queue, and tells it whether there is room for one more item.
    pub(super) fn put<R>(&self, add: impl FnOnce(&mut W, bool) -> R) -> R {
        let mut waiting = self.waiting();
        let has_room = waiting.len() < self.capacity;
        let added = add(&mut waiting, has_room);
        drop(waiting);
        self.news.notify_one();
        added
    }

    /// Writes the queue for ever: `pause` after the first item arrives. Items that arrive while a batch is written go
    /// into the next one.
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

    /// Writes the whole queue, after the batch that is being written.
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

    /// Keeps items in the queue: no batch is written while this is held.
    pub(super) async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// How many items are queued or being written.
    pub(super) fn unwritten(&self) -> usize {
        self.waiting().len() + self.under_way.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, W> {
        self.waiting.lock()
    }
}

impl<T, A> Batcher<Vec<Asked<T, A>>> {
    /// Queues `item` and waits for the result. Dropping the future does not take the item back.
    ///
    /// # Errors
    /// A full queue, no answer in time, or a failed write.
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
