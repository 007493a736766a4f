//! Reads a JSON value, or the parameters of a query, as a type: strictly, and with the place of what is wrong.
//!
//! `serde_json` reads the text, but its errors are text, too: neither the wrong key nor those that are known could be
//! taken out of them. So the value is read by a deserializer whose errors keep both.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{
    self, DeserializeOwned, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use super::fault::Fault;
use crate::domain::shown;

/// What is read as `T`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A body: each value has its type.
    Body,
    /// A query: each value is text, also one that says a number.
    Query,
}

/// Reads `members` as a `T`. No member of a struct may be there that it does not have.
///
/// # Errors
/// 400 with the place.
pub(super) fn read<T: DeserializeOwned>(
    members: &Map<String, Value>,
    source: Source,
) -> Result<T, Fault> {
    let value = Value::Object(members.clone());
    let node = Node {
        value: &value,
        source,
    };
    serde_path_to_error::deserialize(node).map_err(|error| {
        let path = error.path().to_string();
        error.into_inner().at(&path)
    })
}

/// What is wrong with one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReadError {
    /// A key that nobody reads, and those that are read.
    UnknownKey(String, &'static [&'static str]),
    /// A word that is none of a few.
    UnknownWord(String, &'static [&'static str]),
    /// A member that must be there.
    Missing(&'static str),
    /// Anything else, as a sentence.
    Said(String),
}

impl ReadError {
    /// The fault of what stands at `path`, which serde writes as a dot where that is everything.
    fn at(self, path: &str) -> Fault {
        let path = path.trim_start_matches('.');
        let member = |key: &str| match path {
            "" => key.to_owned(),
            _ => format!("{path}.{key}"),
        };
        match self {
            Self::UnknownKey(key, known) => {
                let known = || known.iter().copied();
                let near = shown::nearest(&key, known());
                let key = shown::unknown(&key, known());
                let known: Vec<&str> = known().collect();
                let message = match known.as_slice() {
                    [] => format!("nothing is known of {key}: no member or parameter belongs here"),
                    known => format!(
                        "nothing is known of {key}; known here: {}",
                        known.join(", ")
                    ),
                };
                Fault::invalid(message).at(member(&key)).near(near)
            }
            Self::UnknownWord(word, known) => {
                let known = || known.iter().copied();
                let words: Vec<&str> = known().collect();
                let message = format!(
                    "{} is not one of {}",
                    shown::unknown(&word, known()),
                    words.join(", ")
                );
                Fault::invalid(message)
                    .at(path)
                    .near(shown::nearest(&word, known()))
            }
            Self::Missing(key) => {
                Fault::invalid(format!("{key} is missing: it must be given")).at(member(key))
            }
            Self::Said(message) => Fault::invalid(message).at(path),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Said(message.to_string())
    }

    /// Never shows the value: it may be a secret.
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Bool(_) => "true or false",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
            Unexpected::Float(_) => "a number with a fraction",
            Unexpected::Seq => "a list",
            Unexpected::Map => "an object",
            Unexpected::Unit | Unexpected::Option => "null",
            _ => "text",
        };
        Self::Said(format!("expected {}, found {found}", in_words(expected)))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Said(format!("expected {}", in_words(expected)))
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self::UnknownWord(word.to_owned(), known)
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::UnknownKey(key.to_owned(), known)
    }

    fn missing_field(key: &'static str) -> Self {
        Self::Missing(key)
    }
}

/// What Rust calls a type, as the writer of JSON calls it.
fn in_words(expected: &dyn Expected) -> String {
    match expected.to_string().as_str() {
        "a string" => "text".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "an object".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        word if word.starts_with("struct ") => "an object".to_owned(),
        word if word.starts_with("enum ") => "text, one of a few words".to_owned(),
        other => other.to_owned(),
    }
}

/// One value that is read.
#[derive(Clone, Copy)]
struct Node<'v> {
    value: &'v Value,
    source: Source,
}

impl<'v> Node<'v> {
    fn with(self, value: &'v Value) -> Self {
        Self { value, ..self }
    }

    /// A parameter that says a number or a truth value, as such.
    fn told(self) -> Option<Value> {
        match (self.source, self.value) {
            (Source::Query, Value::String(text)) => serde_json::from_str(text)
                .ok()
                .filter(|value: &Value| value.is_number() || value.is_boolean()),
            _ => None,
        }
    }
}

