//! What `/metrics` shows of the server: who is connected, and how long certificates last.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::serve::Listener;
use super::tls::Tls;
use crate::telemetry::metrics::{Exposition, Kind, Source};

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

/// The listeners of a process; each is added when it is made.
#[derive(Default)]
pub struct ServerMetrics {
    listeners: Mutex<Vec<(&'static str, Arc<Traffic>)>>,
    certificates: Mutex<Vec<(&'static str, Arc<Tls>)>>,
}

impl ServerMetrics {
    /// Shows what goes on at a listener, and its certificate.
    pub(super) fn show(&self, listener: &Listener) {
        let name = listener.name;
        let traffic = Arc::clone(&listener.traffic);
        self.listeners.lock().push((name, traffic));
        if let Some(tls) = &listener.tls {
            self.certificates.lock().push((name, Arc::clone(tls)));
        }
    }

    fn expose_listeners(&self, to: &mut Exposition) {
        let listeners = self.listeners.lock();
        let mut connections = to.family(Kind::Gauge, "grantd_connections", "Open connections.");
        for (name, traffic) in &*listeners {
            let number = traffic.connections.load(Ordering::Relaxed);
            connections.sample(&[("listener", name)], number);
        }
        let mut in_flight = to.family(
            Kind::Gauge,
            "grantd_requests_in_flight",
            "Requests whose answer was not sent yet.",
        );
        for (name, traffic) in &*listeners {
            let number = traffic.in_flight.load(Ordering::Relaxed);
            in_flight.sample(&[("listener", name)], number);
        }
    }

    fn expose_certificates(&self, to: &mut Exposition) {
        let mut expiries = to.family(
            Kind::Gauge,
            "grantd_certificate_expiry_timestamp_seconds",
            "When the certificate of a listener, or one that it comes with, expires, in Unix seconds.",
        );
        for (name, tls) in &*self.certificates.lock() {
            if let Some(at) = tls.expires_at() {
                expiries.sample(&[("listener", name)], at.unix());
            }
        }
    }
}

impl Source for ServerMetrics {
    fn expose(&self, to: &mut Exposition) {
        self.expose_listeners(to);
        self.expose_certificates(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_counted_while_it_is_there() {
        let traffic = Arc::<Traffic>::default();
        let count = || {
            let load = |it: &AtomicUsize| it.load(Ordering::Relaxed);
            (load(&traffic.connections), load(&traffic.in_flight))
        };
        let connection = traffic.connection();
        let requests = [traffic.request(), traffic.request()];
        assert_eq!(count(), (1, 2));
        drop(requests);
        assert_eq!(count(), (1, 0));
        drop(connection);
        assert_eq!(count(), (0, 0));
    }
}
