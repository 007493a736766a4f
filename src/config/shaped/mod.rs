//! Reads shapes (serde) out of a located document. A fault is noted with its place, what has it is left out, and the
//! rest is read again, until nothing new is wrong: so shapes are plain derives, and all faults are told together.

mod deserializer;
mod error;
mod stated;

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

pub(super) use stated::{Many, Stated};

use super::document::{Entry, Located, Node, Table};
use super::fault::{Fault, Faults, Place, Problem, shown_word};
use super::section::shown;
use super::value::type_error;
use crate::domain::shown::nearest;
use deserializer::{Path, Top};

/// A table that several shapes share, each reading its own keys.
pub(super) struct Shared<'t> {
    title: String,
    place: &'t Place,
    table: &'t Table,
    /// The keys that the shapes have, as far as they were read.
    known: Vec<&'static str>,
    notes: Notes<'t>,
}

/// What was found wrong so far.
struct Notes<'t> {
    faults: &'t Faults,
    /// The values with a fault, told apart by where they lie in memory.
    wrong: RefCell<BTreeSet<*const Located>>,
}

impl Notes<'_> {
    /// Leaves `value` out from now on; false where it was left out before.
    fn leave_out(&self, value: &Located) -> bool {
        self.wrong.borrow_mut().insert(std::ptr::from_ref(value))
    }

    fn is_wrong(&self, value: &Located) -> bool {
        self.wrong.borrow().contains(&std::ptr::from_ref(value))
    }

    fn unknown_key(&self, key: String, entry: &Entry, near: Option<&'static str>) {
        if self.leave_out(&entry.value) {
            self.faults.push(Fault {
                place: entry.key.clone(),
                key,
                problem: Problem::UnknownKey(near.unwrap_or_default()),
            });
        }
    }
}

impl<'t> Shared<'t> {
    /// Begins to read `table`, whose `title` stands before its keys in errors.
    pub(super) fn new(
        title: String,
        (place, table): (&'t Place, &'t Table),
        faults: &'t Faults,
    ) -> Self {
        Self {
            title,
            place,
            table,
            known: Vec::new(),
            notes: Notes {
                faults,
                wrong: RefCell::default(),
            },
        }
    }

    /// As [`Self::new`], for a table that its key `id` names.
    pub(super) fn named(
        what: &str,
        (place, table): (&'t Place, &'t Table),
        faults: &'t Faults,
    ) -> Self {
        let title = match table.0.get("id").map(|entry| &entry.value.node) {
            Some(Node::Text(id)) => format!("{what} \"{}\": ", shown(id)),
            _ => format!("{what}: "),
        };
        Self::new(title, (place, table), faults)
    }

    /// Reads what `T` says of the table; none where a key that it needs is missing or wrong.
    pub(super) fn read<T: DeserializeOwned>(&mut self) -> Option<T> {
        loop {
            let top = Top {
                path: Path::Top(&self.title),
                notes: &self.notes,
                place: self.place,
                table: self.table,
                known: &mut self.known,
            };
            let error = match T::deserialize(top) {
                Ok(value) => return Some(value),
                Err(error) => error,
            };
            let is_new = error.at.is_some_and(|at| self.notes.leave_out(at));
            if let Some(fault) = error.fault {
                self.notes.faults.push(*fault);
            }
            if !is_new {
                return None;
            }
        }
    }

    /// The tables of the list `key`; empty where it is absent or wrong.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<(&'t Place, &'t Table)> {
        self.known.push(key);
        let Some(Entry { value, .. }) = self.table.0.get(key) else {
            return Vec::new();
        };
        let Node::List(members) = &value.node else {
            self.fault(&value.place, key, type_error("a list", &value.node));
            return Vec::new();
        };
        let table = |member: &'t Located| match &member.node {
            Node::Table(table) => Some((&member.place, table)),
            other => {
                self.fault(&member.place, key, type_error("a table", other));
                None
            }
        };
        members.iter().filter_map(table).collect()
    }

    /// Reports the keys that no shape knew.
    pub(super) fn finish(self) {
        for (key, entry) in &self.table.0 {
            if !self.known.contains(&key.as_str()) {
                let known = || self.known.iter().copied();
                let shown = format!("{}{}", self.title, shown_word(key, known()));
                self.notes.unknown_key(shown, entry, nearest(key, known()));
            }
        }
    }

    /// Where `key` stands, or the table where it is absent.
    pub(super) fn place_of(&self, key: &str) -> &'t Place {
        self.has(key).unwrap_or(self.place)
    }

    /// Where `key` stands, where it is present.
    pub(super) fn has(&self, key: &str) -> Option<&'t Place> {
        self.table.0.get(key).map(|entry| &entry.value.place)
    }

    /// Whether `key` was present, and wrong.
    pub(super) fn is_wrong(&self, key: &str) -> bool {
        let entry = self.table.0.get(key);
        entry.is_some_and(|entry| self.notes.is_wrong(&entry.value))
    }

    /// Where the table begins.
    pub(super) const fn place(&self) -> &'t Place {
        self.place
    }

    /// The place of what stands on `line` of the same file.
    pub(super) fn on_line(&self, line: usize) -> Place {
        self.place.on_line(line)
    }

    /// Reports a fault of `key` at `place`.
    pub(super) fn fault(&self, place: &Place, key: &str, problem: Problem) {
        self.notes.faults.push(Fault {
            place: place.clone(),
            key: format!("{}{key}", self.title),
            problem,
        });
    }

    /// Reports a fault that says itself whom it is about.
    pub(super) fn whole_fault(&self, place: Place, problem: Problem) {
        let key = String::new();
        self.notes.faults.push(Fault {
            place,
            key,
            problem,
        });
    }
}

/// The keys of the shape `T`.
#[cfg(test)]
pub(super) fn keys_of<T: DeserializeOwned>() -> Vec<&'static str> {
    let (faults, table) = (Faults::default(), Table::default());
    let mut shared = Shared::new(String::new(), (&Place::Nowhere, &table), &faults);
    shared.read::<T>();
    shared.known
}
