//! The keys of one algorithm and who signs after whom: at every instant one signs, and the next one is known.

use std::collections::BTreeMap;

use super::periods::KeyPeriods;
use super::{ACTIVATION_DELAY, KeyLife};
use crate::domain::timestamp::{Seconds, Timestamp};

/// The lives of the keys of one algorithm, by kid.
///
/// At most one is `current`: it signs, or begins to when the one before retires. At most one is `next`: announced, and
/// with no time to begin yet. All others are over, or retire when `current` begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineup(BTreeMap<String, KeyLife>);

/// When the next key shall take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeOver {
    /// As soon as every verifier knows it.
    WhenKnown,
    /// As soon as every replica knows it.
    Now,
    /// At once: there is one replica.
    AtOnce,
}

/// Why a key was not retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRetired {
    /// There is no such key.
    Unknown,
    /// It retires, or retired, then.
    Already(Timestamp),
    /// Nothing could sign after it.
    NoNext,
}

impl FromIterator<(String, KeyLife)> for Lineup {
    fn from_iter<I: IntoIterator<Item = (String, KeyLife)>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}

impl Lineup {
    /// All of them, by kid.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &KeyLife)> {
        self.0.iter().map(|(kid, life)| (kid.as_str(), life))
    }

    /// The life of `kid`.
    #[must_use]
    pub fn life(&self, kid: &str) -> Option<&KeyLife> {
        self.0.get(kid)
    }

    /// The key that signs and has no end, or begins to when the one before it ends.
    #[must_use]
    pub fn current(&self) -> Option<(&str, &KeyLife)> {
        self.iter()
            .find(|(_, life)| life.retires_at.is_none() && life.activates_at.is_some())
    }

    /// The announced next key.
    #[must_use]
    pub fn next(&self) -> Option<(&str, &KeyLife)> {
        self.iter()
            .find(|(_, life)| life.retires_at.is_none() && life.activates_at.is_none())
    }

    /// The key that signs at `now`.
    #[must_use]
    pub fn signer(&self, now: Timestamp) -> Option<(&str, &KeyLife)> {
        self.iter().find(|(_, life)| life.signs(now))
    }

    /// Announces `kid` as the next key, whose tokens will live for `longest`.
    pub fn announce(&mut self, kid: String, now: Timestamp, longest: Seconds) {
        let life = KeyLife {
            longest_token: longest,
            ..KeyLife::announced(now)
        };
        self.0.insert(kid, life);
    }

    /// Does what is due at `now`. `in_use` is the longest lifetime of tokens with this algorithm, `None` where no
    /// audience has it.
    pub fn advance(&mut self, now: Timestamp, periods: &KeyPeriods, in_use: Option<Seconds>) {
        if let Some(longest) = in_use {
            self.allow_tokens(longest.min(periods.max_lifetime), now, periods);
        }
        let soonest = now.plus(ACTIVATION_DELAY);
        let turn = |life: &KeyLife| Some(life.activates_at?.plus(periods.rotation?));
        match (
            self.current()
                .map(|(kid, life)| (kid.to_owned(), turn(life))),
            in_use,
        ) {
            (None, Some(_)) => self.hand_over(soonest, periods),
            (Some(_), Some(_)) if self.planned_begin(periods).is_some_and(|at| at <= soonest) => {
                self.hand_over(soonest, periods);
            }
            (Some((kid, Some(turn))), None) if turn <= now => {
                self.end(&kid, now, periods);
                self.drop_next(now);
            }
            _ => {}
        }
    }

    /// Whether [`Self::advance`] would do anything at `now`, or a key must be announced.
    #[must_use]
    pub fn is_due(&self, now: Timestamp, periods: &KeyPeriods, in_use: Option<Seconds>) -> bool {
        let mut after = self.clone();
        after.advance(now, periods, in_use);
        after != *self || (in_use.is_some() && self.lacks_next())
    }

    /// When the next key begins to sign by schedule, where there is one.
    #[must_use]
    pub fn planned_begin(&self, periods: &KeyPeriods) -> Option<Timestamp> {
        let (_, current) = self.current()?;
        let turn = current.activates_at?.plus(periods.rotation?);
        Some(periods.known_from(self.next()?.1).max(turn))
    }

    /// When [`Self::advance`] has something to do next, as far as the schedule says.
    #[must_use]
    pub fn next_turn(&self, periods: &KeyPeriods, in_use: Option<Seconds>) -> Option<Timestamp> {
        match in_use {
            Some(_) => Some(self.planned_begin(periods)?.minus(ACTIVATION_DELAY)),
            None => Some(self.current()?.1.activates_at?.plus(periods.rotation?)),
        }
    }

    /// Whether there is no next key.
    #[must_use]
    pub fn lacks_next(&self) -> bool {
        self.next().is_none()
    }

    /// Lets the next key take over; gives since or from when on the current key signs. Where it is the next one's turn
    /// already, it stays so, and comes sooner where it shall be now.
    ///
    /// `None` where there is no next key.
    pub fn rotate(
        &mut self,
        when: TakeOver,
        now: Timestamp,
        periods: &KeyPeriods,
    ) -> Option<Timestamp> {
        let soonest = now.plus(ACTIVATION_DELAY);
        if let Some(begin) = self.pending_begin(now) {
            let begin = match when {
                TakeOver::WhenKnown => begin,
                TakeOver::Now => begin.min(soonest),
                TakeOver::AtOnce => now,
            };
            self.move_begin(begin, periods);
            return Some(begin);
        }
        let known = periods.known_from(self.next()?.1);
        let begin = match when {
            TakeOver::WhenKnown => known.max(soonest),
            TakeOver::Now => soonest,
            TakeOver::AtOnce => now,
        };
        self.hand_over(begin, periods);
        Some(begin)
    }

    /// Retires `kid`. Where it signs, the next key takes over as soon as every verifier knows it.
    ///
    /// # Errors
    /// No such key, one that is retired, or none that could sign after it.
    pub fn retire(
        &mut self,
        kid: &str,
        now: Timestamp,
        periods: &KeyPeriods,
    ) -> Result<(), NotRetired> {
        let life = self.0.get(kid).ok_or(NotRetired::Unknown)?;
        if let Some(at) = life.retires_at {
            return Err(NotRetired::Already(at));
        }
        let Some(begin) = life.activates_at else {
            self.drop_next(now);
            return Ok(());
        };
        let soonest = now.plus(ACTIVATION_DELAY);
        if begin > soonest && self.revive_one_before(begin) {
            // Replicas that have not heard of this will still begin to sign with it: it ends like one that did.
            self.end(kid, now, periods);
        } else {
            let known = periods.known_from(self.next().ok_or(NotRetired::NoNext)?.1);
            self.hand_over(known.max(soonest), periods);
        }
        Ok(())
    }

    /// Ends `kid` and all that it signed, at once; the one after it signs at once.
    ///
    /// # Errors
    /// No such key, or none that could sign after it.
    pub fn compromise(&mut self, kid: &str, now: Timestamp) -> Result<(), NotRetired> {
        let life = *self.0.get(kid).ok_or(NotRetired::Unknown)?;
        match (life.activates_at, life.retires_at) {
            (Some(begin), None) if begin > now && self.revive_one_before(begin) => {}
            (Some(_), None) => {
                let next = self.next().map(|(kid, _)| kid.to_owned());
                self.begin(&next.ok_or(NotRetired::NoNext)?, now);
            }
            // The one after it need not be the current one: that may be to follow still later.
            (Some(begin), Some(end)) if end > now && end > begin => {
                let after = self.beginning_at(end).ok_or(NotRetired::NoNext)?;
                self.begin(&after, begin.max(now));
            }
            _ => {}
        }
        if let Some(life) = self.0.get_mut(kid) {
            life.retires_at = Some(life.retires_at.map_or(now, |at| at.min(now)));
            life.expires_at = Some(life.expires_at.map_or(now, |at| at.min(now)));
            life.compromised_at = Some(life.compromised_at.unwrap_or(now));
        }
        Ok(())
    }

    /// Tokens may live for `longest`: whatever may still sign stays as long as they do.
    pub fn allow_tokens(&mut self, longest: Seconds, now: Timestamp, periods: &KeyPeriods) {
        let may_sign = |life: &&mut KeyLife| {
            let end = life.retires_at.map(|at| at.plus(periods.max_staleness));
            end.is_none_or(|end| end > now)
        };
        for life in self.0.values_mut().filter(may_sign) {
            if life.longest_token >= longest {
                continue;
            }
            life.longest_token = longest;
            let begun = life.activates_at.and(life.retires_at);
            if let (Some(retires_at), None) = (begun, life.compromised_at) {
                life.expires_at = Some(periods.last_expiry(life, retires_at));
            }
        }
    }

    /// When the current key begins to sign, where it does not yet.
    fn pending_begin(&self, now: Timestamp) -> Option<Timestamp> {
        let (_, current) = self.current()?;
        current.activates_at.filter(|begin| *begin > now)
    }

    fn hand_over(&mut self, at: Timestamp, periods: &KeyPeriods) {
        let Some(next) = self.next().map(|(kid, _)| kid.to_owned()) else {
            return;
        };
        if let Some(current) = self.current().map(|(kid, _)| kid.to_owned()) {
            self.end(&current, at, periods);
        }
        self.begin(&next, at);
    }

    /// The current key begins at `begin`, and the one before it ends then.
    fn move_begin(&mut self, begin: Timestamp, periods: &KeyPeriods) {
        let Some((current, Some(before))) = self
            .current()
            .map(|(kid, life)| (kid.to_owned(), life.activates_at))
        else {
            return;
        };
        if let Some(outgoing) = self.ending_at(before) {
            self.end(&outgoing, begin, periods);
        }
        self.begin(&current, begin);
    }

    /// The key that ends when the current one begins at `begin` has no end any more; tells whether there is one.
    fn revive_one_before(&mut self, begin: Timestamp) -> bool {
        let outgoing = self.ending_at(begin);
        let outgoing = outgoing.and_then(|kid| self.0.get_mut(&kid));
        let is_there = outgoing.is_some();
        if let Some(life) = outgoing {
            (life.retires_at, life.expires_at) = (None, None);
        }
        is_there
    }

    fn ending_at(&self, at: Timestamp) -> Option<String> {
        let ending = |life: &KeyLife| life.retires_at == Some(at) && life.compromised_at.is_none();
        self.iter()
            .find(|(_, life)| ending(life))
            .map(|(kid, _)| kid.to_owned())
    }

    fn beginning_at(&self, at: Timestamp) -> Option<String> {
        let begins = |life: &KeyLife| {
            life.activates_at == Some(at)
                && life.compromised_at.is_none()
                && life.retires_at.is_none_or(|end| end > at)
        };
        self.iter()
            .find(|(_, life)| begins(life))
            .map(|(kid, _)| kid.to_owned())
    }

    fn begin(&mut self, kid: &str, at: Timestamp) {
        if let Some(life) = self.0.get_mut(kid) {
            life.activates_at = Some(at);
        }
    }

    fn end(&mut self, kid: &str, at: Timestamp, periods: &KeyPeriods) {
        if let Some(life) = self.0.get_mut(kid) {
            life.retires_at = Some(at);
            life.expires_at = Some(periods.last_expiry(life, at));
        }
    }

    /// It never signed anything.
    fn drop_next(&mut self, now: Timestamp) {
        let next = self.next().map(|(kid, _)| kid.to_owned());
        if let Some(life) = next.and_then(|kid| self.0.get_mut(&kid)) {
            (life.retires_at, life.expires_at) = (Some(now), Some(now));
        }
    }
}
