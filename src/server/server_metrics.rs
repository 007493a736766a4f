//! What `/metrics` shows of the server: who is connected, and how long certificates last.

use std::sync::Arc;

use parking_lot::Mutex;

use super::serve::Listener;
use super::tls::Tls;
use super::traffic::Traffic;
use crate::telemetry::metrics::{Exposition, Kind, Source};

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
            let number = traffic.connections();
            connections.sample(&[("listener", name)], number);
        }
        let mut in_flight = to.family(
            Kind::Gauge,
            "grantd_requests_in_flight",
            "Requests that have not been answered completely.",
        );
        for (name, traffic) in &*listeners {
            let number = traffic.in_flight();
            in_flight.sample(&[("listener", name)], number);
        }
    }

    fn expose_certificates(&self, to: &mut Exposition) {
        let mut expiries = to.family(
            Kind::Gauge,
            "grantd_certificate_expiry_timestamp_seconds",
            "When the first certificate in a listener's chain expires, in Unix seconds.",
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
