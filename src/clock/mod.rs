//! The one clock: wall time in seconds, a monotonic span, and waiting. No other code reads time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::domain::timestamp::{Seconds, Timestamp};

/// A clock; clones share it.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { origin: Instant },
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the machine's clock")]
    pub fn system() -> Self {
        Self(Source::System { origin: Instant::now() })
    }

    /// A clock that stands still until it is moved; for tests.
    #[must_use]
    pub fn manual(now: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(now.unix()))))
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
            Source::Manual(now) => Timestamp::from_unix(now.load(Ordering::SeqCst)),
        }
    }

    /// The time since some fixed moment; never goes back on the machine's clock.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        match &self.0 {
            Source::System { origin } => origin.elapsed(),
            Source::Manual(now) => {
                Duration::from_secs(u64::try_from(now.load(Ordering::SeqCst)).unwrap_or_default())
            }
        }
    }

    /// Waits until `now()` has reached `instant`. A manual clock is moved there instead.
    pub async fn sleep_until(&self, instant: Timestamp) {
        match &self.0 {
            Source::System { .. } => {
                while self.now() < instant {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            Source::Manual(now) => {
                now.fetch_max(instant.unix(), Ordering::SeqCst);
            }
        }
    }

    /// Moves a manual clock by `span`; the machine's clock cannot be moved.
    pub fn advance(&self, span: Seconds) {
        if let Source::Manual(now) = &self.0 {
            now.fetch_add(i64::from(span.get()), Ordering::SeqCst);
        }
    }
}
