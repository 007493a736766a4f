//! Counts the connections and requests that are present at a listener.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What goes on at one listener. Relaxed: the counts guard no other memory.
#[derive(Debug, Default)]
pub struct Traffic {
    connections: AtomicUsize,
    in_flight: AtomicUsize,
}

/// One more of something, for as long as this is there.
#[derive(Debug)]
pub(super) struct Present {
    traffic: Arc<Traffic>,
    what: fn(&Traffic) -> &AtomicUsize,
}

impl Traffic {
    /// A connection that was accepted.
    pub(super) fn connection(self: &Arc<Self>) -> Present {
        self.present(|traffic| &traffic.connections)
    }

    /// A request that has a place, until its answer was sent.
    pub(super) fn request(self: &Arc<Self>) -> Present {
        self.present(|traffic| &traffic.in_flight)
    }

    /// Open connections.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Requests that have not been answered completely.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    fn present(self: &Arc<Self>, what: fn(&Self) -> &AtomicUsize) -> Present {
        what(self).fetch_add(1, Ordering::Relaxed);
        Present {
            traffic: Arc::clone(self),
            what,
        }
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        (self.what)(&self.traffic).fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_counted_while_it_is_there() {
        let traffic = Arc::<Traffic>::default();
        let count = || (traffic.connections(), traffic.in_flight());
        let connection = traffic.connection();
        let requests = [traffic.request(), traffic.request()];
        assert_eq!(count(), (1, 2));
        drop(requests);
        assert_eq!(count(), (1, 0));
        drop(connection);
        assert_eq!(count(), (0, 0));
    }
}
