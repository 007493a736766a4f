//! The life of keys by properties: whatever happens, at every instant one key signs, and its tokens verify.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::lineup::{Lineup, NotRetired, TakeOver};
use super::periods::{KeyPeriods, notice};
use super::*;

const START: i64 = 1_767_225_600;

fn at(after: i64) -> Timestamp {
    Timestamp::from_unix(START + after)
}

const fn seconds(number: u32) -> Seconds {
    Seconds::new(number)
}

/// What happens to the keys in some second.
#[derive(Clone, Debug)]
enum Event {
    /// A replica looks at what is due.
    Look,
    Rotate(TakeOver),
    /// Of the keys in the order of their names, counted round.
    Retire(usize),
    Compromise(usize),
    /// Tokens may live longer, or less long.
    Tokens(u32),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        20 => Just(Event::Look),
        2 => Just(Event::Rotate(TakeOver::WhenKnown)),
        1 => Just(Event::Rotate(TakeOver::Now)),
        2 => any::<usize>().prop_map(Event::Retire),
        1 => any::<usize>().prop_map(Event::Compromise),
        1 => (1..30_u32).prop_map(Event::Tokens),
    ]
}

/// As the settings allow them; the rotation from the shortest on.
fn periods() -> impl Strategy<Value = KeyPeriods> {
    let spans = (
        0..8_u32,
        2..8_u32,
        1..40_u32,
        proptest::option::of(0..12_u32),
    );
    spans.prop_map(|(max_age, staleness, longest, more)| {
        let (jwks_max_age, max_staleness) = (seconds(max_age), seconds(staleness));
        let least = notice(jwks_max_age, max_staleness).get();
        KeyPeriods {
            rotation: more.map(|more| seconds(least + more)),
            jwks_max_age,
            max_staleness,
            max_lifetime: seconds(longest),
        }
    })
}

/// Keys over time, and what they signed.
struct Model {
    lineup: Lineup,
    periods: KeyPeriods,
    longest: u32,
    made: usize,
    /// When the last token of each key expires.
    last_expiry: BTreeMap<String, Timestamp>,
    /// Those that somebody took over before every verifier knew them.
    hurried: Vec<String>,
}

impl Model {
    fn new(periods: KeyPeriods) -> Self {
        let first = ("key 0".to_owned(), KeyLife::from(at(0), at(0)));
        let mut model = Self {
            lineup: Lineup::from_iter([first]),
            periods,
            longest: 5,
            made: 1,
            last_expiry: BTreeMap::new(),
            hurried: vec!["key 0".to_owned()],
        };
        model.look(at(0));
        model
    }

    fn look(&mut self, now: Timestamp) {
        self.lineup
            .advance(now, &self.periods, Some(seconds(self.longest)));
        self.announce(now);
    }

    fn announce(&mut self, now: Timestamp) {
        if self.lineup.lacks_next() {
            let longest = seconds(self.longest).min(self.periods.max_lifetime);
            self.lineup
                .announce(format!("key {}", self.made), now, longest);
            self.made += 1;
        }
    }

    /// As a command does it: the next key is there before and after.
    fn take(&mut self, event: &Event, now: Timestamp) {
        let kid = |index: &usize| {
            let kids: Vec<_> = self.lineup.iter().map(|(kid, _)| kid.to_owned()).collect();
            kids[index % kids.len()].clone()
        };
        match event {
            Event::Look => self.look(now),
            Event::Tokens(longest) => {
                self.longest = *longest;
                self.look(now);
            }
            Event::Rotate(when) => {
                let before = self.lineup.clone();
                let begin = self.lineup.rotate(*when, now, &self.periods);
                assert!(begin.is_some(), "there is always a next key");
                if *when == TakeOver::Now {
                    self.note_hurried(&before);
                }
            }
            Event::Retire(index) => {
                let kid = kid(index);
                let retired = self.lineup.retire(&kid, now, &self.periods);
                assert!(!matches!(
                    retired,
                    Err(NotRetired::NoNext | NotRetired::Unknown)
                ));
            }
            Event::Compromise(index) => {
                let (kid, before) = (kid(index), self.lineup.clone());
                assert_eq!(self.lineup.compromise(&kid, now), Ok(()));
                self.last_expiry.remove(&kid);
                self.note_hurried(&before);
            }
        }
        self.announce(now);
    }

    /// Those that begin sooner than they did before.
    fn note_hurried(&mut self, before: &Lineup) {
        let begin = |lineup: &Lineup, kid: &str| lineup.life(kid).and_then(|it| it.activates_at);
        let is_hurried = |kid: &str| match (begin(before, kid), begin(&self.lineup, kid)) {
            (Some(before), Some(now)) => now < before,
            (before, now) => before != now,
        };
        let kids = self.lineup.iter().map(|(kid, _)| kid);
        let hurried: Vec<_> = kids
            .filter(|kid| is_hurried(kid))
            .map(str::to_owned)
            .collect();
        self.hurried.extend(hurried);
    }

