//! So many events in a span of time: that many at once, then evenly spread. A token bucket that is kept as one instant,
//! as ATM's generic cell rate algorithm does.

use std::num::NonZeroU32;
use std::time::Duration;

use super::timestamp::Seconds;

/// `events` in each span of `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many at once.
    pub events: NonZeroU32,
    /// In which time as many become free again.
    pub per: Seconds,
}

/// The instant from which on nothing of an allowance is spent any more, in milliseconds of a monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpentUntil(pub u64);

impl Allowance {
    /// `None` for no events: whatever it guards is not guarded.
    #[must_use]
    pub fn new(events: u32, per: Seconds) -> Option<Self> {
        Some(Self {
            events: NonZeroU32::new(events)?,
            per,
        })
    }

    /// How long until one more event fits; `None` where it fits at `now` (milliseconds).
    #[must_use]
    pub fn wait(self, spent: SpentUntil, now: u64) -> Option<Duration> {
        let over = (spent.0.saturating_sub(now) + self.cost()).saturating_sub(self.span());
        (over > 0).then(|| Duration::from_millis(over))
    }

    /// One more event at `now`, whether it fits or not: what goes past the allowance is paid back by waiting longer.
    #[must_use]
    pub fn spend(self, spent: SpentUntil, now: u64) -> SpentUntil {
        SpentUntil(spent.0.max(now).saturating_add(self.cost()))
    }

    /// How many events are not paid back at `now`.
    #[must_use]
    pub fn outstanding(self, spent: SpentUntil, now: u64) -> u64 {
        spent.0.saturating_sub(now).div_ceil(self.cost())
    }

    fn span(self) -> u64 {
        u64::from(self.per.get()) * 1000
    }

    /// What one event costs, in milliseconds.
    fn cost(self) -> u64 {
        (self.span() / u64::from(self.events.get())).max(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn twenty_a_minute() -> Allowance {
        Allowance::new(20, Seconds::new(60)).unwrap()
    }

    #[test]
    fn so_many_fit_at_once_and_then_one_each_time_that_one_is_paid_back() {
        let allowance = twenty_a_minute();
        let mut spent = SpentUntil::default();
        for _ in 0..20 {
            assert_eq!(allowance.wait(spent, 1000), None);
            spent = allowance.spend(spent, 1000);
        }
        assert_eq!(allowance.outstanding(spent, 1000), 20);
        assert_eq!(allowance.wait(spent, 1000), Some(Duration::from_secs(3)));
        assert_eq!(allowance.wait(spent, 3999), Some(Duration::from_millis(1)));
        assert_eq!(allowance.wait(spent, 4000), None);
        assert_eq!(allowance.outstanding(spent, 61_000), 0);
    }

    #[test]
    fn what_goes_past_the_allowance_is_paid_back() {
        let allowance = twenty_a_minute();
        let spent = (0..50).fold(SpentUntil::default(), |spent, _| allowance.spend(spent, 0));
        assert_eq!(allowance.wait(spent, 0), Some(Duration::from_secs(93)));
    }

    #[test]
    fn no_events_are_no_allowance() {
        assert_eq!(Allowance::new(0, Seconds::new(60)), None);
    }

    proptest! {
        /// Whoever keeps to it has never more than twice the allowance in one span, whenever that begins.
        #[test]
        fn no_span_holds_more_than_the_burst_and_what_was_paid_back(
            events in 1_u32..50, per in 1_u32..100, tries in proptest::collection::vec(0_u64..5000, 1..300)
        ) {
            let allowance = Allowance::new(events, Seconds::new(per)).unwrap();
            let (mut spent, mut now, mut taken) = (SpentUntil::default(), 0, Vec::new());
            for pause in tries {
                now += pause;
                if allowance.wait(spent, now).is_none() {
                    spent = allowance.spend(spent, now);
                    taken.push(now);
                }
            }
            for (first, begin) in taken.iter().enumerate() {
                let in_span = taken[first..].iter().filter(|at| **at < begin + u64::from(per) * 1000).count();
                prop_assert!(in_span as u64 <= 2 * u64::from(events));
            }
        }
    }
}
