//! The form that `Forwarded` (RFC 7239 section 4) and Envoy's `X-Forwarded-Client-Cert` share: elements with commas
//! between, each of `key=value` pairs with semicolons between; a value may be quoted.
//!
//! By hand: the crates for either one read only that one, and leave out doubled keys and broken quotes.

use std::borrow::Cow;

use crate::http::quoted;

/// One pair; keys have no case.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pair<'a> {
    pub(super) key: &'a str,
    pub(super) value: Cow<'a, str>,
}

/// What can not be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The elements of one header line; empty ones are left out (RFC 9110 section 5.6.1).
pub(super) fn elements(line: &[u8]) -> Result<Vec<Vec<Pair<'_>>>, Malformed> {
    let text = std::str::from_utf8(line).map_err(|_| Malformed)?;
    let mut elements = Vec::new();
    for element in divided(text, ',')? {
        if !element.trim().is_empty() {
            elements.push(pairs(element)?);
        }
    }
    Ok(elements)
}

fn pairs(element: &str) -> Result<Vec<Pair<'_>>, Malformed> {
    let mut pairs = Vec::new();
    for pair in divided(element, ';')? {
        if !pair.trim().is_empty() {
            let (key, value) = pair.split_once('=').ok_or(Malformed)?;
            pairs.push(Pair {
                key: key.trim(),
                value: unquoted(value.trim())?,
            });
        }
    }
    Ok(pairs)
}

/// The parts between separators that stand outside quotes.
fn divided(text: &str, separator: char) -> Result<Vec<&str>, Malformed> {
    match quoted::divided(text, separator) {
        (parts, true) => Ok(parts),
        // Not left to the values: a quote that a key opens would hide what a proxy adds behind it.
        (_, false) => Err(Malformed),
    }
}

/// A value without its quotes; outside of quotes there are none.
fn unquoted(value: &str) -> Result<Cow<'_, str>, Malformed> {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else {
        return if value.contains('"') {
            Err(Malformed)
        } else {
            Ok(value.into())
        };
    };
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.push(characters.next().ok_or(Malformed)?),
            '"' => return Err(Malformed),
            other => plain.push(other),
        }
    }
    Ok(plain.into())
}

/// The value of the only pair with `key`.
pub(super) fn only<'p>(pairs: &'p [Pair<'_>], key: &str) -> Result<Option<&'p str>, Malformed> {
    let mut values = pairs
        .iter()
        .filter(|pair| pair.key.eq_ignore_ascii_case(key));
    let first = values.next();
    if values.next().is_some() {
        Err(Malformed)
    } else {
        Ok(first.map(|pair| &*pair.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Vec<Vec<(String, String)>>> {
        let elements = elements(line.as_bytes()).ok()?;
        let owned = |pair: Pair<'_>| (pair.key.to_owned(), pair.value.into_owned());
        Some(
            elements
                .into_iter()
                .map(|pairs| pairs.into_iter().map(owned).collect())
                .collect(),
        )
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    /// RFC 7239 section 4.
    #[test]
    fn the_examples_of_the_rfc_are_read() {
        assert_eq!(
            read("for=192.0.2.60;proto=http;by=203.0.113.43").unwrap(),
            [[
                pair("for", "192.0.2.60"),
                pair("proto", "http"),
                pair("by", "203.0.113.43")
            ]]
        );
        assert_eq!(
            read("for=192.0.2.43, For=\"[2001:db8:cafe::17]:4711\"").unwrap(),
            [
                [pair("for", "192.0.2.43")],
                [pair("For", "[2001:db8:cafe::17]:4711")]
            ]
        );
    }

    #[test]
    fn separators_in_quotes_separate_nothing() {
        assert_eq!(
            read(r#"Subject="CN=a\",b;c=d";URI=spiffe://a/b"#).unwrap(),
            [[pair("Subject", "CN=a\",b;c=d"), pair("URI", "spiffe://a/b")]]
        );
        assert_eq!(
            read(r#"a="\\", b=1"#).unwrap(),
            [[pair("a", "\\")], [pair("b", "1")]]
        );
    }

    #[test]
    fn broken_quotes_and_pairs_are_malformed() {
        for line in [
            r#"a=""#,
            r#"a="b"#,
            r#"a="b"c"#,
            r#"a=b"c""#,
            r#"a="b\"#,
            "a",
            "a;b",
            "a=1, b",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
        assert_eq!(elements(b"a=\xff"), Err(Malformed));
        assert_eq!(read(" , ,").unwrap(), Vec::<Vec<_>>::new());
    }

    #[test]
    fn a_doubled_key_is_malformed_where_one_is_asked_for() {
        let elements = elements(b"for=a;FOR=b").unwrap();
        assert_eq!(only(&elements[0], "for"), Err(Malformed));
        assert_eq!(only(&elements[0], "by"), Ok(None));
    }
}
