//! Whether a replica's memory is recent enough to issue and introspect with: `max_staleness` (DESIGN section 1).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Clock;
use crate::store::error::{DatabaseName, StoreError};

/// When the feed was last read, by the monotonic clock.
#[derive(Debug)]
pub struct Freshness {
    /// Milliseconds plus one; 0 before the first reading.
    last_read: AtomicU64,
    max_staleness: Duration,
    /// Set for the rest of the process once nothing that was read can be trusted.
    distrusted: OnceLock<DatabaseName>,
}

impl Freshness {
    /// Not fresh before the first reading.
    #[must_use]
    pub const fn new(max_staleness: Duration) -> Self {
        Self {
            last_read: AtomicU64::new(0),
            max_staleness,
            distrusted: OnceLock::new(),
        }
    }

    /// The feed was read; `began` is when the reading began.
    pub fn read_at(&self, began: Duration) {
        self.last_read
            .fetch_max(milliseconds(began).saturating_add(1), Ordering::Relaxed);
    }

    /// Whether it was ever read.
    pub fn has_been_read(&self) -> bool {
        self.last_read.load(Ordering::Relaxed) > 0
    }

    /// How long ago the feed was last read; `None` before the first time.
    #[must_use]
    pub fn age(&self, clock: &Clock) -> Option<Duration> {
        let last = self.last_read.load(Ordering::Relaxed).checked_sub(1)?;
        let last = Duration::from_millis(last);
        Some(clock.monotonic().saturating_sub(last))
    }

    /// Trusts nothing from now on: statements were mixed up, so anything that was read may be another statement's
    /// result.
    pub fn distrust(&self, database: &DatabaseName) {
        // It may be set already.
        let _ = self.distrusted.set(database.clone());
    }

    /// Whether memory may be trusted.
    ///
    /// # Errors
    /// [`StoreError::NotLoaded`] before the first reading, [`StoreError::Stale`] if the last one is too old,
    /// [`StoreError::MixedStatements`] after mixed-up statements, for good.
    pub fn check(&self, clock: &Clock) -> Result<(), StoreError> {
        if let Some(database) = self.distrusted.get() {
            return Err(StoreError::MixedStatements(database.clone()));
        }
        match self.last_read.load(Ordering::Relaxed) {
            0 => Err(StoreError::NotLoaded),
            last => {
                let age = milliseconds(clock.monotonic()).saturating_sub(last - 1);
                if age <= milliseconds(self.max_staleness) {
                    Ok(())
                } else {
                    Err(StoreError::Stale)
                }
            }
        }
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timestamp::{Seconds, Timestamp};

    #[test]
    fn memory_is_trusted_up_to_the_bound_and_no_longer() {
        let clock = Clock::manual(Timestamp::from_unix(1000));
        let freshness = Freshness::new(Duration::from_secs(30));
        assert!(matches!(
            freshness.check(&clock),
            Err(StoreError::NotLoaded)
        ));
        freshness.read_at(clock.monotonic());
        clock.advance(Seconds::new(30));
        assert_eq!(freshness.age(&clock), Some(Duration::from_secs(30)));
        assert!(freshness.check(&clock).is_ok());
        clock.advance(Seconds::new(1));
        assert!(matches!(freshness.check(&clock), Err(StoreError::Stale)));
    }
}
