//! Remembers the `jti` of DPoP proofs, so that each serves once (RFC 9449 section 11.1).
//!
//! In this process only: replicas that share their callers need a store that they share.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::answer::Fault;
use crate::confirmation::sha256;
use crate::proof::{AHEAD, OLDEST, Proof};

/// A generation lasts as long as a proof could be accepted, in seconds.
const GENERATION: u64 = OLDEST + AHEAD + 1;
/// The most proofs of a generation: a full one refuses until the next begins.
const MOST: usize = 200_000;

/// Two generations: a proof stays until the one after its own has ended.
#[derive(Default)]
pub(crate) struct SpentProofs(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    began: u64,
    current: HashSet<String>,
    previous: HashSet<String>,
}

impl SpentProofs {
    /// Call it last, when all else about the request is right: strangers must not fill it.
    pub(crate) fn spend(&self, proof: &Proof, now: u64) -> Result<(), Fault> {
        // One length for all, and no two pairs alike: a thumbprint has no dot.
        let mark = sha256(format!("{}.{}", proof.key, proof.jti).as_bytes());
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.abs_diff(spent.began) >= GENERATION {
            spent.previous = std::mem::take(&mut spent.current);
            spent.began = now;
        }
        if spent.previous.contains(&mark) || spent.current.contains(&mark) {
            return Err(Fault::Proof("used before"));
        }
        if spent.current.len() == MOST {
            return Err(Fault::TooManyProofs);
        }
        spent.current.insert(mark);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(jti: &str) -> Proof {
        Proof {
            key: "a key".to_owned(),
            jti: jti.to_owned(),
        }
    }

    #[test]
    fn a_proof_is_remembered_for_as_long_as_it_could_be_accepted() {
        let began = 10_000;
        for first in [began, began + 1, began + GENERATION - 1] {
            let spent = SpentProofs::default();
            assert!(spent.spend(&proof("another"), began).is_ok());
            assert!(spent.spend(&proof("one"), first).is_ok());
            for now in first..=first + AHEAD + OLDEST {
                assert!(spent.spend(&proof("one"), now).is_err(), "{first} {now}");
            }
        }
    }

    #[test]
    fn old_proofs_make_room_and_a_full_generation_refuses_until_the_next() {
        let spent = SpentProofs::default();
        assert!(spent.spend(&proof("one"), 10_000).is_ok());
        spent.0.lock().unwrap().current = (0..MOST).map(|n| n.to_string()).collect();
        let full = spent.spend(&proof("two"), 10_000 + GENERATION - 1);
        assert!(matches!(full, Err(Fault::TooManyProofs)));
        assert!(spent.spend(&proof("two"), 10_000 + GENERATION).is_ok());
        assert!(
            spent
                .spend(&proof("three"), 10_000 + 2 * GENERATION)
                .is_ok()
        );
        assert_eq!(spent.0.lock().unwrap().previous.len(), 1);
    }
}
