//! One table while its keys are taken: reports unknown and missing keys and values that do not parse.

use std::path::Path;

use super::document::{Located, Node, Table};
use super::fault::{Fault, Faults, Place, Problem, nearest, shown_word};
use super::value::{self, type_error};

/// A table whose keys are taken one by one; every fault goes to one list.
pub(super) struct Section<'f> {
    /// Stands before the key in errors, for example `client "orders-service": `.
    title: String,
    place: Place,
    table: Table,
    /// Where the keys stand that were taken.
    taken: Vec<(String, Place)>,
    faults: &'f Faults,
}

impl<'f> Section<'f> {
    /// Begins to read `table`; each key outside `known` is a fault.
    pub(super) fn new(
        title: String,
        (place, table): (Place, Table),
        known: &[&'static str],
        faults: &'f Faults,
    ) -> Self {
        for (key, entry) in &table.0 {
            if !known.contains(&key.as_str()) {
                let near = nearest(key, known.iter().copied()).unwrap_or_default();
                let key = format!("{title}{}", shown_word(key, known.iter().copied()));
                let problem = Problem::UnknownKey(near);
                faults.push(Fault {
                    place: entry.key.clone(),
                    key,
                    problem,
                });
            }
        }
        Self {
            title,
            place,
            table,
            taken: Vec::new(),
            faults,
        }
    }

    /// Where the table begins.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The list of faults.
    pub(super) const fn faults(&self) -> &'f Faults {
        self.faults
    }

    /// Where `key` stands, or the table where it is absent.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.has(key).unwrap_or_else(|| self.place.clone())
    }

    /// Where `key` stands, where it is present, be it taken or not.
    pub(super) fn has(&self, key: &str) -> Option<Place> {
        let taken = || self.taken.iter().find(|(name, _)| name == key);
        match self.table.0.get(key) {
            Some(entry) => Some(entry.value.place.clone()),
            None => taken().map(|(_, place)| place.clone()),
        }
    }

    /// Reports a fault of `key` at `place`.
    pub(super) fn fault(&self, place: &Place, key: &str, problem: Problem) {
        let key = format!("{}{key}", self.title);
        self.faults.push(Fault {
            place: place.clone(),
            key,
            problem,
        });
    }

    /// The value of `key`.
    pub(super) fn take(&mut self, key: &str) -> Option<Located> {
        let (name, entry) = self.table.0.remove_entry(key)?;
        self.taken.push((name, entry.value.place.clone()));
        Some(entry.value)
    }

    /// The value of `key` as `read` reads it; none where it is absent or wrong (then it is reported).
    pub(super) fn read<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(Located) -> Result<T, Problem>,
    ) -> Option<T> {
        let value = self.take(key)?;
        let place = value.place.clone();
        read(value)
            .map_err(|problem| self.fault(&place, key, problem))
            .ok()
    }

    /// What `read` makes of the secret in the file at `path`, which `key` names; none also where the file may be
    /// absent, and is.
    pub(super) fn secret_file<T>(
        &self,
        key: &str,
        path: &Path,
        read: impl FnOnce(String) -> Result<T, Problem>,
    ) -> Option<T> {
        let name = format!("{}{key}", self.title);
        if (self.faults.absent()).is_some_and(|absent| absent.lacks_file(&name, path)) {
            return None;
        }
        value::file_text(path)
            .and_then(read)
            .map_err(|problem| self.fault(&self.place_of(key), key, problem))
            .ok()
    }

    /// The members of the list `key`, each read on its own; those that are wrong are reported.
    pub(super) fn list<T>(
        &mut self,
        key: &str,
        read: impl FnMut(Located) -> Result<T, Problem>,
    ) -> Option<Vec<T>> {
        let value = self.take(key)?;
        let place = value.place.clone();
        match members(value) {
            Ok(members) => Some(self.each(key, members, read)),
            Err(problem) => {
                self.fault(&place, key, problem);
                None
            }
        }
    }

    fn each<T>(
        &self,
        key: &str,
        members: Vec<Located>,
        mut read: impl FnMut(Located) -> Result<T, Problem>,
    ) -> Vec<T> {
        let mut read = |member: Located| {
            let place = member.place.clone();
            read(member)
                .map_err(|problem| self.fault(&place, key, problem))
                .ok()
        };
        members.into_iter().filter_map(&mut read).collect()
    }
}

/// A table and its place.
pub(super) fn table(value: Located) -> Result<(Place, Table), Problem> {
    match value.node {
        Node::Table(table) => Ok((value.place, table)),
        other => Err(type_error("a table", &other)),
    }
}

/// The members of a list; in an environment variable commas divide them.
fn members(value: Located) -> Result<Vec<Located>, Problem> {
    match value {
        Located {
            node: Node::List(members),
            ..
        } => Ok(members),
        Located {
            place: place @ Place::Environment(_),
            node: Node::Text(text),
        } => {
            let member = |part: &str| Located {
                place: place.clone(),
                node: Node::Text(part.trim().to_owned()),
            };
            Ok(text
                .split(',')
                .filter(|part| !part.trim().is_empty())
                .map(member)
                .collect())
        }
        other => Err(type_error("a list", &other.node)),
    }
}

/// A key as it may be shown: short and without control characters.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}