    fn sign_and_check(&mut self, now: Timestamp) {
        let signers: Vec<_> = self
            .lineup
            .iter()
            .filter(|(_, life)| life.signs(now))
            .collect();
        assert_eq!(signers.len(), 1, "at {now}: {:?}", self.lineup);
        let (kid, life) = (signers[0].0.to_owned(), *signers[0].1);
        assert!(life.verifies(now));
        if !self.hurried.contains(&kid) {
            assert!(
                self.periods.known_from(&life) <= now,
                "{kid} at {now}: {:?}",
                self.lineup
            );
        }
        let longest = seconds(self.longest).min(self.periods.max_lifetime);
        self.note_token(kid, now.plus(longest));
        for (kid, last) in &self.last_expiry {
            let life = self.lineup.life(kid).unwrap();
            assert!(
                *last <= now || life.verifies(now),
                "{kid} at {now}: {life:?}"
            );
        }
        let standing: Vec<_> = self
            .lineup
            .iter()
            .filter(|(_, it)| it.retires_at.is_none())
            .collect();
        let begun = standing.iter().filter(|(_, it)| it.activates_at.is_some());
        assert_eq!((begun.count(), standing.len()), (1, 2), "{:?}", self.lineup);
    }

    fn note_token(&mut self, kid: String, expires: Timestamp) {
        let last = self.last_expiry.entry(kid).or_insert(expires);
        *last = (*last).max(expires);
    }
}

proptest! {
    /// JOSE-04, DESIGN section 5: whatever happens to the keys, second by second.
    #[test]
    fn at_every_instant_one_known_key_signs_and_none_leaves_before_its_last_token(
        periods in periods(),
        events in prop::collection::vec(proptest::option::weighted(0.6, event()), 1..200),
    ) {
        let mut model = Model::new(periods);
        for (second, event) in (1..).zip(&events) {
            if let Some(event) = event {
                model.take(event, at(second));
            }
            model.sign_and_check(at(second));
        }
    }

    /// A replica that has not heard of anything for as long as it may signs as it knew, and what it signs verifies.
    #[test]
    fn what_a_stale_replica_signs_verifies_until_it_expires(
        periods in periods(),
        events in prop::collection::vec(proptest::option::weighted(0.6, event()), 1..150),
    ) {
        let mut model = Model::new(periods);
        let stale = i64::from(periods.max_staleness.get());
        let mut known = vec![model.lineup.clone()];
        for (second, event) in (1..).zip(&events) {
            // What is compromised is dead, whoever has not heard of it.
            if let Some(event) = event.as_ref().filter(|it| !matches!(it, Event::Compromise(_))) {
                model.take(event, at(second));
            }
            known.push(model.lineup.clone());
            let knew = usize::try_from((second - stale).max(0)).unwrap();
            let signer = known[knew].signer(at(second));
            let signer = signer.map(|(kid, life)| (kid.to_owned(), life.longest_token));
            if let Some((kid, longest)) = signer {
                model.note_token(kid, at(second).plus(longest));
            }
            model.sign_and_check(at(second));
        }
    }

    /// With replicas that look each second, keys change exactly when their turn comes.
    #[test]
    fn keys_change_when_their_turn_comes(periods in periods()) {
        let mut model = Model::new(periods);
        let mut begins = vec![];
        for second in 0..200 {
            model.look(at(second));
            model.sign_and_check(at(second));
            let (_, signer) = model.lineup.signer(at(second)).unwrap();
            let begin = signer.activates_at.unwrap();
            if begins.last() != Some(&begin) {
                begins.push(begin);
            }
        }
        let Some(rotation) = periods.rotation else {
            prop_assert_eq!(begins, [at(0)]);
            return Ok(());
        };
        for pair in begins.windows(2) {
            prop_assert_eq!(pair[0].plus(rotation), pair[1]);
        }
    }
}

const PERIODS: KeyPeriods = KeyPeriods {
    rotation: None,
    jwks_max_age: seconds(300),
    max_staleness: seconds(30),
    max_lifetime: seconds(3600),
};

/// `a` signs, `b` stands by since the beginning.
fn two() -> Lineup {
    let mut lineup = Lineup::from_iter([("a".to_owned(), KeyLife::from(at(0), at(0)))]);
    lineup.announce("b".to_owned(), at(0), seconds(900));
    lineup.advance(at(0), &PERIODS, Some(seconds(900)));
    lineup
}

#[test]
fn a_known_key_takes_over_in_two_seconds_and_an_unknown_one_waits() {
    let mut lineup = two();
    assert_eq!(
        lineup.rotate(TakeOver::WhenKnown, at(1000), &PERIODS),
        Some(at(1002))
    );
    assert_eq!(lineup.signer(at(1001)).unwrap().0, "a");
    assert_eq!(lineup.signer(at(1002)).unwrap().0, "b");
    // The longest token, what a stale replica signs, and a clock that is ahead.
    assert_eq!(
        lineup.life("a").unwrap().expires_at,
        Some(at(1002 + 900 + 30 + 2))
    );
    let mut lineup = two();
    assert_eq!(
        lineup.rotate(TakeOver::WhenKnown, at(10), &PERIODS),
        Some(at(331))
    );
    assert_eq!(
        lineup.rotate(TakeOver::WhenKnown, at(20), &PERIODS),
        Some(at(331))
    );
    assert_eq!(lineup.rotate(TakeOver::Now, at(30), &PERIODS), Some(at(32)));
    assert_eq!(lineup.life("a").unwrap().retires_at, Some(at(32)));
}

