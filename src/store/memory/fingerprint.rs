//! Fixed-size fingerprints of texts from strangers, keyed at start so that nobody can make two collide.

use std::hash::{BuildHasher, RandomState};

/// Makes fingerprints under keys of its own.
#[derive(Debug, Default)]
pub struct Fingerprints {
    key: RandomState,
}

impl Fingerprints {
    /// 8 bytes: two texts may share them, so a hit must be confirmed.
    #[must_use]
    pub fn short(&self, text: &str) -> u64 {
        self.key.hash_one(text)
    }
}
