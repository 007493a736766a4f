//! The one clock: wall time in seconds, a monotonic span, and waiting. No other code reads time.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::domain::timestamp::{Seconds, Timestamp};

/// A clock; clones share it.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { origin: Instant },
    Manual { now: Arc<watch::Sender<i64>>, moved_by_sleepers: bool },
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the machine's clock")]
    pub fn system() -> Self {
        Self(Source::System { origin: Instant::now() })
    }

    /// A clock that stands still until it is moved or slept on; for tests.
    #[must_use]
    pub fn manual(now: Timestamp) -> Self {
        let now = Arc::new(watch::Sender::new(now.unix()));
        Self(Source::Manual { now, moved_by_sleepers: true })
    }

    /// A clock that stands still until it is moved: who sleeps on it waits for that; for tests.
    #[must_use]
    pub fn still(now: Timestamp) -> Self {
        let now = Arc::new(watch::Sender::new(now.unix()));
        Self(Source::Manual { now, moved_by_sleepers: false })
    }

    /// The wall time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the machine's clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System { .. } => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
            }
            Source::Manual { now, .. } => Timestamp::from_unix(*now.borrow()),
        }
    }

    /// The time since some fixed moment; never goes back on the machine's clock.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        match &self.0 {
            Source::System { origin } => origin.elapsed(),
            Source::Manual { now, .. } => {
                Duration::from_secs(u64::try_from(*now.borrow()).unwrap_or_default())
            }
        }
    }

    /// Waits until `now()` has reached `instant`. A clock made by [`Self::manual`] is moved there instead.
    pub async fn sleep_until(&self, instant: Timestamp) {
        match &self.0 {
            Source::System { .. } => {
                while self.now() < instant {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            Source::Manual { now, moved_by_sleepers: true } => {
                now.send_modify(|now| *now = (*now).max(instant.unix()));
            }
            Source::Manual { now, moved_by_sleepers: false } => {
                // Cannot fail: we hold the sender ourselves.
                let _ = now.subscribe().wait_for(|now| *now >= instant.unix()).await;
            }
        }
    }

    /// Moves a manual clock by `span`; the machine's clock cannot be moved.
    pub fn advance(&self, span: Seconds) {
        if let Source::Manual { now, .. } = &self.0 {
            now.send_modify(|now| *now += i64::from(span.get()));
        }
    }

    /// How many sleep on a clock that was made by [`Self::still`].
    #[must_use]
    pub fn sleepers(&self) -> usize {
        match &self.0 {
            Source::System { .. } => 0,
            Source::Manual { now, .. } => now.receiver_count(),
        }
    }
}
