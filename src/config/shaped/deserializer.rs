//! serde's view of a located document.

use std::collections::btree_map;
use std::iter;

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::ReadError;
use super::path::Path;
use super::stated::{MANY, STATED};
use crate::config::document::{Entry, Located, Node, Table};
use crate::config::fault::{Faults, Problem, shown_word};
use crate::domain::shown::nearest;

/// Reports the keys of `table` that are not among `known`, each once.
pub(super) fn report_unknown(
    table: &Table,
    known: &[&'static str],
    path: Path<'_>,
    faults: &Faults,
) {
    for (key, Entry { key: place, value }) in &table.0 {
        if !known.contains(&key.as_str()) && !value.is_wrong.replace(true) {
            let known = || known.iter().copied();
            let shown = shown_word(key, known());
            let near = nearest(key, known()).unwrap_or_default();
            let key = path.with(&shown, ": ").to_string();
            faults.report(place, key, Problem::UnknownKey(near));
        }
    }
}

/// Any value.
#[derive(Clone, Copy)]
pub(super) struct Value<'t, 'n> {
    located: &'t Located,
    path: Path<'n>,
    faults: &'n Faults,
}

impl<'t, 'n> Value<'t, 'n> {
    pub(super) const fn new(located: &'t Located, path: Path<'n>, faults: &'n Faults) -> Self {
        Self {
            located,
            path,
            faults,
        }
    }
}

impl IntoDeserializer<'_, ReadError> for Value<'_, '_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// What is written in TOML in a document may be text in an environment variable, where `parse` reads it.
macro_rules! or_in_variable {
    ($($method:ident: $parse:path;)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            match $parse(self.located) {
                None => self.deserialize_any(visitor),
                // Nothing points at a part of a variable: with a fault in one, all of it is left out.
                Some(parsed) => Value::new(&parsed, self.path, self.faults)
                    .deserialize_any(visitor)
                    .inspect_err(|_| self.located.is_wrong.set(true)),
            }
        }
    )+};
}

impl<'de> Deserializer<'de> for Value<'_, '_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let members = self.located.members();
        match &self.located.node {
            Node::Text(text) => visitor.visit_str(text),
            Node::Integer(number) => visitor.visit_i64(*number),
            Node::Boolean(flag) => visitor.visit_bool(*flag),
            Node::Float(number) if number.is_finite() => visitor.visit_f64(*number),
            Node::Float(number) => Err(ReadError::invalid_type(
                Unexpected::Float(*number),
                &visitor,
            )),
            Node::Instant(_) => Err(ReadError::invalid_type(Unexpected::Other(""), &visitor)),
            Node::List(_) => visitor.visit_seq(List { members, of: self }),
            Node::Table(table) => {
                visitor.visit_map(Members::new(table, None, (self.path, self.faults)))
            }
        }
    }

    or_in_variable! {
        deserialize_bool: Located::parsed;
        deserialize_u32: Located::parsed;
        deserialize_u64: Located::parsed;
        deserialize_map: Located::parsed;
        deserialize_seq: Located::parsed_list;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_some(self)
    }

    /// A text or a date-time is given as it is, to types that take these in place of a structure.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match (name, &self.located.node) {
            (STATED, _) => {
                let line_and_value = iter::once((self.located.place.line(), self));
                visitor.visit_map(MapDeserializer::new(line_and_value))
            }
            (MANY, Node::List(_)) => self.deserialize_any(visitor),
            (MANY, _) => {
                let members = std::slice::from_ref(self.located).iter();
                visitor.visit_seq(List { members, of: self })
            }
            (_, Node::Text(text) | Node::Instant(text)) => visitor.visit_str(text),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match &self.located.node {
            Node::Table(table) => {
                report_unknown(table, fields, self.path, self.faults);
                visitor
                    .visit_map(Members::new(table, Some(fields), (self.path, self.faults)))
                    .map_err(|error| error.of_table(table, name))
            }
            // serde would take the fields from it, in their order.
            Node::List(_) => Err(ReadError::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple
        tuple_struct enum identifier ignored_any
    }
}

/// The members of a list, without those that are wrong.
struct List<'t, 'n> {
    members: std::slice::Iter<'t, Located>,
    of: Value<'t, 'n>,
}

impl<'de> SeqAccess<'de> for List<'_, '_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ReadError> {
        let Value { path, faults, .. } = self.of;
        let Some(member) = self.members.find(|member| !member.is_wrong.get()) else {
            return Ok(None);
        };
        seed.deserialize(Value::new(member, path, faults))
            .map(Some)
            .map_err(|error| error.leave_out(member, &member.place, (path, faults)))
    }

    /// Of the list as it is written.
    fn size_hint(&self) -> Option<usize> {
        Some(self.members.len())
    }
}

/// The members of a table, without those that are wrong or that the shape does not know.
pub(super) struct Members<'t, 'n> {
    entries: btree_map::Iter<'t, String, Entry>,
    fields: Option<&'static [&'static str]>,
    of: (Path<'n>, &'n Faults),
    next: Option<(&'t str, &'t Located)>,
}

impl<'t, 'n> Members<'t, 'n> {
    pub(super) fn new(
        table: &'t Table,
        fields: Option<&'static [&'static str]>,
        of: (Path<'n>, &'n Faults),
    ) -> Self {
        Self {
            entries: table.0.iter(),
            fields,
            of,
            next: None,
        }
    }
}

impl<'de> MapAccess<'de> for Members<'_, '_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ReadError> {
        let fields = self.fields;
        let is_read = |(key, entry): &(&String, &Entry)| {
            !entry.value.is_wrong.get() && fields.is_none_or(|it| it.contains(&key.as_str()))
        };
        let Some((key, Entry { key: place, value })) = self.entries.find(is_read) else {
            return Ok(None);
        };
        self.next = Some((key, value));
        seed.deserialize(StrDeserializer::new(key))
            .map(Some)
            .map_err(|error: ReadError| error.leave_out(value, place, self.of))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, ReadError> {
        let Some((key, value)) = self.next.take() else {
            return Err(ReadError::custom("a value without a key"));
        };
        let (path, faults) = self.of;
        let shown = shown_word(key, []);
        let path = match self.fields {
            Some(_) => path.with(key, ": "),
            None => path.with(&shown, "."),
        };
        seed.deserialize(Value::new(value, path, faults))
            .map_err(|error| error.leave_out(value, &value.place, (path, faults)))
    }
}
