//! The `iss` of somebody else, compared byte by byte: a URL, or the trust domain of SPIFFE in its place.

use fluent_uri::Uri;

use super::loopback::is_loopback;
use super::shape::text_shape;

/// The longest, in bytes.
const MAX_LENGTH: usize = 1024;
/// The longest name of a trust domain (SPIFFE-ID section 2.3).
const MAX_TRUST_DOMAIN: usize = 255;
const SPIFFE: &str = "spiffe://";

/// An `iss`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerUrl(String);

/// What cannot be an `iss`.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIssuerUrl {
    #[error(
        "an issuer's url is what its tokens say in iss, for example https://token.actions.githubusercontent.com; of SPIFFE \
         the trust domain, for example spiffe://example.org"
    )]
    NotAbsolute,
    #[error("an issuer's url begins with https:// or spiffe://; http is for loopback")]
    Scheme,
    #[error("an issuer's url has no user name, no query and no fragment")]
    Extra,
    #[error(
        "a trust domain of SPIFFE is spiffe:// and a name of a-z, 0-9, '.', '-' and '_', without a path"
    )]
    TrustDomain,
    #[error("an issuer's url has at most {MAX_LENGTH} bytes")]
    TooLong,
}

impl IssuerUrl {
    /// Reads it. It is kept as it is: what its tokens say is compared byte by byte.
    ///
    /// # Errors
    /// See [`InvalidIssuerUrl`].
    pub fn parse(text: &str) -> Result<Self, InvalidIssuerUrl> {
        if text.len() > MAX_LENGTH {
            return Err(InvalidIssuerUrl::TooLong);
        }
        if let Some(domain) = text.strip_prefix(SPIFFE) {
            let fits = is_trust_domain(domain);
            let url = fits.then(|| Self(text.to_owned()));
            return url.ok_or(InvalidIssuerUrl::TrustDomain);
        }
        let uri = Uri::parse(text).map_err(|_| InvalidIssuerUrl::NotAbsolute)?;
        let authority = uri.authority().ok_or(InvalidIssuerUrl::NotAbsolute)?;
        if authority.host().is_empty() || authority.port_to_u16().is_err() {
            return Err(InvalidIssuerUrl::NotAbsolute);
        }
        if authority.has_userinfo() || uri.has_query() || uri.has_fragment() {
            return Err(InvalidIssuerUrl::Extra);
        }
        match uri.scheme().as_str() {
            "https" => Ok(Self(text.to_owned())),
            "http" if is_loopback(authority.host()) => Ok(Self(text.to_owned())),
            _ => Err(InvalidIssuerUrl::Scheme),
        }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of its trust domain, where it is one of SPIFFE.
    #[must_use]
    pub fn trust_domain(&self) -> Option<&str> {
        self.0.strip_prefix(SPIFFE)
    }
}

/// The name of the trust domain of a SPIFFE ID (SPIFFE-ID section 2): `spiffe://`, the domain, and a path of at least one
/// segment that is neither empty nor dots. None where the text is no SPIFFE ID of a workload.
#[must_use]
pub fn trust_domain_of(spiffe_id: &str) -> Option<&str> {
    let (domain, path) = spiffe_id.strip_prefix(SPIFFE)?.split_once('/')?;
    let is_segment = |it: &str| {
        !matches!(it, "" | "." | "..")
            && it
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    let fits =
        spiffe_id.len() <= 2048 && is_trust_domain(domain) && path.split('/').all(is_segment);
    fits.then_some(domain)
}

/// Whether a URI claims to be a SPIFFE ID: schemes have no case (RFC 3986 section 3.1).
#[must_use]
pub fn has_spiffe_scheme(uri: &str) -> bool {
    let scheme = uri.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("spiffe"))
}

fn is_trust_domain(name: &str) -> bool {
    let is_part = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_')
    };
    (1..=MAX_TRUST_DOMAIN).contains(&name.len()) && name.bytes().all(is_part)
}

impl std::fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

text_shape!(IssuerUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_an_issuer_is_https_or_a_trust_domain_and_is_kept_byte_by_byte() {
        use InvalidIssuerUrl::{Extra, NotAbsolute, Scheme, TooLong, TrustDomain};
        let long = format!("https://a.example/{}", "x".repeat(MAX_LENGTH));
        for (url, fault) in [
            ("https://token.actions.githubusercontent.com", None),
            ("https://gitlab.example/", None),
            ("https://kubernetes.default.svc.cluster.local", None),
            ("https://oidc.circleci.com/org/1a2b", None),
            ("http://127.0.0.1:8080", None),
            ("http://[::1]:8080", None),
            ("spiffe://example.org", None),
            ("http://gitlab.example", Some(Scheme)),
            ("token.actions.githubusercontent.com", Some(NotAbsolute)),
            ("https:///a", Some(NotAbsolute)),
            ("https://a.example?b", Some(Extra)),
            ("https://a.example#b", Some(Extra)),
            ("https://me@a.example", Some(Extra)),
            ("spiffe://Example.org", Some(TrustDomain)),
            ("spiffe://example.org/", Some(TrustDomain)),
            ("spiffe://", Some(TrustDomain)),
            (&long, Some(TooLong)),
        ] {
            let parsed = IssuerUrl::parse(url);
            assert_eq!(parsed.as_ref().err(), fault.as_ref(), "{url}");
            if let Ok(parsed) = parsed {
                assert_eq!(parsed.as_str(), url);
            }
        }
    }

    /// FED-16.
    #[test]
    fn a_spiffe_id_of_a_workload_has_a_path_of_plain_segments() {
        for (id, domain) in [
            (
                "spiffe://example.org/ns/shop/sa/orders",
                Some("example.org"),
            ),
            ("spiffe://example.org/a", Some("example.org")),
            ("spiffe://example.org", None),
            ("spiffe://example.org/", None),
            ("spiffe://example.org/a/", None),
            ("spiffe://example.org//a", None),
            ("spiffe://example.org/../a", None),
            ("spiffe://example.org/a%2fb", None),
            ("spiffe://example.org:8/a", None),
            ("spiffe://me@example.org/a", None),
            ("spiffe://EXAMPLE.org/a", None),
            ("SPIFFE://example.org/a", None),
            ("https://example.org/a", None),
            ("orders", None),
        ] {
            assert_eq!(trust_domain_of(id), domain, "{id}");
            let claims_to_be = !id.starts_with("https") && id != "orders";
            assert_eq!(has_spiffe_scheme(id), claims_to_be, "{id}");
        }
        assert!(has_spiffe_scheme("sPiFfE:a") && !has_spiffe_scheme("spiffes://a/b"));
    }
}
