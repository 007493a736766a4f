//! The checks that a request passed, one bit each: to note one costs the hot path next to nothing.

use super::{Chain, Check};

/// A set of checks.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed(u128);

const _: () = assert!(Check::ALL.len() <= 128, "one bit for each");

impl Passed {
    /// All of `chain` have passed.
    pub const fn chain(&mut self, chain: Chain) {
        let mut rest = chain.checks();
        while let [check, after @ ..] = rest {
            self.0 |= bit(*check);
            rest = after;
        }
    }

    /// `failed` has failed, so those of its chain that come before it have passed, and those after were not reached.
    pub fn up_to(&mut self, failed: Check) {
        for check in failed.chain().checks() {
            if *check < failed {
                self.0 |= bit(*check);
            } else {
                self.0 &= !bit(*check);
            }
        }
    }

    /// Whether `check` has passed.
    #[must_use]
    pub const fn contains(self, check: Check) -> bool {
        self.0 & bit(check) != 0
    }

    /// Whether all of `chain` have passed.
    #[must_use]
    pub fn contains_all(self, chain: Chain) -> bool {
        chain.checks().iter().all(|check| self.contains(*check))
    }

    /// Those that passed, in order.
    pub fn iter(self) -> impl Iterator<Item = Check> {
        Check::ALL
            .iter()
            .copied()
            .filter(move |check| self.contains(*check))
    }
}

const fn bit(check: Check) -> u128 {
    1 << check as u32
}

impl std::fmt::Debug for Passed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_chain_that_failed_those_before_the_failed_check_have_passed() {
        let mut passed = Passed::default();
        passed.chain(Chain::Client);
        passed.chain(Chain::Standing);
        passed.up_to(Check::AssertionAudience);
        let all: Vec<Check> = passed.iter().collect();
        let expected = [
            Check::Client,
            Check::AssertionClient,
            Check::Status,
            Check::MethodRegistered,
        ];
        assert_eq!(all, expected);
    }

    /// What passed at first and fails at the last look has failed.
    #[test]
    fn a_check_that_fails_later_has_not_passed() {
        let mut passed = Passed::default();
        passed.chain(Chain::Standing);
        passed.up_to(Check::MethodRegistered);
        assert_eq!(passed.iter().collect::<Vec<_>>(), [Check::Status]);
    }
}
