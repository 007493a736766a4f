//! Metrics: how they are counted, and the two texts that a scrape may ask for.
//!
//! Our own, because no crate of the field writes both OpenMetrics and the text format 0.0.4 (prometheus-client writes
//! the one, prometheus and metrics-exporter-prometheus the other), and all of them keep a series for ever under an owned
//! set of labels, which a request would have to allocate: what strangers and retired credentials leave behind could not
//! be bounded without a table of our own beside theirs.

mod exposition;
mod histogram;
mod process;

use std::sync::atomic::{AtomicU64, Ordering};

pub use exposition::{Exposition, Family, Format, Kind};
pub use histogram::Histogram;
pub use process::expose_process;

/// Something that has numbers to show.
pub trait Source: Send + Sync {
    /// Writes them as they are now.
    fn expose(&self, to: &mut Exposition);
}

/// A number that only grows. Relaxed: it guards no other memory.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn increment(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    /// How many there were since the start.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often something was found in a memory, and how often not.
#[derive(Debug, Default)]
pub struct Lookups {
    hits: Counter,
    misses: Counter,
}

impl Lookups {
    /// Counts what was looked for, and gives it back.
    pub fn note<T>(&self, found: Option<T>) -> Option<T> {
        let counter = if found.is_some() {
            &self.hits
        } else {
            &self.misses
        };
        counter.increment();
        found
    }

    /// `hit` and `miss`, each with its number.
    #[must_use]
    pub fn results(&self) -> [(&'static str, u64); 2] {
        [("hit", self.hits.get()), ("miss", self.misses.get())]
    }
}
