//! Which of two media types the `Accept` of a request prefers (RFC 9110 section 12.5.1).

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

use super::quoted::divided;

/// The most ranges of one request that are looked at.
const MOST: usize = 64;

/// The weight of a range, in thousandths.
type Weight = u16;
const FULL: Weight = 1000;

/// Whether `special` is asked for: by its own name, and at least as much as `usual`, which anybody gets who names neither.
/// What is no range of media types says nothing.
pub(super) fn prefers(headers: &HeaderMap, special: &str, usual: &str) -> bool {
    let (mut named, mut usual_named, mut of_kind, mut of_all) = (None, None, None, None);
    let kind = usual.split_once('/').map_or("", |(kind, _)| kind);
    let values = headers.get_all(ACCEPT).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    let ranges = texts.flat_map(|text| divided(text, ',').0);
    for (range, weight) in ranges.take(MOST).filter_map(read) {
        let is = |name: &str| range.eq_ignore_ascii_case(name);
        let place = match range.split_once('/') {
            _ if is(special) => &mut named,
            _ if is(usual) => &mut usual_named,
            Some(("*", "*")) => &mut of_all,
            Some((of, "*")) if of.eq_ignore_ascii_case(kind) => &mut of_kind,
            _ => continue,
        };
        let most = place.map_or(weight, |known: Weight| known.max(weight));
        *place = Some(most);
    }
    // The most specific range counts.
    let usual = usual_named.or(of_kind).or(of_all).unwrap_or(0);
    named.is_some_and(|weight| weight > 0 && weight >= usual)
}

/// A range without parameters, and its weight: those that a media type has here are none.
fn read(part: &str) -> Option<(&str, Weight)> {
    let (range, parameters) = part.split_once(';').unwrap_or((part, ""));
    let mut weight = FULL;
    for parameter in parameters.split(';').map(str::trim) {
        match parameter.split_once('=') {
            _ if parameter.is_empty() => {}
            Some((name, value)) if name.trim().eq_ignore_ascii_case("q") => {
                weight = qvalue(value.trim())?;
            }
            _ => return None,
        }
    }
    Some((range.trim(), weight))
}

/// `0`, `0.5`, `1.000`: at most three digits behind the point, and nothing above one.
fn qvalue(text: &str) -> Option<Weight> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_short = fraction.len() <= 3 && fraction.bytes().all(|it| it.is_ascii_digit());
    let thousandths: Weight = match (whole, is_short) {
        ("0", true) => format!("{fraction:0<3}").parse().ok()?,
        ("1", true) if fraction.bytes().all(|it| it == b'0') => FULL,
        _ => return None,
    };
    Some(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = "application/token-introspection+jwt";
    const JSON: &str = "application/json";

    fn wants_jwt(values: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, value.parse().unwrap());
        }
        prefers(&headers, JWT, JSON)
    }

    /// 9701-01.
    #[test]
    fn who_names_it_at_least_as_much_gets_it() {
        for accepted in [
            &["application/token-introspection+jwt"][..],
            &["Application/Token-Introspection+JWT"],
            &["application/json, application/token-introspection+jwt"],
            &["application/json", "application/token-introspection+jwt"],
            &["application/token-introspection+jwt, */*"],
            &["application/token-introspection+jwt;q=0.5, */*;q=0.1"],
            &["application/token-introspection+jwt;q=0.5, application/*;q=0.5"],
            &["application/token-introspection+jwt ; q=0.8 , application/json;Q=0.7"],
            &["application/token-introspection+jwt;q=0.001, application/json;q=0"],
            &["application/token-introspection+jwt;q=1.000, text/html"],
            &["application/token-introspection+jwt;q=0.4, application/json;q=0.3, */*;q=0.9"],
            &["text/x;a=\"b,application/json\", application/token-introspection+jwt;q=0.1"],
            &["text/x;a=\"\\\",c\", application/token-introspection+jwt"],
            &[",, application/token-introspection+jwt,"],
        ] {
            assert!(wants_jwt(accepted), "{accepted:?}");
        }
    }

    /// 9701-01.
    #[test]
    fn who_does_not_or_wants_json_more_gets_json() {
        for accepted in [
            &[][..],
            &[""],
            &["*/*"],
            &["application/*"],
            &["application/json"],
            &["application/json;q=0"],
            &["application/jwt"],
            &["application/token-introspection+jwt;q=0"],
            &["application/token-introspection+jwt;q=0.000, */*"],
            &["application/token-introspection+jwt;q=0.5, application/json"],
            &["application/token-introspection+jwt;q=0.5, */*;q=0.8"],
            &["application/token-introspection+jwt;q=0.5, application/*;q=0.6, */*;q=0.1"],
            &[
                "application/token-introspection+jwt;q=0.5",
                "application/json;q=0.501",
            ],
            &["application/token-introspection+jwt;version=2"],
            &["application/token-introspection+jwt;q=2"],
            &["application/token-introspection+jwt;q=0.1234"],
            &["application/token-introspection+jwt;q=-1"],
            &["application/token-introspection+jwt;q="],
            &["application/token-introspection+jwt;q=0.+5"],
            &["application/token-introspection+jwtx"],
            &["text/x;a=\",application/token-introspection+jwt,\""],
        ] {
            assert!(!wants_jwt(accepted), "{accepted:?}");
        }
    }

    #[test]
    fn what_is_no_text_or_endless_says_nothing() {
        let mut headers = HeaderMap::new();
        headers.append(
            ACCEPT,
            axum::http::HeaderValue::from_bytes(b"\xff").unwrap(),
        );
        assert!(!prefers(&headers, JWT, JSON));
        let many = format!("{}{JWT}", "a/b,".repeat(MOST));
        assert!(!wants_jwt(&[&many]));
    }
}
