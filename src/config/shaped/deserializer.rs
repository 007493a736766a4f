//! serde's view of a located document.

use std::collections::btree_map;
use std::fmt;

use serde::de::value::{StrDeserializer, U64Deserializer};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IntoDeserializer as _, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::ReadError;
use super::stated::{MANY, STATED};
use super::{Entry, Located, Node, Notes, Place, Problem, Table, nearest, shown_word};

/// The keys that lead to a value.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    /// What stands before the key of the outermost table.
    Top(&'p str),
    /// A key, and what divides it from the keys before.
    Key(&'p Path<'p>, &'p str, &'static str),
}

impl<'p> Path<'p> {
    pub(super) const fn with(&'p self, key: &'p str, divider: &'static str) -> Self {
        Self::Key(self, key, divider)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top(title) => f.write_str(title),
            Self::Key(Path::Top(title), key, _) => write!(f, "{title}{key}"),
            Self::Key(path, key, divider) => write!(f, "{path}{divider}{key}"),
        }
    }
}

/// The outermost table, whose keys several shapes share.
pub(super) struct Top<'t, 'n> {
    pub(super) path: Path<'n>,
    pub(super) notes: &'n Notes<'t>,
    pub(super) place: &'t Place,
    pub(super) table: &'t Table,
    pub(super) known: &'n mut Vec<&'static str>,
}

impl<'de, 't> Deserializer<'de> for Top<'t, '_> {
    type Error = ReadError<'t>;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.deserialize_struct("", &[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        if !fields.iter().all(|field| self.known.contains(field)) {
            self.known.extend(fields);
        }
        let members = Members::new(self.table, Some(fields), (self.notes, self.path));
        visitor
            .visit_map(members)
            .map_err(|error| incomplete(error, name, (self.table, None), self.notes))
            .map_err(|error| error.at(None, self.place, self.path))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Any value.
#[derive(Clone, Copy)]
struct Value<'t, 'n> {
    located: &'t Located,
    notes: &'n Notes<'t>,
    path: Path<'n>,
}

impl<'t> Value<'t, '_> {
    fn mismatch<'de, V: Visitor<'de>>(&self, visitor: &V) -> ReadError<'t> {
        let found = match &self.located.node {
            Node::Text(_) => Unexpected::Str(""),
            Node::Integer(number) => Unexpected::Signed(*number),
            Node::Float(number) => Unexpected::Float(*number),
            Node::Boolean(flag) => Unexpected::Bool(*flag),
            Node::Instant(_) => Unexpected::Other("instant"),
            Node::List(_) => Unexpected::Seq,
            Node::Table(_) => Unexpected::Map,
        };
        ReadError::invalid_type(found, visitor)
    }
}

/// One way to read a value: as a node of this kind, or not at all.
macro_rules! only {
    ($($method:ident: $node:ident),+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            match &self.located.node {
                Node::$node(_) => self.deserialize_any(visitor),
                _ => Err(self.mismatch(&visitor)),
            }
        }
    )+};
}

impl<'de, 't> Deserializer<'de> for Value<'t, '_> {
    type Error = ReadError<'t>;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match &self.located.node {
            Node::Text(text) => visitor.visit_str(text),
            Node::Integer(number) => visitor.visit_i64(*number),
            Node::Boolean(flag) => visitor.visit_bool(*flag),
            Node::Float(number) if number.is_finite() => visitor.visit_f64(*number),
            Node::Float(_) | Node::Instant(_) => Err(Problem::JsonType.into()),
            Node::List(list) => visitor.visit_seq(List {
                members: list.iter(),
                of: self,
            }),
            Node::Table(table) => {
                visitor.visit_map(Members::new(table, None, (self.notes, self.path)))
            }
        }
    }

    only! {
        deserialize_bool: Boolean,
        deserialize_str: Text,
        deserialize_string: Text,
        deserialize_seq: List,
        deserialize_map: Table
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    /// A text or a date-time is given as it is, to types that take these in place of a structure.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match (name, &self.located.node) {
            (STATED, _) => visitor.visit_seq(LineAndValue {
                line: self.located.place.line(),
                value: Some(self),
            }),
            (MANY, Node::List(_)) => self.deserialize_any(visitor),
            (MANY, _) => visitor.visit_seq(List {
                members: std::slice::from_ref(self.located).iter(),
                of: self,
            }),
            (_, Node::Text(text) | Node::Instant(text)) => visitor.visit_str(text),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let Node::Table(table) = &self.located.node else {
            return Err(self.mismatch(&visitor));
        };
        for (key, entry) in &table.0 {
            if !fields.contains(&key.as_str()) {
                let shown = shown_word(key, fields.iter().copied());
                let near = nearest(key, fields.iter().copied());
                let path = self.path.with(&shown, ": ").to_string();
                self.notes.unknown_key(path, entry, near);
            }
        }
        visitor
            .visit_map(Members::new(table, Some(fields), (self.notes, self.path)))
            .map_err(|error| incomplete(error, name, (table, Some(self.located)), self.notes))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple
        tuple_struct enum identifier ignored_any
    }
}

