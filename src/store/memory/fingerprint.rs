//! Fixed-size fingerprints of texts from strangers, keyed at start so that nobody can make two collide.

use std::hash::{BuildHasher, RandomState};

/// Makes fingerprints under keys of its own.
#[derive(Debug, Default)]
pub struct Fingerprints {
    first: RandomState,
    second: RandomState,
}

impl Fingerprints {
    /// 64 bits: a hit must be confirmed.
    #[must_use]
    pub fn short(&self, text: &str) -> u64 {
        self.first.hash_one(text)
    }

    /// 128 bits: no two texts share one by chance.
    #[must_use]
    pub fn long(&self, text: &str) -> u128 {
        (u128::from(self.first.hash_one(text)) << 64) | u128::from(self.second.hash_one(text))
    }
}
