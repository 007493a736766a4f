//! The tokens of a request that say for whom its client asks, before anything of them is believed.

use std::fmt;

use super::refusal::RequestFault;
use super::shown;

/// The type of what is issued, and of tokens of ours (RFC 8693 section 3).
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The type of any JWT.
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// The tokens of an exchange (RFC 8693 section 2.1), any text: anybody who has one can use it.
#[derive(Clone, Copy)]
pub struct PresentedExchange<'a> {
    /// For whom a token is asked.
    pub subject: &'a str,
    /// Who asks, where the client says it again.
    pub actor: Option<&'a str>,
}

impl<'a> PresentedExchange<'a> {
    /// Reads the parameters; `get` gives the value of one that is there and not empty.
    ///
    /// # Errors
    /// A token without its type or a type without its token, and types that are not supported.
    pub fn read(get: impl Fn(&'static str) -> Option<&'a str>) -> Result<Self, RequestFault> {
        let pair = |token, kind: &'static str| match (get(token), get(kind)) {
            (Some(_), Some(kind)) if kind != ACCESS_TOKEN && kind != JWT => {
                let kind = shown::unknown(kind, [ACCESS_TOKEN, JWT]);
                Err(RequestFault::TokenType(token, kind))
            }
            (Some(value), Some(_)) => Ok(Some(value)),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(RequestFault::TokenPair(kind)),
            (Some(_), None) => Err(RequestFault::TokenPair(token)),
        };
        let subject = pair("subject_token", "subject_token_type")?;
        let subject = subject.ok_or(RequestFault::MissingSubjectToken)?;
        let actor = pair("actor_token", "actor_token_type")?;
        match get("requested_token_type") {
            None | Some(ACCESS_TOKEN) => Ok(Self { subject, actor }),
            Some(other) => {
                let other = shown::unknown(other, [ACCESS_TOKEN]);
                Err(RequestFault::RequestedTokenType(other))
            }
        }
    }
}

/// The `assertion` of a grant (RFC 7523 section 2.1), any text.
#[derive(Clone, Copy)]
pub struct PresentedAssertion<'a>(pub &'a str);

impl<'a> PresentedAssertion<'a> {
    /// Reads the parameter; `get` gives the value of one that is there and not empty.
    ///
    /// # Errors
    /// It is missing.
    pub fn read(get: impl Fn(&'static str) -> Option<&'a str>) -> Result<Self, RequestFault> {
        let assertion = get("assertion").ok_or(RequestFault::MissingAssertion)?;
        Ok(Self(assertion))
    }
}

impl fmt::Debug for PresentedExchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresentedExchange(hidden)")
    }
}

impl fmt::Debug for PresentedAssertion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresentedAssertion(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        parameters: &[(&'static str, &'static str)],
    ) -> Result<Option<&'static str>, RequestFault> {
        let get = |name| parameters.iter().find(|it| it.0 == name).map(|it| it.1);
        PresentedExchange::read(get).map(|it| it.actor)
    }

    const SUBJECT: (&str, &str) = ("subject_token", "a");
    const TYPE: (&str, &str) = ("subject_token_type", ACCESS_TOKEN);

    /// EXC-07.
    #[test]
    fn each_token_comes_with_its_type_and_nothing_but_an_access_token_is_given() {
        assert_eq!(read(&[SUBJECT, TYPE]), Ok(None));
        assert_eq!(read(&[SUBJECT, ("subject_token_type", JWT)]), Ok(None));
        let actor = [
            SUBJECT,
            TYPE,
            ("actor_token", "b"),
            ("actor_token_type", JWT),
        ];
        assert_eq!(read(&actor), Ok(Some("b")));
        let wanted = ("requested_token_type", ACCESS_TOKEN);
        assert_eq!(read(&[SUBJECT, TYPE, wanted]), Ok(None));
        for wrong in [
            &[][..],
            &[SUBJECT],
            &[TYPE],
            &[SUBJECT, ("subject_token_type", "access_token")],
            &[
                SUBJECT,
                (
                    "subject_token_type",
                    "urn:ietf:params:oauth:token-type:saml2",
                ),
            ],
            &[SUBJECT, TYPE, ("actor_token", "b")],
            &[SUBJECT, TYPE, ("actor_token_type", JWT)],
            &[
                SUBJECT,
                TYPE,
                ("actor_token", "b"),
                ("actor_token_type", "x"),
            ],
            &[SUBJECT, TYPE, ("requested_token_type", JWT)],
            &[
                SUBJECT,
                TYPE,
                (
                    "requested_token_type",
                    "urn:ietf:params:oauth:token-type:refresh_token",
                ),
            ],
            &[
                SUBJECT,
                TYPE,
                (
                    "requested_token_type",
                    "urn:ietf:params:oauth:token-type:id_token",
                ),
            ],
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
