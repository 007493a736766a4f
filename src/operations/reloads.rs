//! Counts what a replica reloads while it runs: how often that failed, and when it last succeeded (OPERATING section
//! 4).

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::clock::Clock;
use crate::domain::client::named;
use crate::domain::timestamp::Timestamp;

named! {
    /// What is read again, as the label `what` of the metrics.
    Reloadable {
        /// The certificate and key of a listener.
        Certificate = "certificate",
        /// The CAs of `tls_client_auth`.
        ClientCa = "client_ca",
        /// The settings, of which the log's filter alone is taken while the process runs.
        Settings = "settings",
    }
}

/// How reloading one of them went so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// How often it failed.
    pub failures: u64,
    /// When it was last loaded successfully, the start included; `None` if never.
    pub last_success: Option<Timestamp>,
}

/// The counts of one replica.
#[derive(Debug)]
pub struct Reloads {
    clock: Clock,
    of: Mutex<BTreeMap<Reloadable, Reloaded>>,
}

impl Reloads {
    /// Nothing was read yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            of: Mutex::default(),
        }
    }

    /// Notes a successful load.
    pub fn succeeded(&self, what: Reloadable) {
        let now = self.clock.now();
        self.of.lock().entry(what).or_default().last_success = Some(now);
    }

    /// Notes a failed load; the previous version stays in use.
    pub fn failed(&self, what: Reloadable) {
        let mut of = self.of.lock();
        let failures = &mut of.entry(what).or_default().failures;
        *failures = failures.saturating_add(1);
    }

    /// The counts so far; what this replica never loads is absent.
    #[must_use]
    pub fn all(&self) -> BTreeMap<Reloadable, Reloaded> {
        self.of.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timestamp::Seconds;

    #[test]
    fn failures_are_counted_and_the_last_success_stays() {
        let clock = Clock::manual(Timestamp::from_unix(1000));
        let reloads = Reloads::new(clock.clone());
        reloads.succeeded(Reloadable::Certificate);
        clock.advance(Seconds::new(5));
        reloads.failed(Reloadable::Certificate);
        reloads.failed(Reloadable::Certificate);
        let expected = Reloaded {
            failures: 2,
            last_success: Some(Timestamp::from_unix(1000)),
        };
        let all = reloads.all();
        assert_eq!(
            all.into_iter().collect::<Vec<_>>(),
            [(Reloadable::Certificate, expected)]
        );
    }
}
