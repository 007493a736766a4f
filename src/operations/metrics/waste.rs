//! Wasted tokens: those that were issued while an equal one had more than half of its life left, as by a client that
//! does not cache.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::decision::{ClaimedClient, Decided, Decision};
use crate::domain::timestamp::Timestamp;

/// The most tokens that are remembered, one in each place: 512 KiB. When one takes the place of another, a wasted token
/// goes uncounted.
const PLACES: usize = 65_536;
/// The half of a place that tells which token it is; the other one is the second until which it is fresh.
const HALF: u32 = 32;

/// The tokens that were issued last, as fingerprints under a key of this process, so that nobody can make two collide.
#[derive(Debug)]
pub(super) struct RecentTokens {
    key: RandomState,
    places: Box<[AtomicU64]>,
}

impl RecentTokens {
    pub(super) fn new() -> Self {
        Self {
            key: RandomState::new(),
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Whether a request got a token although an equal one was still fresh; the new one is remembered.
    pub(super) fn is_wasted(&self, decided: &Decided) -> bool {
        let decision = &decided.decision;
        decided
            .fresh_until()
            .is_some_and(|until| self.put(self.fingerprint(decision), (decision.at, until)))
    }

    /// Whether a token with this fingerprint was fresh at `now`; from now on it is so until `fresh_until`.
    fn put(&self, fingerprint: u64, (now, fresh_until): (Timestamp, Timestamp)) -> bool {
        let index = usize::try_from(fingerprint % PLACES as u64).unwrap_or(0);
        let Some(place) = self.places.get(index) else {
            return false;
        };
        let which = fingerprint >> HALF;
        let fresh_until = seconds(fresh_until.unix());
        let before = place.swap(which << HALF | fresh_until, Ordering::Relaxed);
        before >> HALF == which && before & u64::from(u32::MAX) > seconds(now.unix())
    }

    /// Two tokens are equal that one could use in the place of the other.
    fn fingerprint(&self, decision: &Decision) -> u64 {
        let client = decision.client.as_ref().map(ClaimedClient::as_text);
        self.key.hash_one((
            client,
            &decision.audience,
            &decision.scopes_granted,
            &decision.bound_to,
            &decision.delegation,
        ))
    }
}

/// Unix seconds in half a place: until the year 2106.
fn seconds(unix: i64) -> u64 {
    u64::from(u32::try_from(unix).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_wasted_while_an_equal_one_has_more_than_half_of_its_life_left() {
        let recent = RecentTokens::new();
        let asked = |fingerprint, at| {
            let span = (Timestamp::from_unix(at), Timestamp::from_unix(at + 150));
            recent.put(fingerprint, span)
        };
        let token = 7 << 40 | 1;
        assert!(!asked(token, 1000));
        assert!(asked(token, 1149), "151 of 300 seconds are left");
        assert!(!asked(token, 1299), "150 of 300 are left of the second one");
        assert!(!asked(8 << 40 | 1, 1300), "another token in the same place");
        assert!(!asked(token, 1301), "it was displaced");
    }
}