#[test]
fn a_key_that_never_signed_leaves_at_once() {
    let mut lineup = two();
    assert_eq!(lineup.retire("b", at(10), &PERIODS), Ok(()));
    assert!(!lineup.life("b").unwrap().verifies(at(10)));
    assert_eq!(
        lineup.retire("b", at(11), &PERIODS),
        Err(NotRetired::Already(at(10)))
    );
    assert_eq!(
        lineup.retire("c", at(11), &PERIODS),
        Err(NotRetired::Unknown)
    );
    assert_eq!(
        lineup.retire("a", at(11), &PERIODS),
        Err(NotRetired::NoNext)
    );
}

#[test]
fn a_compromised_key_is_dead_at_once_and_stays_so_when_the_clock_is_set_back() {
    let mut lineup = two();
    assert_eq!(lineup.compromise("a", at(10)), Ok(()));
    assert_eq!(lineup.signer(at(10)).unwrap().0, "b");
    for instant in [at(10), at(5), at(-1000)] {
        let life = lineup.life("a").unwrap();
        assert!(!life.signs(instant) && !life.verifies(instant));
        assert_eq!(life.state(instant), KeyState::Expired);
    }
}

/// Two keys are to follow, one after the other, and the one that signs, or that would sign next, is stolen.
#[test]
fn of_several_keys_to_come_the_next_one_takes_the_place_of_a_compromised_one() {
    let lineup = |stolen: &str| {
        let mut lineup = two();
        lineup.rotate(TakeOver::WhenKnown, at(10), &PERIODS);
        lineup.announce("c".to_owned(), at(10), seconds(900));
        lineup.retire("b", at(330), &PERIODS).unwrap();
        lineup.announce("d".to_owned(), at(330), seconds(900));
        assert_eq!(lineup.compromise(stolen, at(330)), Ok(()));
        [330, 331, 340, 341, 342].map(|second| {
            let signing = lineup.iter().filter(|(_, life)| life.signs(at(second)));
            signing
                .map(|(kid, _)| kid.to_owned())
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    assert_eq!(lineup("a"), ["b", "b", "b", "c", "c"]);
    assert_eq!(lineup("b"), ["a", "c", "c", "c", "c"]);
}

#[test]
fn a_key_that_no_audience_needs_retires_when_its_turn_comes_and_none_follows() {
    let periods = KeyPeriods {
        rotation: Some(seconds(1000)),
        ..PERIODS
    };
    let mut lineup = two();
    lineup.advance(at(999), &periods, None);
    assert_eq!(lineup, two());
    lineup.advance(at(1000), &periods, None);
    assert_eq!(lineup.signer(at(1000)), None);
    assert!(!lineup.life("b").unwrap().verifies(at(1000)));
    assert!(lineup.life("a").unwrap().verifies(at(1931)));
    assert!(!lineup.is_due(at(5000), &periods, None));
    // Needed again, and nobody signs: whatever is announced begins.
    assert!(lineup.is_due(at(5000), &periods, Some(seconds(900))));
    lineup.announce("c".to_owned(), at(5000), seconds(900));
    lineup.advance(at(5000), &periods, Some(seconds(900)));
    assert_eq!(lineup.signer(at(5002)).unwrap().0, "c");
}

#[test]
fn tokens_that_live_longer_keep_a_key_that_still_may_sign_and_shorter_ones_end_none_sooner() {
    let mut lineup = two();
    lineup.rotate(TakeOver::WhenKnown, at(1000), &PERIODS);
    let end = |lineup: &Lineup| lineup.life("a").unwrap().expires_at.unwrap();
    lineup.allow_tokens(seconds(60), at(1001), &PERIODS);
    assert_eq!(end(&lineup), at(1934));
    lineup.allow_tokens(seconds(1000), at(1031), &PERIODS);
    assert_eq!(end(&lineup), at(2034));
    lineup.allow_tokens(seconds(2000), at(1033), &PERIODS);
    assert_eq!(end(&lineup), at(2034));
}

#[test]
fn a_key_goes_through_its_states_in_order() {
    let life = KeyLife {
        activates_at: Some(at(10)),
        retires_at: Some(at(20)),
        expires_at: Some(at(30)),
        ..KeyLife::announced(at(0))
    };
    for (instant, state) in [
        (0, KeyState::Announced),
        (9, KeyState::Announced),
        (10, KeyState::Active),
        (19, KeyState::Active),
        (20, KeyState::Retired),
        (29, KeyState::Retired),
        (30, KeyState::Expired),
    ] {
        assert_eq!(life.state(at(instant)), state, "{instant}");
    }
}
