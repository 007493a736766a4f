//! The room for strangers: how many connections and requests there may be at once, and what they may hold together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::bounds::Bounds;
use crate::clock::Clock;
use crate::telemetry::seldom::Seldom;

/// Requests beyond the first of their connection may take one place in this many.
const FURTHER: usize = 5;

/// What the connections of one or several listeners share.
#[derive(Debug)]
pub struct Room {
    pub(super) bounds: Bounds,
    pub(super) connections: Arc<Semaphore>,
    requests: Bounded,
    further: Bounded,
    bytes: Bounded,
    full: Seldom,
    tells_to_go: AtomicBool,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    Requests,
    Bytes,
}

impl Room {
    /// Room within these bounds.
    #[must_use]
    pub fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            bounds,
            connections: Arc::new(Semaphore::new(
                bounds.connections.min(Semaphore::MAX_PERMITS),
            )),
            requests: Bounded::new(bounds.requests),
            further: Bounded::new(bounds.requests / FURTHER),
            bytes: Bounded::new(bounds.shared_bytes),
            full: Seldom::new(Clock::system()),
            tells_to_go: AtomicBool::new(false),
        })
    }

    /// From now on each answer asks its client to use another connection.
    pub(super) fn tell_to_go(&self) {
        self.tells_to_go.store(true, Ordering::Relaxed);
    }

    /// Whether each answer asks its client to use another connection.
    pub(super) fn tells_to_go(&self) -> bool {
        self.tells_to_go.load(Ordering::Relaxed)
    }

    /// Whether nobody else could connect now.
    pub(super) fn is_crowded(&self) -> bool {
        self.connections.available_permits() == 0
    }

    /// Takes a place for one request that holds `bytes` beyond what is free; `is_first` where its connection has no
    /// other in flight.
    pub(super) fn enter(&self, is_first: bool, bytes: usize) -> Result<(), Full> {
        if !self.requests.take(1) {
            return Err(self.tell(Full::Requests));
        }
        if !is_first && !self.further.take(1) {
            self.requests.give_back(1);
            return Err(self.tell(Full::Requests));
        }
        if self.lease(bytes).is_err() {
            self.leave(is_first, 0);
            return Err(Full::Bytes);
        }
        Ok(())
    }

    /// Gives back what [`enter`](Self::enter) took.
    pub(super) fn leave(&self, is_first: bool, bytes: usize) {
        self.requests.give_back(1);
        if !is_first {
            self.further.give_back(1);
        }
        self.give_back(bytes);
    }

    /// Takes bytes from the shared purse.
    pub(super) fn lease(&self, bytes: usize) -> Result<(), Full> {
        if bytes == 0 || self.bytes.take(bytes) {
            Ok(())
        } else {
            Err(self.tell(Full::Bytes))
        }
    }

    pub(super) fn give_back(&self, bytes: usize) {
        if bytes > 0 {
            self.bytes.give_back(bytes);
        }
    }

    fn tell(&self, full: Full) -> Full {
        if let Some(left_out) = self.full.now() {
            match full {
                Full::Requests => tracing::warn!(
                    left_out,
                    requests = self.bounds.requests,
                    "too many requests at once: answering 503 (the limit is [limits] requests)"
                ),
                Full::Bytes => tracing::warn!(
                    left_out,
                    bytes = self.bounds.shared_bytes,
                    "large requests use all the memory set aside for them: refusing more"
                ),
            }
        }
        full
    }
}

/// A number that never goes beyond its bound. Relaxed: it guards no other memory.
#[derive(Debug)]
struct Bounded {
    taken: AtomicUsize,
    most: usize,
}

impl Bounded {
    fn new(most: usize) -> Self {
        Self {
            taken: AtomicUsize::new(0),
            most,
        }
    }

    /// Adds first: two at once may both be refused the last place, and none is given twice.
    fn take(&self, number: usize) -> bool {
        let before = self.taken.fetch_add(number, Ordering::Relaxed);
        let fits = before
            .checked_add(number)
            .is_some_and(|after| after <= self.most);
        if !fits {
            self.give_back(number);
        }
        fits
    }

    fn give_back(&self, number: usize) {
        self.taken.fetch_sub(number, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> Arc<Room> {
        Room::new(Bounds {
            requests: 10,
            shared_bytes: 100,
            ..Bounds::default()
        })
    }

    #[test]
    fn second_requests_of_connections_leave_places_to_first_ones() {
        let room = room();
        assert_eq!(room.enter(false, 0), Ok(()));
        assert_eq!(room.enter(false, 0), Ok(()));
        assert_eq!(room.enter(false, 0), Err(Full::Requests));
        for _ in 0..8 {
            assert_eq!(room.enter(true, 0), Ok(()));
        }
        assert_eq!(room.enter(true, 0), Err(Full::Requests));
        room.leave(false, 0);
        assert_eq!(room.enter(false, 0), Ok(()));
    }

    #[test]
    fn what_is_refused_takes_nothing() {
        let room = room();
        for _ in 0..50 {
            assert_eq!(room.enter(true, 101), Err(Full::Bytes));
            assert_eq!(room.enter(false, 101), Err(Full::Bytes));
        }
        assert_eq!(room.enter(true, 60), Ok(()));
        assert_eq!(room.lease(41), Err(Full::Bytes));
        room.leave(true, 60);
        assert_eq!(room.lease(100), Ok(()));
    }
}
