//! Which clients a foreign subject may be, from memory: the index over all identities is loaded when the first request
//! needs it, and of a client that changed they are read anew before the next one is answered.
//!
//! What was told of before a reading began is in what it reads. What is told of meanwhile stays to be read: so no change is
//! lost, and nothing but a change costs a statement.

use std::collections::HashMap;

use parking_lot::RwLock;

use super::Directory;
use crate::domain::identifier::{ClientId, IssuerId};
use crate::store::error::StoreError;
use crate::store::memory::subjects::{SubjectOf, Subjects};

/// So many identities are read at once.
const PAGE: i64 = 10_000;
/// How often is read what changes keep outdating.
const READINGS: usize = 10;
/// So many clients that changed are read anew; of more, everything is.
const MOST_CHANGED: usize = 4096;

/// The index, and what it lacks.
#[derive(Debug, Default)]
pub(super) struct KnownSubjects {
    inner: RwLock<Inner>,
    /// One reading at a time; whoever waits for it then finds what it needs.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Nothing before the first request that needs it.
    index: Option<Subjects>,
    /// Whether changes are noted: from the beginning of a load on.
    is_noting: bool,
    /// The clients that changed since they were read, each with the number of its last change.
    changed: HashMap<ClientId, u64>,
    /// Counts changes.
    latest: u64,
    /// Counts how often everything was forgotten: a load that began before does not count.
    generation: u64,
}

/// What there is to read.
enum Lack {
    /// Everything; the load is of this generation.
    Everything(u64),
    /// The identities of these clients, with the numbers of their changes.
    Clients(u64, Vec<(ClientId, u64)>),
}

impl KnownSubjects {
    /// The clients changed.
    pub(super) fn forget<'c>(&self, clients: impl Iterator<Item = &'c str>) {
        let mut inner = self.inner.write();
        for client in clients.filter_map(|it| ClientId::parse(it).ok()) {
            if !inner.is_noting {
                return;
            }
            inner.latest += 1;
            let latest = inner.latest;
            inner.changed.insert(client, latest);
            if inner.changed.len() > MOST_CHANGED {
                inner.forget_all();
            }
        }
    }

    pub(super) fn forget_all(&self) {
        self.inner.write().forget_all();
    }

    /// The answer, where nothing is to be read for it.
    fn fitting(&self, issuer: &IssuerId, subject: &str) -> Option<Vec<ClientId>> {
        let inner = self.inner.read();
        let index = inner.index.as_ref()?;
        inner
            .changed
            .is_empty()
            .then(|| index.fitting(issuer, subject))
    }

    /// What is to be read; from here on changes are noted.
    fn lack(&self) -> Option<Lack> {
        let mut inner = self.inner.write();
        if inner.index.is_none() {
            inner.changed.clear();
            inner.is_noting = true;
            return Some(Lack::Everything(inner.generation));
        }
        if inner.changed.is_empty() {
            return None;
        }
        let changed = inner.changed.iter();
        let changed = changed.map(|(client, number)| (client.clone(), *number));
        Some(Lack::Clients(inner.generation, changed.collect()))
    }

    fn keep_all(&self, generation: u64, index: Subjects) {
        let mut inner = self.inner.write();
        if inner.generation == generation {
            inner.index = Some(index);
        }
    }

    /// Those that changed again meanwhile stay to be read.
    fn keep(&self, generation: u64, clients: &[(ClientId, u64)], read: Vec<SubjectOf>) {
        let mut inner = self.inner.write();
        if inner.generation != generation {
            return;
        }
        for (client, number) in clients {
            if inner.changed.get(client) == Some(number) {
                inner.changed.remove(client);
            }
        }
        let Some(index) = &mut inner.index else {
            return;
        };
        for (client, _) in clients {
            index.remove(client);
        }
        for subject in read {
            index.add(subject);
        }
    }
}

impl Inner {
    fn forget_all(&mut self) {
        *self = Self {
            generation: self.generation + 1,
            latest: self.latest,
            ..Self::default()
        };
    }
}

impl Directory {
    /// The clients that have an identity of `issuer`, live or not, whose subject `subject` fits, sorted. It is a hint:
    /// claims and standing are judged by the client itself, whose credentials decide.
    ///
    /// # Errors
    /// An unreachable database, where memory does not have them all, or changes without end.
    pub async fn clients_of_subject(
        &self,
        issuer: &IssuerId,
        subject: &str,
    ) -> Result<Vec<ClientId>, StoreError> {
        if let Some(clients) = self.subjects.fitting(issuer, subject) {
            return Ok(clients);
        }
        for _ in 0..READINGS {
            // On the heap: a warm request need not carry its room along.
            Box::pin(self.read_subjects()).await?;
            if let Some(clients) = self.subjects.fitting(issuer, subject) {
                return Ok(clients);
            }
        }
        Err(StoreError::Conflict(issuer.to_string()))
    }