/// A missing key was reported where it is there and wrong; else what it is for is said.
fn incomplete<'t>(
    error: ReadError<'t>,
    shape: &str,
    (table, value): (&Table, Option<&'t Located>),
    notes: &Notes<'_>,
) -> ReadError<'t> {
    let Some(missing) = error.missing() else {
        return error;
    };
    let entry = table.0.get(missing);
    if entry.is_some_and(|entry| notes.is_wrong(&entry.value)) {
        return error.silent(value);
    }
    error.advise(match (shape, missing) {
        ("Audience", "id") => "write the `aud` value",
        ("Client", "id") => "write the client_id",
        ("Policy", "audience") => "name one",
        _ => "write it",
    })
}

/// The members of a list, without those that are wrong.
struct List<'t, 'n> {
    members: std::slice::Iter<'t, Located>,
    of: Value<'t, 'n>,
}

impl<'de, 't> SeqAccess<'de> for List<'t, '_> {
    type Error = ReadError<'t>;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Self::Error> {
        let Value { notes, path, .. } = self.of;
        let Some(located) = self.members.find(|member| !notes.is_wrong(member)) else {
            return Ok(None);
        };
        let value = Value {
            located,
            notes,
            path,
        };
        seed.deserialize(value)
            .map(Some)
            .map_err(|error| error.at(Some(located), &located.place, path))
    }

    /// Of the list as it is written.
    fn size_hint(&self) -> Option<usize> {
        Some(self.members.len())
    }
}

/// A line, and then the value that stands there.
struct LineAndValue<'t, 'n> {
    line: usize,
    value: Option<Value<'t, 'n>>,
}

impl<'de, 't> SeqAccess<'de> for LineAndValue<'t, '_> {
    type Error = ReadError<'t>;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Self::Error> {
        if self.line > 0 {
            let line = u64::try_from(self.line).unwrap_or_default();
            self.line = 0;
            let line: U64Deserializer<Self::Error> = line.into_deserializer();
            return seed.deserialize(line).map(Some);
        }
        let value = self.value.take();
        value.map(|value| seed.deserialize(value)).transpose()
    }
}

/// The members of a table, without those that are wrong or that the shape does not know.
struct Members<'t, 'n> {
    entries: btree_map::Iter<'t, String, Entry>,
    fields: Option<&'static [&'static str]>,
    notes: &'n Notes<'t>,
    path: Path<'n>,
    next: Option<(&'t str, &'t Entry)>,
}

impl<'t, 'n> Members<'t, 'n> {
    fn new(
        table: &'t Table,
        fields: Option<&'static [&'static str]>,
        (notes, path): (&'n Notes<'t>, Path<'n>),
    ) -> Self {
        Self {
            entries: table.0.iter(),
            fields,
            notes,
            path,
            next: None,
        }
    }

    fn is_read(&self, key: &str, entry: &Entry) -> bool {
        !self.notes.is_wrong(&entry.value) && self.fields.is_none_or(|it| it.contains(&key))
    }
}

impl<'de, 't> MapAccess<'de> for Members<'t, '_> {
    type Error = ReadError<'t>;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Self::Error> {
        while let Some((key, entry)) = self.entries.next() {
            if self.is_read(key, entry) {
                self.next = Some((key, entry));
                let text: StrDeserializer<'_, Self::Error> = StrDeserializer::new(key);
                return seed
                    .deserialize(text)
                    .map(Some)
                    .map_err(|error| error.at(Some(&entry.value), &entry.key, self.path));
            }
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<T::Value, Self::Error> {
        let Some((key, entry)) = self.next.take() else {
            return Err(ReadError::custom("a value without a key"));
        };
        let shown;
        let (key, divider) = if self.fields.is_some() {
            (key, ": ")
        } else {
            shown = shown_word(key, []);
            (shown.as_str(), ".")
        };
        let path = self.path.with(key, divider);
        let value = Value {
            located: &entry.value,
            notes: self.notes,
            path,
        };
        seed.deserialize(value)
            .map_err(|error| error.at(Some(&entry.value), &entry.value.place, path))
    }
}
