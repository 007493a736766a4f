//! The URI of a request as two sides may write it, for comparison (RFC 9449 section 4.3; RFC 3986 sections 6.2.2
//! and 6.2.3).

use fluent_uri::Uri;

/// The URI of a request in its one normal form, without query and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetUri(String);

impl TargetUri {
    /// Reads an absolute URI with a host. Small and capital letters, percent escapes, dot segments, the
    /// scheme's own port and an empty path make no difference.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let uri = Uri::parse(text).ok()?.normalize();
        let authority = uri
            .authority()
            .filter(|authority| !authority.host().is_empty())?;
        let path = match uri.path().as_str() {
            "" => "/",
            path => path,
        };
        Some(Self(format!(
            "{}://{}{path}",
            uri.scheme(),
            authority.as_str()
        )))
    }

    /// The normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "https://auth.example/oauth2/token";

    /// 9449-03.
    #[test]
    fn what_is_equal_after_normalization_is_equal() {
        let token = TargetUri::parse(TOKEN).unwrap();
        assert_eq!(token.as_str(), TOKEN);
        for same in [
            "HTTPS://auth.example/oauth2/token",
            "https://AUTH.Example/oauth2/token",
            "https://auth.example:443/oauth2/token",
            "https://auth.example:/oauth2/token",
            "https://auth.example/oauth2/token?a=b",
            "https://auth.example/oauth2/token#f",
            "https://auth.example/oauth2/token?#",
            "https://auth.example/x/../oauth2/./token",
            "https://auth.example/%6Fauth2/%74oken",
            "https://%61uth.example/oauth2/token",
        ] {
            assert_eq!(TargetUri::parse(same).as_ref(), Some(&token), "{same}");
        }
        assert_eq!(
            TargetUri::parse("https://a"),
            TargetUri::parse("https://a/")
        );
        assert_eq!(
            TargetUri::parse("http://a:80/"),
            TargetUri::parse("http://a/")
        );
        assert_eq!(
            TargetUri::parse("https://a/%3a"),
            TargetUri::parse("https://a/%3A")
        );
    }

    /// 9449-02.
    #[test]
    fn what_differs_stays_different() {
        let token = TargetUri::parse(TOKEN);
        for other in [
            "http://auth.example/oauth2/token",
            "https://auth.example:8443/oauth2/token",
            "https://auth.example:80/oauth2/token",
            "https://auth.example./oauth2/token",
            "https://user@auth.example/oauth2/token",
            "https://auth.example/oauth2/token/",
            "https://auth.example/OAuth2/token",
            "https://auth.example//oauth2/token",
            "https://auth.example/oauth2%2Ftoken",
            "https://auth.example/oauth2/introspect",
            "https://auth.example",
            "https:///oauth2/token",
            "https:/oauth2/token",
            "//auth.example/oauth2/token",
            "/oauth2/token",
            " https://auth.example/oauth2/token",
            "https://auth.example/oauth2/tök",
            "",
        ] {
            assert_ne!(TargetUri::parse(other), token, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_normal_form_is_its_own_normal_form(text in "https?://[a-zA-Z.:%0-9]{0,12}[/a.%2EeF?#]{0,16}") {
            if let Some(uri) = TargetUri::parse(&text) {
                prop_assert_eq!(TargetUri::parse(uri.as_str()), Some(uri));
            }
        }
    }
}
