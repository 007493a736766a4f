//! A clock that tests move while the server runs: the machine's, put forward or back, or standing still.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::machine::unix_milliseconds;

/// Moves the clock that was made with it; nothing else can.
#[derive(Clone, Debug)]
pub struct Hand(pub(super) Arc<Steered>);

/// What a steered clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Milliseconds since the Unix epoch.
    pub now: i64,
    /// By how many milliseconds it is ahead of the machine's clock; negative where it is behind.
    pub offset: i64,
    /// Whether it stands still.
    pub is_frozen: bool,
}

/// The clock itself.
#[derive(Debug)]
pub(super) struct Steered {
    origin: Instant,
    set: Mutex<Set>,
    /// Changes whenever it is moved, so that nobody sleeps on.
    moved: watch::Sender<()>,
}

/// How it is set.
#[derive(Clone, Copy, Debug, Default)]
struct Set {
    /// Milliseconds that the machine's clock is put forward.
    ahead: i64,
    /// Milliseconds that passed by this clock and not by the machine's: going back takes none of them away.
    passed: i64,
    /// Where it stands still.
    frozen: Option<Frozen>,
}

impl Set {
    fn now(&self) -> i64 {
        let going = unix_milliseconds().saturating_add(self.ahead);
        self.frozen.map_or(going, |frozen| frozen.now)
    }
}

/// What a clock shows that stands still, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Frozen {
    now: i64,
    elapsed: i64,
}

impl Steered {
    pub(super) fn new(origin: Instant) -> Self {
        Self {
            origin,
            set: Mutex::default(),
            moved: watch::Sender::new(()),
        }
    }

    /// By the machine's clock.
    pub(super) fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }

    pub(super) fn now(&self) -> i64 {
        self.set.lock().now()
    }

    pub(super) fn elapsed(&self) -> Duration {
        let elapsed = self.elapsed_by(&self.set.lock());
        Duration::from_millis(u64::try_from(elapsed).unwrap_or_default())
    }

    fn elapsed_by(&self, set: &Set) -> i64 {
        let machine = i64::try_from(self.monotonic().as_millis()).unwrap_or(i64::MAX);
        let going = machine.saturating_add(set.passed);
        set.frozen.map_or(going, |frozen| frozen.elapsed)
    }

    /// Waits until it shows `instant` (milliseconds), however it comes there. What would wait for a clock that stands
    /// still, or that was set back meanwhile, waits no longer.
    pub(super) async fn sleep_until(&self, instant: i64) {
        let mut moved = self.moved.subscribe();
        loop {
            let begun = self.shown();
            if begun.is_frozen || begun.now >= instant {
                return;
            }
            let left = u64::try_from(instant.saturating_sub(begun.now)).unwrap_or_default();
            let passed = tokio::time::sleep(Duration::from_millis(left));
            tokio::select! {
                () = passed => {}
                // Cannot fail: we hold the sender ourselves.
                _ = moved.changed() => {
                    if self.now() < begun.now {
                        return;
                    }
                }
            }
        }
    }

    fn shown(&self) -> Shown {
        let set = self.set.lock();
        let now = set.now();
        Shown {
            now,
            offset: match set.frozen {
                Some(_) => now.saturating_sub(unix_milliseconds()),
                None => set.ahead,
            },
            is_frozen: set.frozen.is_some(),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Set)) {
        change(&mut self.set.lock());
        self.moved.send_replace(());
    }
}

impl Hand {
    /// What it shows.
    #[must_use]
    pub fn shown(&self) -> Shown {
        self.0.shown()
    }

    /// Sets the clock to `instant`, in milliseconds since the Unix epoch; where that is later, the time between passes.
    /// A clock that stands still does so from there on.
    pub fn set(&self, instant: i64) {
        self.0.change(|set| {
            let by = instant.saturating_sub(set.now());
            let passes = by.max(0);
            if let Some(frozen) = &mut set.frozen {
                frozen.now = instant;
                frozen.elapsed = frozen.elapsed.saturating_add(passes);
            } else {
                set.ahead = set.ahead.saturating_add(by);
                set.passed = set.passed.saturating_add(passes);
            }
        });
    }

    /// Lets it stand still; nothing where it does.
    pub fn freeze(&self) {
        self.0.change(|set| {
            let (now, elapsed) = (set.now(), self.0.elapsed_by(set));
            set.frozen = set.frozen.or(Some(Frozen { now, elapsed }));
        });
    }

