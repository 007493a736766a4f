//! Which clients the subjects of trusted issuers may be: an index over all identities, for tokens that name no client.
//!
//! It is a hint: what decides is the client itself, as the last look sees it. So it keeps fingerprints in place of texts,
//! knows nothing of claims, and holds identities whether they live or not: why one does not count is told then.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::fingerprint::Fingerprints;
use crate::domain::glob::Glob;
use crate::domain::identifier::{ClientId, IssuerId};

/// Of an identity what is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectOf {
    /// Whose identity it is.
    pub client: ClientId,
    /// The issuer that says it.
    pub issuer: IssuerId,
    /// Its `sub`.
    pub subject: Glob,
}

/// The index. Of 100,000 identities it takes about 20 MiB.
#[derive(Debug, Default)]
pub struct Subjects {
    fingerprints: Fingerprints,
    /// By issuer and subject.
    exact: HashMap<u64, Vec<ClientId>>,
    /// By issuer and what stands before the first wildcard, so that few patterns are compared.
    patterns: HashMap<u64, Vec<(Arc<Glob>, ClientId)>>,
    /// How long these beginnings are, in bytes, and how many patterns have one of that length.
    lengths: BTreeMap<usize, usize>,
    of_client: HashMap<ClientId, Vec<Entry>>,
}

/// Where an identity of a client stands.
#[derive(Debug)]
enum Entry {
    Exact(u64),
    Pattern(u64, Arc<Glob>),
}

impl Subjects {
    /// The clients with an identity of `issuer` whose subject `subject` fits, each once.
    #[must_use]
    pub fn fitting(&self, issuer: &IssuerId, subject: &str) -> Vec<ClientId> {
        let exact = self.exact.get(&self.key(issuer, subject));
        let mut found: Vec<ClientId> = exact.into_iter().flatten().cloned().collect();
        for length in self.lengths.range(..=subject.len()).map(|(it, _)| *it) {
            let Some(beginning) = subject.get(..length) else {
                continue;
            };
            let patterns = self.patterns.get(&self.key(issuer, beginning));
            let fitting = patterns.into_iter().flatten();
            let fitting = fitting.filter(|(glob, _)| glob.matches(subject));
            found.extend(fitting.map(|(_, client)| client.clone()));
        }
        found.sort();
        found.dedup();
        found
    }

    /// Adds an identity.
    pub fn add(&mut self, of: SubjectOf) {
        let SubjectOf {
            client,
            issuer,
            subject,
        } = of;
        let entry = if subject.is_exact() {
            let key = self.key(&issuer, subject.as_str());
            self.exact.entry(key).or_default().push(client.clone());
            Entry::Exact(key)
        } else {
            let beginning = subject.beginning();
            let key = self.key(&issuer, beginning);
            *self.lengths.entry(beginning.len()).or_default() += 1;
            let glob = Arc::new(subject);
            let pattern = (Arc::clone(&glob), client.clone());
            self.patterns.entry(key).or_default().push(pattern);
            Entry::Pattern(key, glob)
        };
        self.of_client.entry(client).or_default().push(entry);
    }

    /// Removes all identities of `client`.
    pub fn remove(&mut self, client: &ClientId) {
        for entry in self.of_client.remove(client).into_iter().flatten() {
            match entry {
                Entry::Exact(key) => {
                    if let Some(all) = self.exact.get_mut(&key) {
                        all.retain(|it| it != client);
                        if all.is_empty() {
                            self.exact.remove(&key);
                        }
                    }
                }
                Entry::Pattern(key, glob) => self.remove_pattern(key, &glob, client),
            }
        }
    }

    fn remove_pattern(&mut self, key: u64, glob: &Arc<Glob>, client: &ClientId) {
        let length = glob.beginning().len();
        if let Some(number) = self.lengths.get_mut(&length) {
            *number -= 1;
            if *number == 0 {
                self.lengths.remove(&length);
            }
        }
        if let Some(all) = self.patterns.get_mut(&key) {
            all.retain(|(it, of)| of != client || !Arc::ptr_eq(it, glob));
            if all.is_empty() {
                self.patterns.remove(&key);
            }
        }
    }

    /// No issuer's id has a space in it.
    fn key(&self, issuer: &IssuerId, text: &str) -> u64 {
        self.fingerprints.short(&format!("{issuer} {text}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn of(client: &str, issuer: &str, subject: &str) -> SubjectOf {
        SubjectOf {
            client: ClientId::parse(client).unwrap(),
            issuer: IssuerId::parse(issuer).unwrap(),
            subject: Glob::parse(subject).unwrap(),
        }
    }

    fn is_empty(subjects: &Subjects) -> bool {
        subjects.exact.is_empty()
            && subjects.patterns.is_empty()
            && subjects.lengths.is_empty()
            && subjects.of_client.is_empty()
    }

    proptest! {
        /// What is found is what a reader of all identities would find; and nothing is left of what was removed.
        #[test]
        fn it_finds_what_fits_and_nothing_else(
            stated in vec((select(vec!["a", "b", "c"]), select(vec!["ci", "mesh"]), "[xé:*]{1,5}"), 0..12),
            removed in vec(select(vec!["a", "b"]), 0..2),
            subject in "[xé:]{0,6}",
        ) {
            let stated = stated.iter().filter(|it| !it.2.contains("***"));
            let all: Vec<SubjectOf> = stated.map(|(client, issuer, subject)| of(client, issuer, subject)).collect();
            let mut subjects = Subjects::default();
            all.iter().cloned().for_each(|it| subjects.add(it));
            let removed: Vec<_> = removed.iter().map(|it| ClientId::parse(it).unwrap()).collect();
            for it in &removed {
                subjects.remove(it);
            }
            for issuer in ["ci", "mesh", "other"] {
                let issuer = IssuerId::parse(issuer).unwrap();
                let fits = |it: &&SubjectOf| {
                    it.issuer == issuer && it.subject.matches(&subject) && !removed.contains(&it.client)
                };
                let mut expected: Vec<_> = all.iter().filter(fits).map(|it| it.client.clone()).collect();
                expected.sort();
                expected.dedup();
                prop_assert_eq!(subjects.fitting(&issuer, &subject), expected);
            }
            for client in ["a", "b", "c"] {
                subjects.remove(&ClientId::parse(client).unwrap());
            }
            prop_assert!(is_empty(&subjects), "{:?}", subjects);
        }
    }

    /// So that one of very many costs what one of few does.
    #[test]
    fn of_a_hundred_thousand_few_are_compared() {
        let mut subjects = Subjects::default();
        for number in 0..50_000 {
            subjects.add(of(
                &format!("exact-{number}"),
                "ci",
                &format!("repo:acme/{number}:ref:main"),
            ));
            subjects.add(of(
                &format!("glob-{number}"),
                "ci",
                &format!("repo:acme/{number}:**"),
            ));
        }
        let ci = IssuerId::parse("ci").unwrap();
        let found = subjects.fitting(&ci, "repo:acme/777:ref:main");
        assert_eq!(
            found.iter().map(ClientId::as_str).collect::<Vec<_>>(),
            ["exact-777", "glob-777"]
        );
        let most = subjects.patterns.values().map(Vec::len).max();
        assert_eq!((most, subjects.lengths.len()), (Some(1), 5));
        assert!(subjects.exact.values().all(|it| it.len() == 1));
    }
}
