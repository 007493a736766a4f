//! The ids of all clients in memory, as fingerprints of 8 bytes: an id that does not exist costs no statement, takes
//! nobody's place in a cache and makes nobody wait.
//!
//! A fingerprint that is absent proves that the id does not exist, once all are loaded. One that is there proves
//! nothing: two ids may share it, and that of a deleted client stays until all are loaded anew.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use parking_lot::RwLock;

use super::fingerprint::Fingerprints;
use super::loading::Loading;

/// The ids that this replica knows of. A million take 18 MiB.
#[derive(Debug, Default)]
pub struct KnownIds {
    fingerprints: Fingerprints,
    inner: RwLock<Loading<HashSet<u64, BuildHasherDefault<AsItIs>>>>,
}

/// A fingerprint is a hash already.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl KnownIds {
    /// Whether client `id` certainly does not exist; if not, the database must be asked.
    #[must_use]
    pub fn surely_lack(&self, id: &str) -> bool {
        let fingerprint = self.fingerprints.short(id);
        let inner = self.inner.read();
        inner.is_done() && !inner.held.contains(&fingerprint)
    }

    /// Whether all are loaded, and `id` is one of them, or was until lately.
    #[must_use]
    pub fn seem_to_have(&self, id: &str) -> bool {
        let fingerprint = self.fingerprints.short(id);
        let inner = self.inner.read();
        inner.is_done() && inner.held.contains(&fingerprint)
    }

    /// Adds ids that exist, or that changed in some way.
    pub fn add<'i>(&self, ids: impl Iterator<Item = &'i str>) {
        let mut inner = self.inner.write();
        inner.held.extend(ids.map(|id| self.fingerprints.short(id)));
    }

    /// Forgets everything; until all are loaded, no id is surely absent.
    pub fn forget_all(&self) {
        let _ = self.begin_load();
    }

    /// Forgets everything before a load; gives the number of this load.
    #[must_use]
    pub fn begin_load(&self) -> u64 {
        self.inner.write().begin()
    }

    /// All ids are in, unless another load began meanwhile.
    pub fn end_load(&self, load: u64) {
        self.inner.write().end(load);
    }

    /// Whether all ids are in memory.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.inner.read().is_done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_is_surely_absent_before_all_are_loaded() {
        let ids = KnownIds::default();
        assert!(!ids.surely_lack("a"));
        let load = ids.begin_load();
        ids.add(["b"].into_iter());
        assert!(!ids.surely_lack("a") && !ids.surely_lack("b"));
        assert!(!ids.seem_to_have("b"));
        ids.end_load(load);
        assert!(ids.surely_lack("a") && !ids.surely_lack("b"));
        assert!(!ids.seem_to_have("a") && ids.seem_to_have("b"));
        ids.add(["a"].into_iter());
        assert!(!ids.surely_lack("a"));
    }

    #[test]
    fn a_load_that_another_one_overtook_does_not_count() {
        let ids = KnownIds::default();
        let first = ids.begin_load();
        let second = ids.begin_load();
        ids.end_load(first);
        assert!(!ids.is_loaded());
        ids.end_load(second);
        assert!(ids.is_loaded());
    }

    #[test]
    fn a_million_ids_take_less_than_twenty_mebibytes() {
        let ids = KnownIds::default();
        ids.add(
            (0..1_000_000)
                .map(|n| format!("client-{n}"))
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str),
        );
        let inner = ids.inner.read();
        assert_eq!(
            inner.held.len(),
            1_000_000,
            "no two of a million share a fingerprint by chance"
        );
        // Eight bytes and one of the table's own for each bucket, of which at most seven eighths are full.
        let buckets = (inner.held.capacity() * 8 / 7).next_power_of_two();
        assert!(buckets * 9 < 20 << 20, "{buckets}");
    }
}
