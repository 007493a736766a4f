//! A histogram with fixed bounds, counted without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// The sum is kept in millionths: an integer can be added to in one step.
const MILLIONTHS: f64 = 1e6;

/// How many values were at most so large. Relaxed: the counts guard no other memory, and a scrape may see one ahead of
/// the other.
#[derive(Debug)]
pub struct Histogram {
    /// The least bound first.
    bounds: &'static [f64],
    /// One more than there are bounds: the last is for what is larger than all.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    /// Nothing was observed yet; `bounds` in ascending order.
    #[must_use]
    pub fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    /// Counts a value, which is not negative.
    pub fn observe(&self, value: f64) {
        let index = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(index) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(millionths(value), Ordering::Relaxed);
    }

    /// Each bound with how many were within it and past the one before; the last has none.
    pub(super) fn buckets(&self) -> impl Iterator<Item = (Option<f64>, u64)> {
        let bounds = self.bounds.iter().copied().map(Some).chain([None]);
        let counts = self.counts.iter();
        bounds.zip(counts.map(|count| count.load(Ordering::Relaxed)))
    }

    /// The sum of all values.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a sum of 2^53 millionths is a day's work of 100,000 cores"
    )]
    pub(super) fn sum(&self) -> f64 {
        self.sum.load(Ordering::Relaxed) as f64 / MILLIONTHS
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what does not fit is the largest that does, and nothing negative is observed"
)]
const fn millionths(value: f64) -> u64 {
    (value * MILLIONTHS) as u64
}