impl IntoDeserializer<'_, ReadError> for Node<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// What a query says as text.
macro_rules! or_as_text {
    ($($method:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            match self.told() {
                Some(told) => self.with(&told).deserialize_any(visitor),
                None => self.deserialize_any(visitor),
            }
        }
    )+};
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (.., number) => visitor.visit_f64(number.unwrap_or_default()),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Array(list) => {
                let members = list.iter().map(|value| self.with(value));
                visitor.visit_seq(SeqDeserializer::new(members))
            }
            Value::Object(members) => {
                let members = members
                    .iter()
                    .map(|(key, value)| (key.as_str(), self.with(value)));
                visitor.visit_map(MapDeserializer::new(members))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match self.value {
            Value::Object(members) => {
                let unknown = |key: &&String| !fields.contains(&key.as_str());
                match members.keys().find(unknown) {
                    Some(key) => Err(de::Error::unknown_field(key, fields)),
                    None => self.deserialize_any(visitor),
                }
            }
            // serde would take the fields from it, in their order.
            Value::Array(_) => Err(de::Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match self.value {
            Value::String(word) => visitor.visit_enum(word.as_str().into_deserializer()),
            Value::Object(members) => {
                let members = members
                    .iter()
                    .map(|(key, value)| (key.as_str(), self.with(value)));
                let members = MapDeserializer::new(members);
                visitor.visit_enum(MapAccessDeserializer::new(members))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    or_as_text! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16
        deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::domain::timestamp::{Seconds, Timestamp};

    #[derive(Debug, Deserialize, PartialEq)]
    struct Asked {
        advance: Option<Seconds>,
        set: Option<Timestamp>,
        freeze: Option<bool>,
        times: Option<u32>,
        what: Option<Word>,
        inner: Option<Inner>,
        #[serde(default)]
        claims: Map<String, Value>,
        list: Option<Vec<Inner>>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Inner {
        exp: i64,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        Token,
        Introspection,
    }

    fn asked(value: &Value, source: Source) -> Result<Asked, (Option<String>, Option<String>)> {
        let members = value.as_object().unwrap();
        read(members, source).map_err(|fault| {
            assert_eq!(fault.status, 400);
            (fault.body.at, fault.body.nearest)
        })
    }

    #[test]
    fn a_fault_says_where_it_is_and_what_was_meant() {
        for (value, at, nearest) in [
            (json!({ "advanse": "1h" }), "advanse", Some("advance")),
            (json!({ "advance": 60 }), "advance", None),
            (json!({ "advance": "soon" }), "advance", None),
            (json!({ "set": true }), "set", None),
            (json!({ "set": "tomorrow" }), "set", None),
            (json!({ "freeze": "true" }), "freeze", None),
            (json!({ "times": -1 }), "times", None),
            (json!({ "times": 1.5 }), "times", None),
            (json!({ "times": "1" }), "times", None),
            (json!({ "what": "tokens" }), "what", Some("token")),
            (json!({ "what": 1 }), "what", None),
            (json!({ "inner": { "exp": "1" } }), "inner.exp", None),
            (
                json!({ "inner": { "exp": 1, "exq": 1 } }),
                "inner.exq",
                Some("exp"),
            ),
            (json!({ "inner": {} }), "inner.exp", None),
            (json!({ "inner": [1] }), "inner", None),
            (json!({ "claims": [] }), "claims", None),
            (
                json!({ "list": [{ "exp": 1 }, { "exp": null }] }),
                "list[1].exp",
                None,
            ),
        ] {
            let (found, near) = asked(&value, Source::Body).unwrap_err();
            assert_eq!(
                (found.as_deref(), near.as_deref()),
                (Some(at), nearest),
                "{value}"
            );
        }
    }

    #[test]
    fn what_fits_is_read_and_null_is_as_if_absent() {
        let value = json!({
            "advance": "61m", "set": 1_767_225_600, "freeze": false, "times": 2, "what": "introspection",
            "inner": null, "claims": { "any": [1, { "x": null }] },
        });
        let read = asked(&value, Source::Body).unwrap();
        assert_eq!(read.advance, Some(Seconds::new(3660)));
        assert_eq!(read.set, Some(Timestamp::from_unix(1_767_225_600)));
        assert_eq!(
            (read.freeze, read.times, read.inner),
            (Some(false), Some(2), None)
        );
        assert_eq!(read.what, Some(Word::Introspection));
        assert_eq!(json!(read.claims), value["claims"]);
    }

    #[test]
    fn a_query_says_numbers_as_text() {
        let value = json!({ "freeze": "true", "times": "2", "set": "1767225600", "what": "token" });
        let read = asked(&value, Source::Query).unwrap();
        assert_eq!((read.freeze, read.times), (Some(true), Some(2)));
        assert_eq!(read.set, Some(Timestamp::from_unix(1_767_225_600)));
        for wrong in [
            json!({ "times": "x" }),
            json!({ "times": "" }),
            json!({ "times": "[1]" }),
        ] {
            assert_eq!(
                asked(&wrong, Source::Query).unwrap_err().0.as_deref(),
                Some("times")
            );
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        let value = json!({ "kJ8vQ2mZx7Lw4Rt9Yb3N": 1 });
        let fault = read::<Asked>(value.as_object().unwrap(), Source::Body).unwrap_err();
        assert!(!format!("{fault:?}").contains("Lw4Rt9"), "{fault:?}");
        let value = json!({ "times": "kJ8vQ2mZx7Lw4Rt9Yb3N" });
        let fault = read::<Asked>(value.as_object().unwrap(), Source::Body).unwrap_err();
        assert!(!format!("{fault:?}").contains("Lw4Rt9"), "{fault:?}");
    }
}
