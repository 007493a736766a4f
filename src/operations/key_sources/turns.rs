//! Whose turn it is to be fetched. Fetches are bounded in number, and those of each lane apart, so that sources which hang
//! keep nobody waiting but each other: a stranger may start the first fetch of every client's keys by one request each.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Sources that wait for each other. Each fetch has a socket, and at most 1 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// Trusted issuers. The operator chose them, and they are few.
    Issuers,
    /// Those of them whose last fetch failed.
    FailingIssuers,
    /// Clients whose keys are held.
    Clients,
    /// Clients whose keys nobody has asked for yet: which of them hang is not known, so it has the most turns.
    NewClients,
    /// Clients whose last fetch failed.
    FailingClients,
}

/// The turns of each lane.
#[derive(Debug)]
pub(super) struct Turns {
    issuers: Semaphore,
    failing_issuers: Semaphore,
    clients: Semaphore,
    new_clients: Semaphore,
    failing_clients: Semaphore,
}

impl Turns {
    pub(super) const fn new() -> Self {
        Self {
            issuers: Semaphore::const_new(16),
            failing_issuers: Semaphore::const_new(4),
            clients: Semaphore::const_new(32),
            new_clients: Semaphore::const_new(64),
            failing_clients: Semaphore::const_new(8),
        }
    }

    /// Waits for a turn, which ends when what is returned is dropped.
    pub(super) async fn of(&self, lane: Lane) -> Option<SemaphorePermit<'_>> {
        let turns = match lane {
            Lane::Issuers => &self.issuers,
            Lane::FailingIssuers => &self.failing_issuers,
            Lane::Clients => &self.clients,
            Lane::NewClients => &self.new_clients,
            Lane::FailingClients => &self.failing_clients,
        };
        // Nobody closes it.
        turns.acquire().await.ok()
    }
}
