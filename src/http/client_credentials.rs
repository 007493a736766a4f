//! Finds the one way in which a request presents its client's credentials (RFC 6749 section 2.3).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::basic::{Authorization, parse_authorization};
use super::form::Form;
use crate::domain::client::AuthMethod;
use crate::domain::client_jwt::{ASSERTION_TYPE, SVID_TYPE};
use crate::domain::presented::Presented;
use crate::domain::refusal::RequestFault;
use crate::domain::secret_format::Secret;
use crate::domain::shown;

/// What the request presents; nothing of it is believed yet.
///
/// # Errors
/// More than one way at once, an `Authorization: Basic` that cannot be read, and a `client_id` in the body
/// other than the one there.
pub fn find(headers: &HeaderMap, form: &Form) -> Result<Presented, RequestFault> {
    let mut authorizations = headers.get_all(AUTHORIZATION).iter();
    let authorization = authorizations.next();
    let secret = form.get("client_secret");
    let assertion = form
        .get("client_assertion")
        .or(form.get("client_assertion_type"));
    let ways = [
        (authorization.is_some(), "Authorization"),
        (authorizations.next().is_some(), "Authorization again"),
        (secret.is_some(), "client_secret"),
        (assertion.is_some(), "client_assertion"),
    ];
    if ways.iter().filter(|(is_there, _)| *is_there).count() > 1 {
        let names = ways
            .iter()
            .filter_map(|(is_there, name)| is_there.then_some(*name));
        let names = names.collect::<Vec<_>>().join(" and ");
        return Err(RequestFault::SeveralAuthMethods(names));
    }
    match authorization {
        Some(value) => in_header(value.as_bytes(), form),
        None if assertion.is_some() => in_assertion(form),
        None => Ok(in_body(form, secret)),
    }
}

fn in_header(value: &[u8], form: &Form) -> Result<Presented, RequestFault> {
    let (client_id, secret) = match parse_authorization(value)? {
        Authorization::OtherScheme(scheme) => return Ok(Presented::UnknownScheme { scheme }),
        Authorization::Basic { client_id, secret } => (client_id, secret),
    };
    if let Some(other) = form.get("client_id").filter(|other| *other != client_id) {
        return Err(RequestFault::ClientIdMismatch {
            body: shown::unknown(other, []),
            header: shown::unknown(&client_id, []),
        });
    }
    Ok(Presented::Secret {
        method: AuthMethod::ClientSecretBasic,
        client_id,
        secret,
    })
}

/// RFC 7521 section 4.2: both parameters, and exactly RFC 7523's type, or that of JWT-SVIDs.
fn in_assertion(form: &Form) -> Result<Presented, RequestFault> {
    let assertion = form
        .get("client_assertion")
        .ok_or(RequestFault::AssertionPair("client_assertion_type"))?;
    match form.get("client_assertion_type") {
        Some(known @ (ASSERTION_TYPE | SVID_TYPE)) => Ok(Presented::Assertion {
            client_id: form.get("client_id").map(str::to_owned),
            assertion: assertion.to_owned(),
            is_svid: known == SVID_TYPE,
        }),
        Some(other) => Err(RequestFault::AssertionType(shown::unknown(
            other,
            [ASSERTION_TYPE, SVID_TYPE],
        ))),
        None => Err(RequestFault::AssertionPair("client_assertion")),
    }
}

