//! Our clock beside the database's, which all replicas share (DESIGN section 1).
//!
//! Each reading of the feed gives the database's time. Between readings it is extrapolated with the monotonic clock,
//! so setting this machine's clock does not move it and is noticed.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;

use crate::clock::Clock;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::store::database_clock::ClockReading;

/// The operator is warned beyond this difference, in milliseconds.
const WARNED: i64 = 2_000;
/// The warning ends below this difference, in milliseconds. It is lower than [`WARNED`] so that a difference near the
/// bound does not flood the log.
const OVER: i64 = 1_500;
/// Beyond this difference nothing is issued or introspected, because tokens would begin and end at the wrong time.
pub(super) const MOST_APART: Seconds = Seconds::new(60);

/// Our clock, and what is known of the database's.
#[derive(Debug)]
pub struct Clocks {
    ours: Clock,
    /// `None` before the first reading.
    anchor: ArcSwapOption<Anchor>,
    /// The latest that the database's clock ever said, in milliseconds since the Unix epoch.
    latest: AtomicI64,
    standing: Mutex<Standing>,
}

/// The database's clock relative to our monotonic one, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    /// The database's time when our monotonic clock was at zero.
    origin: i64,
    /// How far off that may be, in either direction: half a round trip.
    uncertainty: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    #[default]
    Together,
    Apart,
    TooFarApart,
}

/// The least possible difference between our clock and the database's, in milliseconds; negative if ours is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Apart(i64);

/// The times by which a signing key is chosen, by the database's clock.
#[derive(Clone, Copy, Debug)]
pub struct KeyTime {
    /// The time.
    pub now: Timestamp,
    /// The latest time that was ever seen. If the clock was set back and no key is active, a key that was active at
    /// this time and is not retired may still sign.
    pub latest: Timestamp,
    /// Whether tests move the clock: then there is no other replica, and nobody expects a key of a time that is not
    /// there.
    pub is_steered: bool,
}

impl Anchor {
    fn new(reading: ClockReading) -> Self {
        let (asked, answered) = (milliseconds(reading.asked), milliseconds(reading.answered));
        let round_trip = answered.saturating_sub(asked);
        let origin = reading.database.unix_milliseconds() - asked - round_trip / 2;
        Self {
            origin,
            uncertainty: round_trip.saturating_add(1) / 2,
        }
    }

    fn now(self, clock: &Clock) -> i64 {
        self.origin.saturating_add(milliseconds(clock.monotonic()))
    }

    fn apart(self, clock: &Clock) -> Apart {
        let apart = clock.unix_milliseconds().saturating_sub(self.now(clock));
        let surely = apart
            .saturating_abs()
            .saturating_sub(self.uncertainty)
            .max(0);
        Apart(surely * apart.signum())
    }
}

impl Clocks {
    /// Knows nothing of the database's clock until the first reading.
    #[must_use]
    pub fn new(ours: Clock) -> Self {
        Self {
            ours,
            anchor: ArcSwapOption::empty(),
            latest: AtomicI64::default(),
            standing: Mutex::default(),
        }
    }

    /// Our clock.
    #[must_use]
    pub const fn ours(&self) -> &Clock {
        &self.ours
    }

    /// The time by our clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.ours.now()
    }

    /// What time it is by the database's clock, as far as this replica can tell.
    #[must_use]
    pub fn database_now(&self) -> Timestamp {
        Timestamp::from_unix(self.database_milliseconds().div_euclid(1000))
    }

    /// Converts `instant` from the database's clock to ours, rounded up to a whole second.
    pub(super) fn by_ours(&self, instant: Timestamp) -> Timestamp {
        let ahead = self.ours.unix_milliseconds() - self.database_milliseconds();
        let ours = instant.unix().saturating_mul(1000).saturating_add(ahead);
        Timestamp::from_unix(ours.saturating_add(999).div_euclid(1000))
    }

    /// The instants that choose a signing key.
    pub(super) fn key_time(&self) -> KeyTime {
        let now = self.database_now();
        let latest = self.latest.load(Ordering::Relaxed).div_euclid(1000);
        KeyTime {
            now,
            latest: now.max(Timestamp::from_unix(latest)),
            is_steered: self.ours.is_steered(),
        }
    }

    /// Whether the clocks are close enough to issue and introspect by.
    ///
    /// # Errors
    /// The difference, if it is too large.
    pub(super) fn check(&self) -> Result<(), Apart> {
        let apart = self.apart();
        if apart.is_too_far() {
            Err(apart)
        } else {
            Ok(())
        }
    }

    /// By how much our clock is ahead of the database's, in milliseconds; `None` before the first reading.
    pub(super) fn ahead(&self) -> Option<i64> {
        let anchor = self.anchor.load();
        let anchor = anchor.as_ref()?;
        Some(self.ours.unix_milliseconds() - anchor.now(&self.ours))
    }

    pub(super) fn note(&self, reading: ClockReading) {
        // One clock for both: what it said before it was moved says nothing of now.
        if self.ours.is_steered() {
            return;
        }
        let anchor = Anchor::new(reading);
        let before = self.anchor.swap(Some(anchor.into()));
        // The time extrapolated from the previous reading may be later than this reading.
        let latest = before.map_or(i64::MIN, |before| before.now(&self.ours));
        self.latest
            .fetch_max(latest.max(anchor.now(&self.ours)), Ordering::Relaxed);
    }

    /// Our own time before the first reading.
    fn database_milliseconds(&self) -> i64 {
        self.anchor
            .load()
            .as_ref()
            .map_or_else(|| self.ours.unix_milliseconds(), |it| it.now(&self.ours))
    }

    pub(super) fn apart(&self) -> Apart {
        self.anchor
            .load()
            .as_ref()
            .map_or(Apart(0), |it| it.apart(&self.ours))
    }

    /// Sets the new standing; returns the old and the new one.
    pub(super) fn stand(&self, apart: Apart) -> (Standing, Standing) {
        let mut standing = self.standing.lock();
        let bound = if *standing == Standing::Together {
            WARNED
        } else {
            OVER
        };
        let now = match apart.0.saturating_abs() {
            _ if apart.is_too_far() => Standing::TooFarApart,
            difference if difference > bound => Standing::Apart,
            _ => Standing::Together,
        };
        (std::mem::replace(&mut *standing, now), now)
    }
}