    async fn read_subjects(&self) -> Result<(), StoreError> {
        let _turn = self.subjects.turn.lock().await;
        match self.subjects.lack() {
            None => {}
            Some(Lack::Everything(generation)) => {
                let index = self.read_all_subjects().await?;
                self.subjects.keep_all(generation, index);
            }
            Some(Lack::Clients(generation, clients)) => {
                let turn = self.store.turn_to_load().await?;
                let ids: Vec<ClientId> = clients.iter().map(|(id, _)| id.clone()).collect();
                let read = self.store.subjects_of(&ids).await?;
                drop(turn);
                self.subjects.keep(generation, &clients, read);
            }
        }
        Ok(())
    }

    async fn read_all_subjects(&self) -> Result<Subjects, StoreError> {
        let mut index = Subjects::default();
        let mut after = None;
        loop {
            let turn = self.store.turn_to_load().await?;
            let page = self.store.subjects_after(after.as_ref(), PAGE).await?;
            drop(turn);
            after = page.last;
            for subject in page.subjects {
                index.add(subject);
            }
            if after.is_none() {
                return Ok(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::glob::Glob;

    fn subject(client: &str, subject: &str) -> SubjectOf {
        SubjectOf {
            client: ClientId::parse(client).unwrap(),
            issuer: issuer(),
            subject: Glob::parse(subject).unwrap(),
        }
    }

    fn issuer() -> IssuerId {
        IssuerId::parse("ci").unwrap()
    }

    fn index(of: &[SubjectOf]) -> Subjects {
        let mut index = Subjects::default();
        of.iter().cloned().for_each(|it| index.add(it));
        index
    }

    fn found(known: &KnownSubjects, subject: &str) -> Option<usize> {
        known.fitting(&issuer(), subject).map(|it| it.len())
    }

    fn begin_load(known: &KnownSubjects) -> u64 {
        match known.lack() {
            Some(Lack::Everything(generation)) => generation,
            _ => panic!("it is loaded"),
        }
    }

    fn begin(known: &KnownSubjects) -> (u64, Vec<(ClientId, u64)>) {
        match known.lack() {
            Some(Lack::Clients(generation, clients)) => (generation, clients),
            _ => panic!("no client changed"),
        }
    }

    #[test]
    fn what_changes_during_a_load_is_read_again() {
        let known = KnownSubjects::default();
        known.forget(["a"].into_iter());
        let load = begin_load(&known);
        known.forget(["a"].into_iter());
        known.keep_all(load, index(&[subject("a", "old"), subject("b", "b")]));
        assert_eq!(found(&known, "b"), None);
        let (generation, clients) = begin(&known);
        known.forget(["a"].into_iter());
        known.keep(generation, &clients, vec![subject("a", "newer")]);
        assert_eq!(found(&known, "newer"), None, "it changed once more");
        let (generation, clients) = begin(&known);
        known.keep(generation, &clients, vec![subject("a", "newest")]);
        let found = |text| found(&known, text);
        assert_eq!(
            ["old", "newer", "newest", "b"].map(found),
            [0, 0, 1, 1].map(Some)
        );
        assert!(known.lack().is_none());
    }

    #[test]
    fn what_was_read_before_everything_was_forgotten_does_not_count() {
        let known = KnownSubjects::default();
        let load = begin_load(&known);
        known.forget_all();
        known.keep_all(load, index(&[subject("a", "old")]));
        assert_eq!(found(&known, "old"), None);
        let load = begin_load(&known);
        known.keep_all(load, Subjects::default());
        known.forget(["a"].into_iter());
        let (generation, clients) = begin(&known);
        known.forget_all();
        known.keep(generation, &clients, vec![subject("a", "old")]);
        let load = begin_load(&known);
        known.keep_all(load, Subjects::default());
        assert_eq!(found(&known, "old"), Some(0));
    }

    #[test]
    fn of_too_many_changes_none_is_remembered() {
        let known = KnownSubjects::default();
        let load = begin_load(&known);
        let names: Vec<_> = (0..=MOST_CHANGED)
            .map(|it| format!("client-{it}"))
            .collect();
        known.forget(names.iter().map(String::as_str));
        assert!(known.inner.read().changed.is_empty());
        known.keep_all(load, Subjects::default());
        assert_eq!(found(&known, "a"), None, "the load does not count");
    }
}