fn in_body(form: &Form, secret: Option<&str>) -> Presented {
    let client_id = form.get("client_id").map(str::to_owned);
    match (client_id, secret) {
        (Some(client_id), Some(secret)) => Presented::Secret {
            method: AuthMethod::ClientSecretPost,
            client_id,
            secret: Secret::new(secret.to_owned()),
        },
        (client_id, _) => Presented::Nothing { client_id },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `id:s`
    const BASIC: &str = "Basic aWQ6cw==";

    fn find(authorizations: &[&str], body: &str) -> Result<Presented, RequestFault> {
        let headers = authorizations
            .iter()
            .map(|value| (AUTHORIZATION, value.parse().unwrap()))
            .collect::<HeaderMap>();
        super::find(&headers, &Form::parse_body(body.as_bytes()).unwrap())
    }

    /// 6749-11.
    #[test]
    fn two_ways_at_once_are_refused() {
        for (authorizations, body) in [
            (&[BASIC][..], "client_secret=s"),
            (&[BASIC], "client_id=id&client_secret=s"),
            (&[BASIC], "client_assertion=a&client_assertion_type=t"),
            (&[BASIC], "client_assertion_type=t"),
            (&[], "client_id=id&client_secret=s&client_assertion=a"),
            (&[BASIC, "Bearer x"], ""),
            (&[BASIC, BASIC], ""),
            (&["Bearer x"], "client_id=id&client_secret=s"),
            (&["Basic unreadable"], "client_secret=s"),
        ] {
            let found = find(authorizations, body);
            assert!(
                matches!(found, Err(RequestFault::SeveralAuthMethods(_))),
                "{body}: {found:?}"
            );
        }
    }

    /// 6749-17.
    #[test]
    fn a_client_id_in_the_body_must_be_the_one_of_the_header() {
        for body in ["", "client_id=id", "client_id="] {
            let found = find(&[BASIC], body);
            assert!(
                matches!(&found, Ok(Presented::Secret { method: AuthMethod::ClientSecretBasic, client_id, secret })
                    if client_id == "id" && secret.expose() == "s"),
                "{body}: {found:?}"
            );
        }
        assert!(matches!(
            find(&[BASIC], "client_id=Id"),
            Err(RequestFault::ClientIdMismatch { .. })
        ));
    }

    #[test]
    fn a_secret_in_the_body_needs_a_client_id() {
        let found = find(&[], "client_id=id&client_secret=+s").unwrap();
        assert!(
            matches!(&found, Presented::Secret { method: AuthMethod::ClientSecretPost, client_id, secret }
                if client_id == "id" && secret.expose() == " s"),
            "{found:?}"
        );
        assert!(matches!(
            find(&[], "client_secret=s"),
            Ok(Presented::Nothing { client_id: None })
        ));
    }

    /// 6749-07: an empty secret is no credential (6749-20).
    #[test]
    fn no_credentials_are_nothing() {
        for (body, id) in [
            ("", None),
            ("client_id=id", Some("id")),
            ("client_id=id&client_secret=", Some("id")),
        ] {
            let found = find(&[], body).unwrap();
            assert!(
                matches!(&found, Presented::Nothing { client_id } if client_id.as_deref() == id),
                "{body}: {found:?}"
            );
        }
    }

    /// 6749-22.
    #[test]
    fn another_scheme_is_an_unknown_one() {
        for scheme in ["Digest a=b", "Negotiate x", "Bearer x", ""] {
            assert!(
                matches!(find(&[scheme], ""), Ok(Presented::UnknownScheme { .. })),
                "{scheme}"
            );
        }
    }

    /// 7523-01.
    #[test]
    fn an_assertion_needs_its_exact_type_and_the_type_an_assertion() {
        let whole =
            format!("client_assertion=a&client_id=id&client_assertion_type={ASSERTION_TYPE}");
        let found = find(&[], &whole).unwrap();
        assert!(matches!(
            found,
            Presented::Assertion {
                client_id: Some(_),
                is_svid: false,
                ..
            }
        ));
        let svid = format!("client_assertion=a&client_assertion_type={SVID_TYPE}");
        assert!(matches!(
            find(&[], &svid).unwrap(),
            Presented::Assertion { is_svid: true, .. }
        ));
        for (body, fault) in [
            (
                "client_assertion=a&client_id=id",
                RequestFault::AssertionPair("client_assertion"),
            ),
            (
                "client_assertion_type=t&client_id=id",
                RequestFault::AssertionPair("client_assertion_type"),
            ),
            (
                "client_assertion_type=&client_assertion=a",
                RequestFault::AssertionPair("client_assertion"),
            ),
            (
                "client_assertion_type=t&client_assertion=a",
                RequestFault::AssertionType("t".to_owned()),
            ),
            (
                &format!("client_assertion=a&client_assertion_type={ASSERTION_TYPE}x"),
                RequestFault::AssertionType(format!("{ASSERTION_TYPE}x")),
            ),
        ] {
            assert_eq!(find(&[], body).err(), Some(fault), "{body}");
        }
    }
}
