//! Checks that a request says it carries a form (RFC 6749 section 3.2 and appendix B).

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

use crate::domain::refusal::RequestFault;
use crate::domain::shown;

const FORM: &str = "application/x-www-form-urlencoded";

/// Accepts exactly one `Content-Type`: a form, in UTF-8 where it names a charset.
///
/// # Errors
/// Another or no media type; another charset.
pub(super) fn check_form(headers: &HeaderMap) -> Result<(), RequestFault> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let other = |found: &str| RequestFault::MediaType(shown::unknown(found, []));
    let value = values.next().ok_or_else(|| other("none"))?;
    if values.next().is_some() {
        return Err(other("several"));
    }
    let text = value.to_str().map_err(|_| other("no text"))?;
    let mut parts = text.split(';').map(str::trim);
    match parts.next() {
        Some(media_type) if media_type.eq_ignore_ascii_case(FORM) => {}
        found => return Err(other(found.unwrap_or_default())),
    }
    match parts.find(|parameter| !is_utf8_or_no_charset(parameter)) {
        Some(found) => Err(RequestFault::Charset(shown::unknown(found, []))),
        None => Ok(()),
    }
}

fn is_utf8_or_no_charset(parameter: &str) -> bool {
    match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&str]) -> Result<(), RequestFault> {
        let headers = values
            .iter()
            .map(|value| (CONTENT_TYPE, value.parse().unwrap()))
            .collect::<HeaderMap>();
        check_form(&headers)
    }

    /// 6749-02.
    #[test]
    fn another_media_type_is_refused() {
        let form = FORM;
        for wrong in [
            &["application/json"][..],
            &["multipart/form-data; boundary=x"],
            &["text/plain"],
            &[""],
            &["application/x-www-form-urlencodedx"],
            &["application/x-www-form-urlencoded, text/plain"],
            &[form, form],
            &[],
        ] {
            let fault = check(wrong);
            assert!(
                matches!(fault, Err(RequestFault::MediaType(_))),
                "{wrong:?}"
            );
        }
    }

    /// 6749-03.
    #[test]
    fn case_and_parameters_do_not_matter_but_the_charset_does() {
        for good in [
            "Application/X-WWW-Form-Urlencoded; Charset=UTF-8",
            "application/x-www-form-urlencoded;charset=\"utf-8\"",
            "application/x-www-form-urlencoded ; q=1;",
        ] {
            assert_eq!(check(&[good]), Ok(()), "{good}");
        }
        for charset in ["iso-8859-1", "utf-16", "", "utf-8; charset=latin1"] {
            let value = format!("{FORM}; charset={charset}");
            let fault = check(&[&value]);
            assert!(matches!(fault, Err(RequestFault::Charset(_))), "{charset}");
        }
    }
}
