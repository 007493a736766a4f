//! Reads shapes (serde) out of a located document. A fault is reported with its place, what has it is left out, and the
//! rest is read again, until nothing new is wrong: so shapes are plain derives, and all faults are told together.

mod deserializer;
mod error;
mod path;
mod stated;

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

pub(super) use stated::{Many, Stated};

use super::document::{Entry, Located, Node, Table};
use super::fault::{Faults, Place, Problem};
use super::value;
use deserializer::{Members, Value};
use error::ReadError;
use path::Path;

/// A table that several shapes share, each reading its own keys.
pub(super) struct Section<'t> {
    /// Stands before the keys in errors, for example `client "orders-service": `.
    title: String,
    place: &'t Place,
    table: &'t Table,
    /// The keys that the shapes have, as far as they were read.
    known: Vec<&'static str>,
    faults: &'t Faults,
}

impl<'t> Section<'t> {
    /// Begins to read `table`, whose `title` stands before its keys in errors.
    pub(super) const fn new(
        title: String,
        (place, table): (&'t Place, &'t Table),
        faults: &'t Faults,
    ) -> Self {
        Self {
            title,
            place,
            table,
            known: Vec::new(),
            faults,
        }
    }

    /// As [`Self::new`], for a table that its key `id` names.
    pub(super) fn named(what: &str, table: (&'t Place, &'t Table), faults: &'t Faults) -> Self {
        let title = match table.1.0.get("id").map(|entry| &entry.value.node) {
            Some(Node::Text(id)) => format!("{what} \"{}\": ", shown(id)),
            _ => format!("{what}: "),
        };
        Self::new(title, table, faults)
    }

    /// Reads what `T` says of the table; none where a key that it needs is missing or wrong.
    pub(super) fn read<T: DeserializeOwned>(&mut self) -> Option<T> {
        loop {
            match T::deserialize(Top(self)) {
                Ok(value) => return Some(value),
                Err(ReadError::LeftOut) => {}
                Err(error) => {
                    error.report(self.place, Path::Top(&self.title), self.faults);
                    return None;
                }
            }
        }
    }

    /// What `fit` makes of the value of `key`, or of what is wrong with it; none where it is absent or wrong.
    pub(super) fn key<T: DeserializeOwned, F>(
        &mut self,
        key: &'static str,
        fit: impl FnOnce(Result<T, Problem>) -> Result<F, Problem>,
    ) -> Option<F> {
        self.known.push(key);
        let located = &self.table.0.get(key)?.value;
        let (title, faults) = (Path::Top(&self.title), self.faults);
        let path = title.with(key, "");
        let read = loop {
            match T::deserialize(Value::new(located, path, faults)) {
                Err(ReadError::LeftOut) if !located.is_wrong.get() => {}
                Err(ReadError::Problem(problem)) => break Err(*problem),
                Err(error) => {
                    error.report(&located.place, path, faults);
                    return None;
                }
                Ok(value) => break Ok(value),
            }
        };
        let fitting = fit(read);
        let fault = |problem| {
            located.is_wrong.set(true);
            self.fault(&located.place, key, problem);
        };
        fitting.map_err(fault).ok()
    }

    /// The text that stands under `key`, where it is one.
    pub(super) fn text(&self, key: &str) -> Option<&'t str> {
        match &self.table.0.get(key)?.value.node {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Lets no shape read `key`: it was read otherwise.
    pub(super) fn leave_out(&self, key: &str) {
        if let Some(entry) = self.table.0.get(key) {
            entry.value.is_wrong.set(true);
        }
    }

    /// The table `key`; none where it is absent or wrong.
    pub(super) fn table(&mut self, key: &'static str) -> Option<(&'t Place, &'t Table)> {
        self.known.push(key);
        let entry = self.table.0.get(key)?;
        self.as_table(key, &entry.value)
    }

    /// The tables of the list `key`; empty where it is absent or wrong.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<(&'t Place, &'t Table)> {
        self.known.push(key);
        let Some(Entry { value, .. }) = self.table.0.get(key) else {
            return Vec::new();
        };
        let Node::List(members) = &value.node else {
            self.fault(&value.place, key, value.node.is_not("a list"));
            return Vec::new();
        };
        let tables = members.iter().map(|member| self.as_table(key, member));
        tables.flatten().collect()
    }

