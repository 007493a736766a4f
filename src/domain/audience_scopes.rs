//! The scopes of an audience: a table from scope to description, or a list where none has one.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::Serializer;

use super::scope::Scope;

type Scopes = BTreeMap<Scope, String>;

pub(super) fn serialize<S: Serializer>(scopes: &Scopes, serializer: S) -> Result<S::Ok, S::Error> {
    if scopes.values().all(String::is_empty) {
        serializer.collect_seq(scopes.keys())
    } else {
        serializer.collect_map(scopes)
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Scopes, D::Error> {
    deserializer.deserialize_any(Described)
}

struct Described;

impl<'de> Visitor<'de> for Described {
    type Value = Scopes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of scopes or a table")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scopes, A::Error> {
        let mut scopes = Scopes::new();
        while let Some(scope) = list.next_element()? {
            scopes.insert(scope, String::new());
        }
        Ok(scopes)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Scopes, A::Error> {
        let mut scopes = Scopes::new();
        while let Some((scope, description)) = table.next_entry()? {
            scopes.insert(scope, description);
        }
        Ok(scopes)
    }
}
