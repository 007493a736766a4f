//! A table of fixed size with what each key has spent: invented keys take no more memory. Slots are found with a hash
//! under a key of this process, so that nobody can choose whose slot to share.

use std::hash::{BuildHasher, Hash, RandomState};

use parking_lot::Mutex;

use crate::domain::allowance::SpentUntil;

/// How many keys it holds.
const SLOTS: usize = 65_536;
/// How many places a key may take.
const WAYS: usize = 4;

/// 1 MiB.
pub(super) struct SpentTable {
    hasher: RandomState,
    sets: Mutex<Box<[[Slot; WAYS]]>>,
}

/// What one key has spent. The key is told by its whole hash: two that share places never pay for each other.
#[derive(Clone, Copy, Default)]
struct Slot {
    key: u64,
    spent: SpentUntil,
}

impl SpentTable {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            sets: Mutex::new(vec![[Slot::default(); WAYS]; SLOTS / WAYS].into_boxed_slice()),
        }
    }

    /// Nobody has spent anything.
    pub(super) fn clear(&self) {
        self.sets.lock().fill([Slot::default(); WAYS]);
    }

    /// What `key` has spent.
    pub(super) fn spent(&self, key: &impl Hash) -> SpentUntil {
        let hash = self.hasher.hash_one(key);
        let mut sets = self.sets.lock();
        let own = places(&mut sets, hash).iter().find(|slot| slot.key == hash);
        own.map_or_else(SpentUntil::default, |slot| slot.spent)
    }

    /// Changes what `key` has spent. Where all its places are taken, the key that has spent least is forgotten.
    pub(super) fn change<T>(
        &self,
        key: &impl Hash,
        change: impl FnOnce(&mut SpentUntil) -> T,
    ) -> T {
        let hash = self.hasher.hash_one(key);
        let mut sets = self.sets.lock();
        let mut nowhere = Slot::default();
        let preferred = |slot: &&mut Slot| (slot.key != hash, slot.spent);
        let slot = places(&mut sets, hash)
            .iter_mut()
            .min_by_key(preferred)
            .unwrap_or(&mut nowhere);
        if slot.key != hash {
            *slot = Slot {
                key: hash,
                spent: SpentUntil::default(),
            };
        }
        change(&mut slot.spent)
    }
}

/// The places that a key with this hash may take.
fn places(sets: &mut [[Slot; WAYS]], hash: u64) -> &mut [Slot] {
    let index = hash % (SLOTS / WAYS) as u64;
    let set = usize::try_from(index)
        .ok()
        .and_then(|index| sets.get_mut(index));
    set.map_or(&mut [], |set| set.as_mut_slice())
}

impl std::fmt::Debug for SpentTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpentTable").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_keys_makes_no_other_key_pay() {
        let table = SpentTable::new();
        for key in 0..(4 * SLOTS) {
            table.change(&key, |spent| spent.0 += 1);
        }
        for key in (4 * SLOTS)..(5 * SLOTS) {
            assert_eq!(table.spent(&key), SpentUntil::default());
        }
    }

    #[test]
    fn who_has_spent_most_is_remembered_through_a_flood() {
        let table = SpentTable::new();
        table.change(&"spender", |spent| spent.0 = 1_000_000);
        for key in 0..(4 * SLOTS) {
            table.change(&key, |spent| spent.0 += 1);
        }
        assert_eq!(table.spent(&"spender"), SpentUntil(1_000_000));
    }
}
