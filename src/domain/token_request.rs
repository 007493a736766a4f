//! What a token request asks for: scopes and at most one audience (RFC 6749 section 4.4.2, RFC 8707 section 2).

use fluent_uri::Uri;

use super::client::GrantType;
use super::refusal::{GrantFault, RequestFault};
use super::scope::ScopeSet;
use super::shown;

/// The longest `resource` that is read, in bytes.
const MAX_RESOURCE_LENGTH: usize = 2048;
/// Grants of other servers, which a log may show though they are long.
const OTHER_GRANTS: [&str; 1] = ["urn:ietf:params:oauth:grant-type:saml2-bearer"];

/// A token request past its grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// The scopes; `None` where the request names none.
    pub scopes: Option<ScopeSet>,
    /// The audience, as an exact string; `None` where the request names none.
    pub target: Option<String>,
}

impl GrantType {
    /// The one that a request asks for by `name`.
    ///
    /// # Errors
    /// It is none of ours.
    pub fn asked_for(name: &str) -> Result<Self, RequestFault> {
        let unsupported = || RequestFault::UnsupportedGrantType(shown::unknown(name, OTHER_GRANTS));
        let mut all = Self::ALL.iter().copied();
        all.find(|it| it.parameter() == name)
            .ok_or_else(unsupported)
    }
}

impl TokenRequest {
    /// Reads the parameters; an empty one is absent (RFC 6749 section 3.2).
    ///
    /// `resource` may stand several times: equal ones count once.
    ///
    /// # Errors
    /// A scope or resource outside its grammar, and more than one audience.
    pub fn parse(
        scope: Option<&str>,
        resources: &[&str],
        audience: Option<&str>,
    ) -> Result<Self, GrantFault> {
        let scopes = scope
            .map(|text| {
                ScopeSet::parse(text)
                    .map_err(|_| GrantFault::ScopeGrammar(shown::unknown(text, [])))
            })
            .transpose()?;
        if let Some(wrong) = resources.iter().find(|it| !is_absolute_uri(it)) {
            return Err(GrantFault::TargetGrammar(shown::unknown_url(wrong)));
        }
        let mut targets = resources.iter().copied().chain(audience);
        let target = targets.next();
        if let (Some(one), Some(other)) = (target, targets.find(|other| Some(*other) != target)) {
            let [one, other] = [one, other].map(shown::unknown_url);
            return Err(GrantFault::SeveralTargets(one, other));
        }
        Ok(Self {
            scopes,
            target: target.map(str::to_owned),
        })
    }
}

fn is_absolute_uri(text: &str) -> bool {
    text.len() <= MAX_RESOURCE_LENGTH && Uri::parse(text).is_ok_and(|uri| !uri.has_fragment())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 8707-01.
    #[test]
    fn a_resource_is_an_absolute_uri_without_fragment() {
        for good in [
            "https://api.example/",
            "urn:example:api",
            "https://api.example?x=1",
        ] {
            assert!(TokenRequest::parse(None, &[good], None).is_ok(), "{good}");
        }
        let long = format!("https://api.example/{}", "a".repeat(2048));
        for wrong in [
            "api",
            "/api",
            "//api",
            "https://a/#f",
            "https://a/ b",
            "ä:b",
            &long,
        ] {
            let parsed = TokenRequest::parse(None, &[wrong], None);
            assert!(
                matches!(parsed, Err(GrantFault::TargetGrammar(_))),
                "{wrong}"
            );
        }
    }

    /// 8707-02.
    #[test]
    fn equal_resources_collapse_and_others_are_refused() {
        let both = TokenRequest::parse(None, &["urn:a", "urn:a"], Some("urn:a")).unwrap();
        assert_eq!(both.target.as_deref(), Some("urn:a"));
        let several =
            |one: &str, other: &str| Err(GrantFault::SeveralTargets(one.into(), other.into()));
        assert_eq!(
            TokenRequest::parse(None, &["urn:a", "urn:b"], None),
            several("urn:a", "urn:b")
        );
        assert_eq!(
            TokenRequest::parse(None, &["urn:a"], Some("urn:A")),
            several("urn:a", "urn:A")
        );
    }
}
