//! What one connection has asked for and what it has finished: one that only asks is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::bounds::REQUEST_FREE;
use super::room::{Full, Room};
use super::traffic::{Present, Traffic};

/// The counts of one connection. Relaxed throughout: they guard no other memory.
#[derive(Debug)]
pub(super) struct Meter {
    pub(super) room: Arc<Room>,
    traffic: Arc<Traffic>,
    finished: AtomicU64,
    unpaid: AtomicUsize,
    in_flight: AtomicUsize,
}

/// More was asked for than finished requests have paid.
#[derive(Debug, thiserror::Error)]
#[error("it sent far more bytes than its finished requests needed")]
pub(super) struct Unpaid;

impl Meter {
    pub(super) fn new(room: Arc<Room>, traffic: Arc<Traffic>) -> Arc<Self> {
        Arc::new(Self {
            room,
            traffic,
            finished: AtomicU64::new(0),
            unpaid: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
        })
    }

    /// Charges work, in bytes.
    pub(super) fn charge(&self, work: usize) -> Result<(), Unpaid> {
        let before = self.unpaid.fetch_add(work, Ordering::Relaxed);
        if before.saturating_add(work) > self.room.bounds.unpaid() {
            Err(Unpaid)
        } else {
            Ok(())
        }
    }

    /// A request was given up before its body ended; whether that was too much is judged when the next bytes come.
    pub(super) fn give_up(&self) {
        let largest = self.room.bounds.largest_request();
        let _ = self.charge(largest.saturating_add(largest / 2));
    }

    /// A request was answered, whatever the answer: it pays for one of the largest.
    pub(super) fn finish(&self) {
        self.finished.fetch_add(1, Ordering::Relaxed);
        self.pay();
    }

    /// A request was refused at the door: it pays, but does not keep its connection.
    pub(super) fn pay(&self) {
        let pays = self.room.bounds.largest_request();
        let mut now = self.unpaid.load(Ordering::Relaxed);
        while let Err(other) = self.unpaid.compare_exchange_weak(
            now,
            now.saturating_sub(pays),
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            now = other;
        }
    }

    pub(super) fn finished(&self) -> u64 {
        self.finished.load(Ordering::Relaxed)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) > 0
    }

    /// A place for a request that holds `bytes`.
    pub(super) fn admit(self: &Arc<Self>, bytes: usize) -> Result<Place, Full> {
        let leased = bytes.saturating_sub(REQUEST_FREE);
        let is_first = self.in_flight.fetch_add(1, Ordering::Relaxed) == 0;
        if let Err(full) = self.room.enter(is_first, leased) {
            self.in_flight.fetch_sub(1, Ordering::Relaxed);
            return Err(full);
        }
        Ok(Place {
            meter: Arc::clone(self),
            is_first,
            leased,
            _request: self.traffic.request(),
        })
    }
}

/// The place of one request, from the door until its answer was handed to the kernel.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) meter: Arc<Meter>,
    is_first: bool,
    leased: usize,
    _request: Present,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.meter.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.meter.room.leave(self.is_first, self.leased);
    }
}

#[cfg(test)]
mod tests {
    use super::super::bounds::Bounds;
    use super::*;

    #[test]
    fn finished_requests_pay_for_what_was_read() {
        let meter = Meter::new(Room::new(Bounds::default()), Arc::default());
        let largest = Bounds::default().largest_request();
        for _ in 0..100 {
            assert!(meter.charge(largest).is_ok());
            meter.finish();
        }
        assert!(meter.charge(4 * largest).is_ok());
        assert!(meter.charge(1).is_err());
    }

    #[test]
    fn requests_that_are_given_up_are_not_paid_by_their_answers() {
        let meter = Meter::new(Room::new(Bounds::default()), Arc::default());
        for _ in 0..8 {
            assert!(meter.charge(0).is_ok());
            meter.give_up();
            meter.finish();
        }
        assert!(meter.charge(1).is_err());
    }

    #[test]
    fn a_place_is_given_back_when_it_is_dropped() {
        let meter = Meter::new(
            Room::new(Bounds {
                requests: 1,
                ..Bounds::default()
            }),
            Arc::default(),
        );
        let place = meter.admit(0).unwrap();
        assert!(meter.is_busy());
        assert_eq!(meter.admit(0).unwrap_err(), Full::Requests);
        drop(place);
        assert!(!meter.is_busy());
        assert!(meter.admit(0).is_ok());
    }
}