    fn as_table(&self, key: &str, value: &'t Located) -> Option<(&'t Place, &'t Table)> {
        let Node::Table(table) = &value.node else {
            self.fault(&value.place, key, value.node.is_not("a table"));
            return None;
        };
        Some((&value.place, table))
    }

    /// What `read` makes of the secret in the file at `path`, which `key` names; none also where the file may be
    /// absent, and is.
    pub(super) fn secret_file<T>(
        &self,
        key: &str,
        path: &FilePath,
        read: impl FnOnce(String) -> Result<T, Problem>,
    ) -> Option<T> {
        let name = format!("{}{key}", self.title);
        if (self.faults.absent()).is_some_and(|absent| absent.lacks_file(&name, path)) {
            return None;
        }
        value::file_text(path)
            .and_then(read)
            .map_err(|problem| self.fault(self.place_of(key), key, problem))
            .ok()
    }

    /// Reports the keys that no shape knew.
    pub(super) fn finish(self) {
        deserializer::report_unknown(self.table, &self.known, Path::Top(&self.title), self.faults);
    }

    /// What stands before its keys in errors.
    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// The list of faults.
    pub(super) const fn faults(&self) -> &'t Faults {
        self.faults
    }

    /// Where `key` stands, or the table where it is absent.
    pub(super) fn place_of(&self, key: &str) -> &'t Place {
        self.has(key).unwrap_or(self.place)
    }

    /// Where `key` stands, where it is present.
    pub(super) fn has(&self, key: &str) -> Option<&'t Place> {
        self.table.0.get(key).map(|entry| &entry.value.place)
    }

    /// Where each of its keys stands.
    pub(super) fn places(&self) -> BTreeMap<String, Place> {
        let keys = self.table.0.iter();
        keys.map(|(key, entry)| (key.clone(), entry.value.place.clone()))
            .collect()
    }

    /// Whether `key` was present, and wrong.
    pub(super) fn is_wrong(&self, key: &str) -> bool {
        self.table.is_wrong(key)
    }

    /// Where the table begins.
    pub(super) const fn place(&self) -> &'t Place {
        self.place
    }

    /// Reports a fault of `key` at `place`.
    pub(super) fn fault(&self, place: &Place, key: &str, problem: impl Into<Problem>) {
        self.faults
            .report(place, format!("{}{key}", self.title), problem);
    }

    /// Reports a fault of `key` where it stands.
    pub(super) fn fault_of(&self, key: &str, problem: impl Into<Problem>) {
        self.fault(self.place_of(key), key, problem);
    }
}

/// A key as it may be shown: short and without control characters.
fn shown(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

/// The outermost table, whose keys several shapes share.
struct Top<'s, 't>(&'s mut Section<'t>);

impl<'de> Deserializer<'de> for Top<'_, '_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_struct("", &[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let Section {
            title,
            table,
            known,
            faults,
            ..
        } = self.0;
        if !fields.iter().all(|field| known.contains(field)) {
            known.extend(fields);
        }
        visitor
            .visit_map(Members::new(
                table,
                Some(fields),
                (Path::Top(title), faults),
            ))
            .map_err(|error| error.of_table(table, name))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The keys of the shape `T`.
pub(super) fn keys_of<T: DeserializeOwned>() -> Vec<&'static str> {
    let (faults, table) = (Faults::default(), Table::default());
    let mut section = Section::new(String::new(), (&Place::Nowhere, &table), &faults);
    section.read::<T>();
    section.known
}
