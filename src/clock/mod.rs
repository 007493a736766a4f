//! The one clock: wall time in seconds, a monotonic span, and waiting. No other code reads time.

mod machine;
mod steered;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::domain::timestamp::{Seconds, Timestamp};
use machine::unix_milliseconds;
use steered::Steered;
pub use steered::{Hand, Shown};

/// A clock; clones share it.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System {
        origin: Instant,
    },
    /// For tests of grantd.
    Manual {
        hands: Arc<watch::Sender<Hands>>,
        moved_by_sleepers: bool,
    },
    /// For tests of others, by `grantd dev`.
    Steered(Arc<Steered>),
}

/// What a manual clock shows.
#[derive(Clone, Copy, Debug)]
struct Hands {
    /// Unix seconds.
    wall: i64,
    /// Seconds since some fixed moment: setting the clock does not move it.
    elapsed: i64,
}

/// How long the machine has run, by the clock that systemd reads, too (`CLOCK_MONOTONIC`).
#[must_use]
pub fn since_boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::try_from(now).unwrap_or_default()
}

impl Hands {
    fn monotonic(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.elapsed).unwrap_or_default())
    }

    const fn advance(&mut self, seconds: i64) {
        self.wall += seconds;
        self.elapsed += seconds;
    }
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one reader of the machine's clock"
    )]
    pub fn system() -> Self {
        Self(Source::System {
            origin: Instant::now(),
        })
    }

    /// The machine's clock as long as nobody moves it, and what moves it. `grantd dev` alone makes one
    /// (`tests/it/layering`), so that in production no clock can be moved.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one reader of the machine's clock"
    )]
    pub fn steered() -> (Self, Hand) {
        let steered = Arc::new(Steered::new(Instant::now()));
        (Self(Source::Steered(Arc::clone(&steered))), Hand(steered))
    }

    /// Whether it may be moved while the server runs: then it is the database's clock, too, and what it shows at two
    /// moments says nothing of the time between.
    #[must_use]
    pub const fn is_steered(&self) -> bool {
        matches!(self.0, Source::Steered(_))
    }

    /// A clock that stands still until it is moved or slept on; for tests, and to judge one instant.
    #[must_use]
    pub fn manual(now: Timestamp) -> Self {
        Self::standing(now, true)
    }

    /// A clock that stands still until it is moved, and keeps sleepers waiting until then; for tests.
    #[must_use]
    pub fn still(now: Timestamp) -> Self {
        Self::standing(now, false)
    }

    fn standing(now: Timestamp, moved_by_sleepers: bool) -> Self {
        let hands = Hands {
            wall: now.unix(),
            elapsed: 0,
        };
        Self(Source::Manual {
            hands: Arc::new(watch::Sender::new(hands)),
            moved_by_sleepers,
        })
    }

    /// The wall time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.unix_milliseconds().div_euclid(1000))
    }

    /// The wall time in milliseconds since the Unix epoch, to compare it with another clock.
    #[must_use]
    pub fn unix_milliseconds(&self) -> i64 {
        match &self.0 {
            Source::System { .. } => unix_milliseconds(),
            Source::Manual { hands, .. } => hands.borrow().wall.saturating_mul(1000),
            Source::Steered(steered) => steered.now(),
        }
    }

    /// The time since some fixed moment: it never goes back, and setting the clock does not move it. It measures what
    /// takes time: requests, timeouts, how old a reading is.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        match &self.0 {
            Source::System { origin } => origin.elapsed(),
            Source::Manual { hands, .. } => hands.borrow().monotonic(),
            Source::Steered(steered) => steered.monotonic(),
        }
    }

    /// As [`Self::monotonic`], for rules that give something back in time: moving a steered clock forward lets that time
    /// pass, and while it stands still none does.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Source::Steered(steered) => steered.elapsed(),
            _ => self.monotonic(),
        }
    }

    /// Waits until `now()` has reached `instant`. A clock made by [`Self::manual`] is moved there instead; a steered one
    /// that stands still, or is set back meanwhile, is not waited for.
    pub async fn sleep_until(&self, instant: Timestamp) {
        match &self.0 {
            Source::Steered(steered) => {
                steered
                    .sleep_until(instant.unix().saturating_mul(1000))
                    .await;
            }
            Source::System { .. } => {
                while self.now() < instant {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            Source::Manual {
                hands,
                moved_by_sleepers: true,
            } => {
                hands.send_modify(|hands| hands.advance((instant.unix() - hands.wall).max(0)));
            }
            Source::Manual {
                hands,
                moved_by_sleepers: false,
            } => {
                // Cannot fail: we hold the sender ourselves.
                let _ = hands
                    .subscribe()
                    .wait_for(|hands| hands.wall >= instant.unix())
                    .await;
            }
        }
    }

    /// Waits for `span`. On a clock made by [`Self::manual`] that takes no time.
    pub async fn pause(&self, span: Duration) {
        match &self.0 {
            _ if span.is_zero() => {}
            Source::System { .. } | Source::Steered(_) => tokio::time::sleep(span).await,
            Source::Manual {
                moved_by_sleepers: true,
                ..
            } => {}
            Source::Manual {
                hands,
                moved_by_sleepers: false,
            } => {
                let until = self.monotonic() + span;
                let passed = |hands: &Hands| hands.monotonic() >= until;
                // Cannot fail: we hold the sender ourselves.
                let _ = hands.subscribe().wait_for(passed).await;
            }
        }
    }

    /// Lets `span` pass on a manual clock; the machine's clock cannot be moved.
    pub fn advance(&self, span: Seconds) {
        if let Source::Manual { hands, .. } = &self.0 {
            hands.send_modify(|hands| hands.advance(i64::from(span.get())));
        }
    }

    /// Sets a manual clock forward or back by `seconds`, as an administrator or NTP does: no time passes.
    pub fn set_by(&self, seconds: i64) {
        if let Source::Manual { hands, .. } = &self.0 {
            hands.send_modify(|hands| hands.wall += seconds);
        }
    }

    /// How many sleep on a clock that was made by [`Self::still`].
    #[must_use]
    pub fn sleepers(&self) -> usize {
        match &self.0 {
            Source::System { .. } | Source::Steered(_) => 0,
            Source::Manual { hands, .. } => hands.receiver_count(),
        }
    }
}
