//! JSON objects from strangers: no member twice, bounded in depth and number (RFC 8725 section 2.4).
//!
//! `serde_json` alone keeps the last of two equal members, so that two readers of one token could
//! see different claims.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How much a text may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Objects and arrays may lie in each other this deep; the outermost is the first.
    pub depth: usize,
    /// The most members that all objects of a text may have together.
    pub members: usize,
}

/// What strangers may send.
pub const STRANGERS: Bounds = Bounds {
    depth: 16,
    members: 256,
};

/// Why a text is refused: what it is, as a sentence about it ends. It never repeats the text.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StrictJsonError {
    #[error("not UTF-8")]
    NotUtf8,
    /// Not JSON, a number beyond what a double holds, or something after the object.
    #[error("not one JSON text")]
    Syntax,
    #[error("not a JSON object")]
    NotAnObject,
    #[error("JSON in which a member name appears twice")]
    DuplicateMember,
    /// Deeper than the bound.
    #[error("JSON nested deeper than {0}")]
    TooDeep(usize),
    /// More than the bound.
    #[error("JSON with more than {0} members")]
    TooManyMembers(usize),
}

/// Reads one JSON object that a stranger sent. The caller bounds the length of `bytes`.
///
/// # Errors
/// Anything but one object within [`STRANGERS`], with every name once (JOSE-06).
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, StrictJsonError> {
    parse_object_within(bytes, STRANGERS)
}

/// As [`parse_object`], within other bounds.
///
/// # Errors
/// As [`parse_object`].
pub fn parse_object_within(
    bytes: &[u8],
    bounds: Bounds,
) -> Result<Map<String, Value>, StrictJsonError> {
    let text = std::str::from_utf8(bytes).map_err(|_| StrictJsonError::NotUtf8)?;
    let reading = Reading {
        bounds,
        members: Cell::new(0),
        fault: Cell::new(None),
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Element {
        reading: &reading,
        depth: 0,
    }
    .deserialize(&mut deserializer)
    .and_then(|value| deserializer.end().map(|()| value))
    .map_err(|_| reading.fault.get().unwrap_or(StrictJsonError::Syntax))?;
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(StrictJsonError::NotAnObject),
    }
}

/// What all elements of one text share.
struct Reading {
    bounds: Bounds,
    members: Cell<usize>,
    /// Our own reason: serde carries errors as text only.
    fault: Cell<Option<StrictJsonError>>,
}

impl Reading {
    fn refuse<E: serde::de::Error>(&self, fault: StrictJsonError) -> E {
        self.fault.set(Some(fault));
        E::custom(fault)
    }
}

/// One value, `depth` levels below the outermost.
#[derive(Clone, Copy)]
struct Element<'a> {
    reading: &'a Reading,
    depth: usize,
}

impl Element<'_> {
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        let deepest = self.reading.bounds.depth;
        if self.depth >= deepest {
            return Err(self.reading.refuse(StrictJsonError::TooDeep(deepest)));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut elements = Vec::new();
        while let Some(element) = access.next_element_seed(inner)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut map = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let members = self.reading.members.get() + 1;
            self.reading.members.set(members);
            let most = self.reading.bounds.members;
            if members > most {
                return Err(self.reading.refuse(StrictJsonError::TooManyMembers(most)));
            }
            if map.contains_key(&name) {
                return Err(self.reading.refuse(StrictJsonError::DuplicateMember));
            }
            map.insert(name, access.next_value_seed(inner)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn fault(text: &str) -> StrictJsonError {
        parse_object(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn an_object_reads_as_serde_json_reads_it() {
        let value = json!({"a": [1, -2, 1.5, null, true, "é\n"], "b": {"a": {}}, "c": u64::MAX});
        let read = parse_object(value.to_string().as_bytes()).unwrap();
        assert_eq!(Value::Object(read), value);
    }

    /// JOSE-06.
    #[test]
    fn a_member_name_may_not_stand_twice_at_any_depth() {
        for text in [
            r#"{"sub":"a","sub":"b"}"#,
            r#"{"sub":"a","s\u0075b":"a"}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            r#"{"a":[{"b":1,"b":1}]}"#,
        ] {
            assert_eq!(fault(text), StrictJsonError::DuplicateMember, "{text}");
        }
        assert!(parse_object(br#"{"a":{"a":1},"b":{"a":1}}"#).is_ok());
    }

    #[test]
    fn only_one_object_is_read() {
        for text in ["[]", "1", "null", r#""a""#] {
            assert_eq!(fault(text), StrictJsonError::NotAnObject, "{text}");
        }
        for text in [
            "",
            "{",
            "{} {}",
            "{},",
            "\u{feff}{}",
            "{'a':1}",
            r#"{"a":"\ud800"}"#,
            "{a:1}",
        ] {
            assert_eq!(fault(text), StrictJsonError::Syntax, "{text}");
        }
        assert_eq!(
            parse_object(b"{\"a\":\"\xff\"}").unwrap_err(),
            StrictJsonError::NotUtf8
        );
    }

    #[test]
    fn depth_and_members_are_bounded() {
        let nested = |depth: usize| {
            format!(
                "{{\"a\":{}1{}}}",
                "[".repeat(depth - 1),
                "]".repeat(depth - 1)
            )
        };
        let Bounds { depth, members } = STRANGERS;
        assert!(parse_object(nested(depth).as_bytes()).is_ok());
        assert_eq!(fault(&nested(depth + 1)), StrictJsonError::TooDeep(depth));
        assert_eq!(fault(&nested(5000)), StrictJsonError::TooDeep(depth));

        let wide = |members: usize| {
            let members: Vec<_> = (0..members).map(|n| format!("\"{n}\":{{}}")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(parse_object(wide(members).as_bytes()).is_ok());
        assert_eq!(
            fault(&wide(members + 1)),
            StrictJsonError::TooManyMembers(members)
        );
    }

    #[test]
    fn a_huge_number_is_a_double_or_an_error() {
        let digits = format!("{{\"exp\":{}}}", "9".repeat(300));
        assert!(parse_object(digits.as_bytes()).unwrap()["exp"].is_f64());
        assert_eq!(fault(r#"{"exp":1e999}"#), StrictJsonError::Syntax);
        assert_eq!(
            fault(r#"{"exp":1e99999999999999999999}"#),
            StrictJsonError::Syntax
        );
        assert!(parse_object(br#"{"exp":1e-99999999999999999999}"#).is_ok());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_object(&bytes);
        }

        #[test]
        fn nothing_json_like_makes_it_panic(text in "\\{[\\[\\]{}\":,0-9eE+.a\\\\u-]{0,120}") {
            let _ = parse_object(text.as_bytes());
        }
    }
}
