//! The series of all clients, bounded in number: so many have a label of their own, the rest share one.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::client_series::ClientSeries;
use super::labels::OTHER;
use crate::domain::known_client::KnownClient;
use crate::domain::timestamp::Timestamp;

/// The parts have locks of their own, so that requests of several clients seldom wait for each other.
const SHARDS: usize = 16;

type Shard = HashMap<Box<str>, ClientSeries>;

/// The series of clients.
#[derive(Debug)]
pub(in crate::operations) struct ByClient {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    /// Of requests that named no client.
    unknown: Mutex<ClientSeries>,
    /// Of clients past the bound.
    other: Mutex<ClientSeries>,
    number: AtomicUsize,
    most: usize,
}

impl ByClient {
    /// None yet, and at most `most` clients with a label of their own.
    pub(super) fn new(most: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            unknown: Mutex::default(),
            other: Mutex::new(ClientSeries::shared()),
            number: AtomicUsize::new(0),
            most,
        }
    }

    /// Counts something of `client`, which exists; `None` for requests that named none that does.
    pub(super) fn note(&self, client: Option<&str>, count: impl FnOnce(&mut ClientSeries)) {
        let Some(id) = client else {
            return count(&mut self.unknown.lock());
        };
        let mut shard = self.shard(id);
        if let Some(series) = shard.get_mut(id) {
            return count(series);
        }
        if self.take_place() {
            return count(shard.entry(id.into()).or_default());
        }
        drop(shard);
        count(&mut self.other.lock());
    }

    /// The client `id` may have changed.
    pub(in crate::operations) fn mark(&self, id: &str) {
        if let Some(series) = self.shard(id).get_mut(id) {
            series.is_outdated = true;
        }
    }

    /// The client `id` is looked at now.
    pub(in crate::operations) fn unmark(&self, id: &str) {
        if let Some(series) = self.shard(id).get_mut(id) {
            series.is_outdated = false;
        }
    }

    /// Some audience may be gone.
    pub(in crate::operations) fn mark_other(&self) {
        self.other.lock().is_outdated = true;
    }

    /// Every client and audience may have changed.
    pub(super) fn mark_all(&self) {
        self.mark_other();
        for shard in &self.shards {
            for series in shard.lock().values_mut() {
                series.is_outdated = true;
            }
        }
    }

    /// The clients that may have changed.
    pub(in crate::operations) fn outdated(&self) -> Vec<Box<str>> {
        let mut ids = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock();
            let outdated = shard.iter().filter(|(_, series)| series.is_outdated);
            ids.extend(outdated.map(|(id, _)| id.clone()));
        }
        ids
    }

    /// Keeps of a client's series those of what it has at `now`.
    pub(in crate::operations) fn keep_only(&self, id: &str, known: &KnownClient, now: Timestamp) {
        if let Some(series) = self.shard(id).get_mut(id) {
            series.keep_only(known, now);
        }
    }

    /// The audiences of clients that share a label, where one of them may be gone; takes the mark back.
    pub(in crate::operations) fn outdated_audiences(&self) -> Vec<Box<str>> {
        let mut other = self.other.lock();
        let is_outdated = std::mem::take(&mut other.is_outdated);
        let named = other.tokens.keys().filter(|_| is_outdated);
        named.cloned().collect()
    }

    /// Forgets, of clients that share a label, the audiences that are gone.
    pub(in crate::operations) fn forget_audiences(&self, gone: &[Box<str>]) {
        let stays = |id: &str| gone.iter().all(|gone| **gone != *id);
        self.other.lock().keep_audiences(stays);
    }

    /// Forgets a client that is gone; its place is free for another one.
    pub(in crate::operations) fn forget(&self, id: &str) {
        if self.shard(id).remove(id).is_some() {
            self.number.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Every label with its series as they are now, clients in their order.
    pub(super) fn all(&self) -> Vec<(Box<str>, ClientSeries)> {
        let mut all = vec![
            (Box::from(""), self.unknown.lock().clone()),
            (Box::from(OTHER), self.other.lock().clone()),
        ];
        for shard in &self.shards {
            let shard = shard.lock();
            all.extend(
                shard
                    .iter()
                    .map(|(id, series)| (id.clone(), series.clone())),
            );
        }
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all
    }

    fn take_place(&self) -> bool {
        let more = |number: usize| (number < self.most).then_some(number + 1);
        self.number
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
    }

    fn shard(&self, id: &str) -> MutexGuard<'_, Shard> {
        let hash = self.hasher.hash_one(id);
        let index = usize::try_from(hash % SHARDS as u64).unwrap_or(0);
        // The index is within the array.
        let [first, ..] = &self.shards;
        self.shards.get(index).unwrap_or(first).lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_clients_have_a_label_and_a_place_comes_free_when_one_is_forgotten() {
        let clients = ByClient::new(2);
        let note = |id: &str| clients.note(Some(id), |series| series.wasted += 1);
        for id in ["a", "b", "c", "d", "a"] {
            note(id);
        }
        let shown = || {
            let all = clients.all().into_iter();
            all.map(|(id, series)| format!("{id}={}", series.wasted))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(shown(), "=0 (other)=2 a=2 b=1");
        clients.forget("a");
        clients.forget("a");
        note("c");
        note("d");
        assert_eq!(shown(), "=0 (other)=3 b=1 c=1");
    }

    #[test]
    fn what_nobody_registered_makes_no_label() {
        let clients = ByClient::new(2);
        for _ in 0..1000 {
            clients.note(None, |series| series.wasted += 1);
        }
        assert_eq!(clients.all().len(), 2);
    }
}