    /// Lets it go on from where it stands.
    pub fn go_on(&self) {
        self.0.change(|set| {
            if let Some(frozen) = set.frozen.take() {
                set.ahead = frozen.now.saturating_sub(unix_milliseconds());
                set.passed = frozen
                    .elapsed
                    .saturating_sub(self.0.elapsed_by(&Set::default()));
            }
        });
    }

    /// Shows the machine's time again, and goes.
    pub fn reset(&self) {
        self.go_on();
        self.0.change(|set| {
            let by = set.ahead.saturating_neg();
            set.ahead = 0;
            set.passed = set.passed.saturating_add(by.max(0));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::Clock;
    use super::*;
    use crate::domain::timestamp::Timestamp;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn it_goes_with_the_machine_until_it_is_moved() {
        let ((clock, hand), machine) = (Clock::steered(), Clock::system());
        let apart = || clock.unix_milliseconds() - machine.unix_milliseconds();
        let near = |expected: i64| (expected..expected + 1000).contains(&apart());
        assert!(near(0) && hand.shown().offset == 0);
        hand.set(hand.shown().now + HOUR);
        assert!(near(HOUR), "{}", apart());
        hand.set(hand.shown().now - 3 * HOUR);
        assert!(near(-2 * HOUR), "{}", apart());
        hand.reset();
        assert!(near(0) && hand.shown().offset == 0);
    }

    #[test]
    fn what_passed_never_goes_back() {
        let (clock, hand) = Clock::steered();
        let hours = |clock: &Clock| clock.elapsed().as_secs() / 3600;
        hand.set(hand.shown().now + 5 * HOUR);
        assert_eq!(hours(&clock), 5);
        hand.set(hand.shown().now - 9 * HOUR);
        assert_eq!(hours(&clock), 5);
        hand.reset();
        assert_eq!(
            hours(&clock),
            9,
            "from four hours behind to now, four passed"
        );
        hand.freeze();
        let before = clock.elapsed();
        hand.set(hand.shown().now - HOUR);
        assert_eq!(clock.elapsed(), before);
        hand.set(hand.shown().now + HOUR);
        assert_eq!(hours(&clock), 10);
        hand.go_on();
        assert_eq!(hours(&clock), 10);
        assert!(clock.monotonic() < Duration::from_mins(10), "the machine's");
    }

    #[test]
    fn frozen_it_shows_one_instant_and_goes_on_from_there() {
        let (clock, hand) = Clock::steered();
        hand.set(1_800_000_000_000);
        hand.freeze();
        let frozen = hand.shown();
        assert!(frozen.is_frozen && frozen.now >= 1_800_000_000_000);
        hand.freeze();
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(clock.unix_milliseconds(), frozen.now);
        hand.set(1_900_000_000_000);
        assert_eq!(clock.now(), Timestamp::from_unix(1_900_000_000));
        assert!(hand.shown().is_frozen);
        hand.go_on();
        let on = hand.shown();
        assert!(!on.is_frozen && (1_900_000_000_000..1_900_000_060_000).contains(&on.now));
        hand.freeze();
        hand.reset();
        assert_eq!((hand.shown().offset, hand.shown().is_frozen), (0, false));
    }

    #[tokio::test]
    async fn nobody_sleeps_on_a_clock_that_stands_still_or_was_moved() {
        let (clock, hand) = Clock::steered();
        let later = |seconds: i64| Timestamp::from_unix(clock.now().unix() + seconds);
        clock.sleep_until(later(-5)).await;
        for wake in [
            |hand: &Hand| hand.freeze(),
            |hand: &Hand| hand.set(hand.shown().now + 2 * HOUR),
            |hand: &Hand| hand.set(hand.shown().now - 2 * HOUR),
        ] {
            hand.reset();
            let (sleeping, until) = (clock.clone(), later(3000));
            let sleeper = tokio::spawn(async move { sleeping.sleep_until(until).await });
            while hand.0.moved.receiver_count() == 0 {
                tokio::task::yield_now().await;
            }
            wake(&hand);
            let woken = tokio::time::timeout(Duration::from_secs(20), sleeper);
            woken.await.expect("it wakes").unwrap();
        }
        hand.freeze();
        clock.sleep_until(later(3000)).await;
    }

    #[test]
    fn the_ends_of_time_do_no_harm() {
        let (clock, hand) = Clock::steered();
        for instant in [i64::MAX, i64::MIN, 0, i64::MAX] {
            hand.set(instant);
            let _ = (clock.now(), clock.elapsed(), hand.shown());
            hand.freeze();
            let _ = (clock.now(), clock.elapsed(), hand.shown());
            hand.go_on();
        }
        hand.reset();
        assert_eq!(hand.shown().offset, 0);
    }
}
