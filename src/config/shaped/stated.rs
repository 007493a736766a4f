//! Values that know their line, and lists that may be written as their only member.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The name by which the deserializer knows [`Stated`].
pub(super) const STATED: &str = "$stated";
/// The name by which the deserializer knows [`Many`].
pub(super) const MANY: &str = "$many";

/// A value and the line on which it stands; 0 in an environment variable.
#[derive(Debug)]
pub(in crate::config) struct Stated<T> {
    pub(in crate::config) line: usize,
    pub(in crate::config) value: T,
}

/// The members of a list; a value that is no list counts as a list of one.
#[derive(Debug)]
pub(in crate::config) struct Many<T>(pub(in crate::config) Vec<Stated<T>>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Stated<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(STATED, LineAndValue(PhantomData))
    }
}

struct LineAndValue<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for LineAndValue<T> {
    type Value = Stated<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a located document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pair: A) -> Result<Stated<T>, A::Error> {
        let pair = pair
            .next_entry()?
            .map(|(line, value)| Stated { line, value });
        pair.ok_or_else(|| Error::invalid_length(0, &self))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(MANY, Members(PhantomData))
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = Many<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, or one member of it")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Many<T>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = list.next_element()? {
            members.push(member);
        }
        Ok(Many(members))
    }
}
