//! The form in a request's body: strict, ordered, no parameter twice (RFC 6749 section 3.2, RFC 8707).
//!
//! Our own, because axum's `Form` repairs bad encoding and answers in its own words.

use std::fmt;

use axum::http::HeaderMap;
use zeroize::Zeroizing;

use super::form_encoding::decode;
use super::media_type;
use crate::domain::refusal::RequestFault;
use crate::domain::shown;

/// The most parameters that are read, empty ones included.
pub const MAX_PARAMETERS: usize = 64;
/// The one parameter that may stand several times (RFC 8707 section 2).
const REPEATABLE: &str = "resource";

/// The parameters of one request. Values are wiped on drop and never shown.
pub struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// Reads a body that `headers` must call a form.
    ///
    /// # Errors
    /// Another media type or charset, bad encoding, too many parameters, a repeated one: also with equal or
    /// empty values, and also one that nobody knows.
    pub fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, RequestFault> {
        media_type::check_form(headers)?;
        Self::parse_body(body)
    }

    /// Reads a body, whatever its media type.
    ///
    /// # Errors
    /// As [`Form::parse`], but for media type and charset.
    pub fn parse_body(body: &[u8]) -> Result<Self, RequestFault> {
        let pieces = || body.split(|byte| *byte == b'&');
        if pieces().nth(MAX_PARAMETERS).is_some() {
            return Err(RequestFault::TooManyParameters);
        }
        let mut form = Self(Vec::new());
        for piece in pieces().filter(|piece| !piece.is_empty()) {
            let (name, value) = parameter(piece).ok_or(RequestFault::FormEncoding)?;
            if name != REPEATABLE && form.0.iter().any(|(known, _)| *known == name) {
                let name = shown::unknown(&name, []);
                return Err(RequestFault::RepeatedParameter(name));
            }
            form.0.push((name, value));
        }
        Ok(form)
    }

    /// The value of a parameter; `None` where it is absent or empty (RFC 6749 section 3.2).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// All values of a parameter that are not empty, in their order.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.values(name).collect()
    }

    /// All parameters with their names, in their order.
    #[must_use]
    pub fn into_pairs(self) -> Vec<(String, Zeroizing<String>)> {
        self.0
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let of_name = self.0.iter().filter(move |(known, _)| known == name);
        of_name
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

/// Not even the names: a secret may stand in the wrong place.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Form({} parameters, hidden)", self.0.len())
    }
}

fn parameter(piece: &[u8]) -> Option<(String, Zeroizing<String>)> {
    let mut halves = piece.splitn(2, |byte| *byte == b'=');
    let name = decode(halves.next().unwrap_or_default())?;
    let value = decode(halves.next().unwrap_or_default())?;
    Some((name, Zeroizing::new(value)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::form_encoding::encode;
    use super::*;

    fn fault(body: &str) -> Option<RequestFault> {
        Form::parse_body(body.as_bytes()).err()
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "it is compared with what `fault` gives"
    )]
    fn repeated(name: &str) -> Option<RequestFault> {
        Some(RequestFault::RepeatedParameter(name.to_owned()))
    }

    /// 6749-05.
    #[test]
    fn a_repeated_parameter_is_refused() {
        for name in [
            "grant_type",
            "scope",
            "client_id",
            "client_secret",
            "client_assertion",
            "client_assertion_type",
            "audience",
        ] {
            for body in [
                format!("{name}=a&{name}=b"),
                format!("{name}=a&x=y&{name}=a"),
                format!("{name}=&{name}=a"),
                format!("{name}&{name}"),
                format!("{name}=a&%{:02x}{}=a", name.as_bytes()[0], &name[1..]),
            ] {
                assert_eq!(fault(&body), repeated(name), "{body}");
            }
        }
    }

    /// 6749-06.
    #[test]
    fn an_unknown_parameter_is_refused_only_when_repeated() {
        assert_eq!(fault("nobody=1&knows=2"), None);
        assert_eq!(fault("nobody=1&nobody=1"), repeated("nobody"));
        assert_eq!(fault("=1&=2"), repeated(""));
    }

    /// 8707-02: what several resources mean is decided later.
    #[test]
    fn only_resource_may_repeat_8707() {
        let form = Form::parse_body(b"resource=urn:a&resource=&resource=urn:b").unwrap();
        assert_eq!(form.all("resource"), ["urn:a", "urn:b"]);
    }

    /// 6749-07.
    #[test]
    fn an_empty_value_is_absent() {
        let form = Form::parse_body(b"scope=&grant_type&a=b=c").unwrap();
        assert_eq!(form.get("scope"), None);
        assert_eq!(form.get("grant_type"), None);
        assert_eq!(form.get("a"), Some("b=c"));
        assert!(Form::parse_body(b"").unwrap().0.is_empty());
    }

    /// 6749-04.
    #[test]
    fn bad_encoding_in_any_parameter_is_refused() {
        for body in [
            "a=%FF",
            "%FF=a",
            "x=y&a=%C0%80",
            "a=%ED%A0%80",
            "a=%",
            "a=%2",
            "%zz",
        ] {
            assert_eq!(fault(body), Some(RequestFault::FormEncoding), "{body}");
        }
    }

    /// B-H03.
    #[test]
    fn floods_of_parameters_are_refused() {
        let distinct: Vec<String> = (0..10_000).map(|n| format!("p{n}=1")).collect();
        assert_eq!(
            fault(&"&".repeat(10_000)),
            Some(RequestFault::TooManyParameters)
        );
        assert_eq!(
            fault(&distinct.join("&")),
            Some(RequestFault::TooManyParameters)
        );
        assert_eq!(fault(&"&".repeat(MAX_PARAMETERS - 1)), None);
        assert_eq!(
            fault(&"&".repeat(MAX_PARAMETERS)),
            Some(RequestFault::TooManyParameters)
        );
    }

    #[test]
    fn debug_shows_nothing_of_it() {
        let form = Form::parse_body(b"client_secret=hush&hush2=x").unwrap();
        assert_eq!(format!("{form:?}"), "Form(2 parameters, hidden)");
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Form::parse_body(&body);
        }

        #[test]
        fn any_doubled_parameter_is_refused(
            name in "[^r].{0,8}", first in ".{0,8}", second in ".{0,8}", between in "[a-z]=[0-9]"
        ) {
            let (name, first, second) = (encode(&name), encode(&first), encode(&second));
            let body = format!("{name}={first}&{between}&{name}={second}");
            let fault = fault(&body);
            prop_assert!(matches!(fault, Some(RequestFault::RepeatedParameter(_))), "{:?}", fault);
        }

        #[test]
        fn encoded_pairs_come_back(
            pairs in proptest::collection::btree_map(".{1,12}", ".{1,40}", 0..20)
        ) {
            let body: Vec<String> =
                pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
            let form = Form::parse_body(body.join("&").as_bytes()).unwrap();
            for (name, value) in &pairs {
                prop_assert_eq!(form.get(name), Some(value.as_str()));
            }
        }
    }
}
