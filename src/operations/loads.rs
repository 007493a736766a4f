//! Loads all revocations and client ids into memory, in the background. Until a load is done the database is asked,
//! so no request waits for it.

use std::sync::Arc;

use tokio::sync::watch;

use super::memory::Memory;
use crate::store::Store;
use crate::store::error::StoreError;

/// How many revocations, or client ids, one statement loads.
const PAGE: i64 = 10_000;

/// The loads to do, by the number of the load that was begun last.
#[derive(Debug)]
pub struct Loads {
    store: Arc<Store>,
    memory: Arc<Memory>,
    revocations: watch::Sender<u64>,
    ids: watch::Sender<u64>,
}

impl Loads {
    /// Nothing to load yet.
    #[must_use]
    pub fn new(store: Arc<Store>, memory: Arc<Memory>) -> Self {
        Self {
            store,
            memory,
            revocations: watch::Sender::default(),
            ids: watch::Sender::default(),
        }
    }

    /// Begins to load what is outdated; its old contents are no longer used.
    pub(super) fn begin_outdated(&self) {
        let outdated = &self.memory.outdated;
        if outdated.revocations.take() {
            let load = self.memory.revocations.begin_load();
            self.revocations.send_replace(load);
        }
        if outdated.ids.take() {
            let load = self.memory.directory.ids().begin_load();
            self.ids.send_replace(load);
        }
    }

    /// Does the loads that were begun, for ever. A failed one is begun again at the next reading of the feed.
    pub async fn keep_loading(self: Arc<Self>) {
        tokio::join!(self.keep_loading_revocations(), self.keep_loading_ids());
    }

    async fn keep_loading_revocations(&self) {
        let mut begun = Begun::of(&self.revocations);
        while let Some(load) = begun.next().await {
            match self.load_revocations().await {
                Ok(()) => self.memory.revocations.end_load(load),
                Err(error) => {
                    tracing::warn!(%error, "could not load the revocations: introspection asks the database");
                    self.memory.outdated.revocations.set();
                }
            }
        }
    }

    async fn keep_loading_ids(&self) {
        let mut begun = Begun::of(&self.ids);
        while let Some(load) = begun.next().await {
            match self.load_ids().await {
                Ok(()) => self.memory.directory.ids().end_load(load),
                Err(error) => {
                    tracing::warn!(%error, "could not load the ids of clients: unknown ones are looked up in the database");
                    self.memory.outdated.ids.set();
                }
            }
        }
    }

    async fn load_revocations(&self) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let tokens = self.store.revoked_tokens_after(&after, PAGE).await?;
            self.memory.revocations.add(&tokens);
            match tokens.last() {
                Some(last) => after.clone_from(&last.jti),
                None => return Ok(()),
            }
        }
    }

    async fn load_ids(&self) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let page = self.store.client_ids_after(&after, PAGE).await?;
            let ids = page.iter().map(String::as_str);
            self.memory.directory.ids().add(ids);
            match page.into_iter().last() {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }
}

/// Receives the loads that are begun. If several were begun meanwhile, only the last one is done, because it replaces
/// the others.
struct Begun {
    newest: watch::Receiver<u64>,
    done: u64,
}

impl Begun {
    fn of(sender: &watch::Sender<u64>) -> Self {
        Self {
            newest: sender.subscribe(),
            done: 0,
        }
    }

    /// The number of the next load; `None` once no more can be begun.
    async fn next(&mut self) -> Option<u64> {
        let done = self.done;
        let newest = self.newest.wait_for(|newest| *newest != done).await;
        self.done = *newest.ok()?;
        Some(self.done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_load_begun_before_anybody_loads_is_done_and_of_several_the_last() {
        let sender = watch::Sender::default();
        sender.send_replace(1);
        let mut begun = Begun::of(&sender);
        assert_eq!(begun.next().await, Some(1));
        sender.send_replace(2);
        sender.send_replace(3);
        assert_eq!(begun.next().await, Some(3));
        drop(sender);
        assert_eq!(begun.next().await, None);
    }
}