impl Apart {
    fn is_too_far(self) -> bool {
        self.0.saturating_abs() > i64::from(MOST_APART.get()) * 1000
    }
}

impl fmt::Display for Apart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.0 < 0 { "behind" } else { "ahead of" };
        let (whole, tenths) = (self.0.abs() / 1000, self.0.abs() % 1000 / 100);
        write!(
            f,
            "this machine's clock is {whole}.{tenths} s {side} the database's"
        )
    }
}

fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::database_clock::DatabaseTime;

    const NOW: i64 = 1_767_225_600;

    /// A reading that took `round_trip` seconds, in the middle of which the database's clock said `database`.
    fn reading(clock: &Clock, round_trip: u64, database: i64) -> ClockReading {
        let asked = clock.monotonic();
        let answered = asked + Duration::from_secs(round_trip);
        ClockReading {
            database: DatabaseTime::from_unix(database),
            asked,
            answered,
        }
    }

    fn noted(round_trip: u64, ahead: i64) -> (Clocks, Clock) {
        let clock = Clock::manual(Timestamp::from_unix(NOW));
        let clocks = Clocks::new(clock.clone());
        clocks.note(reading(&clock, round_trip, NOW - ahead));
        (clocks, clock)
    }

    #[test]
    fn a_minute_either_way_is_borne_and_not_more() {
        for (ahead, borne) in [
            (0, true),
            (60, true),
            (61, false),
            (-60, true),
            (-61, false),
        ] {
            let (clocks, _) = noted(0, ahead);
            assert_eq!(clocks.check().is_ok(), borne, "{ahead}");
        }
    }

    #[test]
    fn what_a_slow_answer_leaves_open_is_not_held_against_the_clock() {
        // Asked at NOW, answered at NOW + 10: the database said so at NOW + 5, or up to five seconds from it.
        for (database, apart) in [(NOW, 0), (NOW + 10, 0), (NOW - 7, 7000), (NOW + 18, -8000)] {
            let clock = Clock::manual(Timestamp::from_unix(NOW));
            let clocks = Clocks::new(clock.clone());
            clocks.note(reading(&clock, 10, database));
            assert_eq!(clocks.apart(), Apart(apart), "{database}");
        }
    }

    #[test]
    fn time_goes_on_between_readings_and_setting_our_clock_does_not_move_it() {
        let (clocks, clock) = noted(0, 7);
        clock.advance(Seconds::new(20));
        assert_eq!(clocks.database_milliseconds(), (NOW - 7 + 20) * 1000);
        clock.set_by(3600);
        assert_eq!(clocks.database_milliseconds(), (NOW - 7 + 20) * 1000);
        assert_eq!(clocks.apart(), Apart(3_607_000));
        assert_eq!(clocks.ahead(), Some(3_607_000));
        assert!(clocks.check().is_err());
        clock.set_by(-3600);
        assert!(clocks.check().is_ok());
    }

    #[test]
    fn a_difference_about_the_bound_is_told_once() {
        let (clocks, _) = noted(0, 0);
        let stands = [1990, 2010, 1990, 2010, 1600, 1400, 1990].map(|it| clocks.stand(Apart(it)));
        let changes = stands.iter().filter(|(before, now)| before != now).count();
        assert_eq!(changes, 2, "{stands:?}");
    }

    #[test]
    fn the_difference_is_told_in_seconds() {
        let told = |it| Apart(it).to_string();
        assert_eq!(
            told(4_320_000),
            "this machine's clock is 4320.0 s ahead of the database's"
        );
        assert_eq!(
            told(-2_345),
            "this machine's clock is 2.3 s behind the database's"
        );
    }
}
