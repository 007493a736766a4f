//! The queues of what waits to be hashed, and whose turn comes next.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;

use super::HashingError;

/// The most idle jobs that wait.
pub(super) const IDLE_CAPACITY: usize = 256;
/// After this many generated ones in a row, a waiting imported one gets its turn.
const GENERATED_IN_A_ROW: u32 = 32;

/// How much hashing there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingCapacity {
    /// Threads that hash.
    pub threads: NonZeroUsize,
    /// Secrets of the generated form that may wait.
    pub generated: usize,
    /// Other secrets that may wait.
    pub imported: usize,
}

/// The queue for a hash, chosen by the form of the presented secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashQueue {
    /// Cheap hashes of secrets in generated form.
    Generated,
    /// Full-cost hashes.
    Imported {
        /// How many failures of its source are not paid back: who has fewer goes first, and where the queue is full, who
        /// has most gives way.
        failures: u64,
    },
}

pub(super) type Job = Box<dyn FnOnce() + Send>;

/// Where a full-cost hash stands: behind those with fewer failures, then in the order of arrival.
type Place = (u64, u64);

/// What waits.
pub(super) struct Queues {
    generated: VecDeque<Job>,
    imported: BTreeMap<Place, Job>,
    arrivals: u64,
    idle: VecDeque<Job>,
    capacity: HashingCapacity,
    generated_in_a_row: u32,
    pub(super) ended: bool,
}

impl Queues {
    pub(super) const fn new(capacity: HashingCapacity) -> Self {
        Self {
            generated: VecDeque::new(),
            imported: BTreeMap::new(),
            arrivals: 0,
            idle: VecDeque::new(),
            capacity,
            generated_in_a_row: 0,
            ended: false,
        }
    }

    /// Returns the job that gave way, where one did.
    pub(super) fn push(&mut self, queue: HashQueue, job: Job) -> Result<Option<Job>, HashingError> {
        match queue {
            HashQueue::Generated if self.generated.len() < self.capacity.generated => {
                self.generated.push_back(job);
                Ok(None)
            }
            HashQueue::Generated => Err(HashingError::QueueFull),
            HashQueue::Imported { failures } => self.push_imported(failures, job),
        }
    }

    /// Whether there was room.
    pub(super) fn push_idle(&mut self, job: Job) -> bool {
        let has_room = self.idle.len() < IDLE_CAPACITY;
        if has_room {
            self.idle.push_back(job);
        }
        has_room
    }

    /// How many generated and imported ones wait.
    pub(super) fn waiting(&self) -> (usize, usize) {
        (self.generated.len(), self.imported.len())
    }

    fn push_imported(&mut self, failures: u64, job: Job) -> Result<Option<Job>, HashingError> {
        let mut displaced = None;
        if self.imported.len() >= self.capacity.imported {
            let last = self.imported.last_entry();
            let gives_way = last.filter(|last| last.key().0 > failures);
            displaced = Some(gives_way.ok_or(HashingError::QueueFull)?.remove());
        }
        self.arrivals = self.arrivals.wrapping_add(1);
        self.imported.insert((failures, self.arrivals), job);
        Ok(displaced)
    }

    /// Generated ones first, as they are many and cheap; but no flood of them keeps an imported one
    /// waiting for ever.
    pub(super) fn pop(&mut self) -> Option<Job> {
        let has_turn = self.generated_in_a_row < GENERATED_IN_A_ROW || self.imported.is_empty();
        if has_turn && let Some(job) = self.generated.pop_front() {
            self.generated_in_a_row = self.generated_in_a_row.saturating_add(1);
            return Some(job);
        }
        self.generated_in_a_row = 0;
        let imported = self.imported.pop_first().map(|(_, job)| job);
        imported.or_else(|| self.idle.pop_front())
    }

    pub(super) fn take_all(&mut self) -> Vec<Job> {
        let imported = std::mem::take(&mut self.imported).into_values();
        let all = self.generated.drain(..).chain(imported);
        all.chain(self.idle.drain(..)).collect()
    }
}
