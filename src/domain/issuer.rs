//! The issuer identifier, RFC 8414 section 2: one exact string that names this server everywhere.

use std::fmt;
use std::sync::Arc;

use fluent_uri::Uri;
use fluent_uri::component::Authority;
use fluent_uri::pct_enc::EStr;

use super::loopback::is_loopback;

/// The issuer, byte for byte as in `iss`, in the metadata and in the `aud` of assertions.
///
/// It never ends in `/`, so that an endpoint is the issuer followed by the endpoint's path.
#[derive(Clone, PartialEq, Eq)]
pub struct Issuer {
    text: Arc<str>,
    /// Where the path begins; equal to the length where there is none.
    path_at: usize,
    loopback: bool,
}

/// What cannot be an issuer.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIssuer {
    #[error("an issuer is an absolute URI with a host, for example https://auth.internal.example")]
    NotAbsolute,
    #[error("an issuer begins with https:// (or http://, see allow_plain_http), in lower case")]
    Scheme,
    #[error("an issuer has no user name or password in it")]
    Userinfo,
    /// It has a query (RFC 8414 section 2).
    #[error("an issuer has no query; remove the question mark and what follows it")]
    Query,
    /// It has a fragment (RFC 8414 section 2).
    #[error("an issuer has no fragment; remove the # and what follows it")]
    Fragment,
    #[error("write the issuer's host in lower case: it is compared byte for byte")]
    CapitalHost,
    #[error("leave the port out where it is 443 for https or 80 for http; else it is 1 to 65535")]
    Port,
    #[error(
        "an issuer does not end in a slash: it is compared byte for byte, and endpoints are appended to it"
    )]
    TrailingSlash,
    #[error(
        "an issuer's path has segments of letters, digits, '-', '.', '_', '~' and no '.' or '..'"
    )]
    Path,
    #[error(
        "an issuer is https; http is for localhost, or with public.allow_plain_http = true behind a proxy"
    )]
    PlainHttp,
}

impl Issuer {
    /// Reads an issuer. `allow_plain_http` permits http on a host that is not loopback.
    ///
    /// # Errors
    /// See [`InvalidIssuer`]. Issuers are compared byte for byte, so a malformed one is refused, not repaired.
    pub fn parse(text: &str, allow_plain_http: bool) -> Result<Self, InvalidIssuer> {
        let uri = Uri::parse(text).map_err(|_| InvalidIssuer::NotAbsolute)?;
        let https = match uri.scheme().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(InvalidIssuer::Scheme),
        };
        let authority = uri.authority().ok_or(InvalidIssuer::NotAbsolute)?;
        if uri.has_query() {
            return Err(InvalidIssuer::Query);
        }
        if uri.has_fragment() {
            return Err(InvalidIssuer::Fragment);
        }
        check_authority(authority, https)?;
        let path = uri.path().as_str();
        check_path(path)?;
        let loopback = is_loopback(authority.host());
        if !https && !loopback && !allow_plain_http {
            return Err(InvalidIssuer::PlainHttp);
        }
        Ok(Self {
            text: text.into(),
            path_at: text.len() - path.len(),
            loopback,
        })
    }

    /// The issuer itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its path: empty, or for example `/t1`; never with a slash at the end.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text.get(self.path_at..).unwrap_or_default()
    }

    /// Scheme and authority, for example `https://auth.internal.example`.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.text.get(..self.path_at).unwrap_or_default()
    }

    /// Its host without a port: a name, an IPv4 address, or an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let authority = self
            .origin()
            .split_once("://")
            .map_or("", |(_, authority)| authority);
        let after_address = authority.find(']').map_or(0, |end| end + 1);
        let port = authority
            .get(after_address..)
            .and_then(|rest| rest.find(':'));
        let end = port.map_or(authority.len(), |port| after_address + port);
        authority.get(..end).unwrap_or_default()
    }

    /// The URL of an endpoint below the issuer; `path` begins with a slash.
    #[must_use]
    pub fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// Whether its scheme is https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// Whether its host is this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.loopback
    }
}

fn check_authority(authority: Authority<'_>, https: bool) -> Result<(), InvalidIssuer> {
    if authority.has_userinfo() {
        return Err(InvalidIssuer::Userinfo);
    }
    let host = authority.host();
    if host.is_empty() || host.contains('%') {
        return Err(InvalidIssuer::NotAbsolute);
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(InvalidIssuer::CapitalHost);
    }
    let implied = if https { "443" } else { "80" };
    match authority.port().map(EStr::as_str) {
        None => Ok(()),
        Some(port) if port.is_empty() || port.starts_with('0') || port == implied => {
            Err(InvalidIssuer::Port)
        }
        Some(port) => port
            .parse::<u16>()
            .map(drop)
            .map_err(|_| InvalidIssuer::Port),
    }
}

fn check_path(path: &str) -> Result<(), InvalidIssuer> {
    if path.ends_with('/') {
        return Err(InvalidIssuer::TrailingSlash);
    }
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let fits =
        |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(unreserved);
    if path.is_empty() || path.split('/').skip(1).all(fits) {
        Ok(())
    } else {
        Err(InvalidIssuer::Path)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Issuer, InvalidIssuer> {
        Issuer::parse(text, false)
    }

    #[test]
    fn an_issuer_falls_into_origin_and_path() {
        let issuer = parse("https://auth.example:8443/t1/eu").unwrap();
        assert_eq!(issuer.as_str(), "https://auth.example:8443/t1/eu");
        assert_eq!(
            (issuer.origin(), issuer.path()),
            ("https://auth.example:8443", "/t1/eu")
        );
        assert_eq!(
            issuer.endpoint("/oauth2/token"),
            "https://auth.example:8443/t1/eu/oauth2/token"
        );
        assert!(issuer.is_https() && !issuer.is_loopback());
        assert_eq!(parse("https://auth.example").unwrap().path(), "");
    }

    #[test]
    fn the_host_stands_without_its_port() {
        for (text, host) in [
            ("https://auth.example", "auth.example"),
            ("https://auth.example:8443/t1", "auth.example"),
            ("http://[::1]:8080", "[::1]"),
            ("http://[::1]/t1", "[::1]"),
        ] {
            assert_eq!(parse(text).unwrap().host(), host);
        }
    }

    /// 8414-02.
    #[test]
    fn plain_http_is_for_loopback_or_by_permission() {
        for local in [
            "http://localhost:8080",
            "http://127.0.0.9",
            "http://[::1]:8080/t1",
        ] {
            assert!(parse(local).unwrap().is_loopback(), "{local}");
        }
        for other in [
            "http://auth.example",
            "http://localhost.example",
            "http://10.0.0.1",
        ] {
            assert_eq!(parse(other), Err(InvalidIssuer::PlainHttp), "{other}");
            assert!(
                Issuer::parse(other, true).is_ok_and(|it| !it.is_https()),
                "{other}"
            );
        }
    }

    /// 8414-02.
    #[test]
    fn what_cannot_be_compared_byte_for_byte_is_no_issuer() {
        use InvalidIssuer as I;
        for (text, fault) in [
            ("", I::NotAbsolute),
            ("auth.example", I::NotAbsolute),
            ("https:", I::NotAbsolute),
            ("https://", I::NotAbsolute),
            ("https://:8443", I::NotAbsolute),
            (" https://a.example", I::NotAbsolute),
            ("https://ä.example", I::NotAbsolute),
            ("ftp://a.example", I::Scheme),
            ("HTTPS://a.example", I::Scheme),
            ("https://u:p@a.example", I::Userinfo),
            ("https://a.example?", I::Query),
            ("https://a.example?x=1", I::Query),
            ("https://a.example#", I::Fragment),
            ("https://A.example", I::CapitalHost),
            ("https://a.example:443", I::Port),
            ("http://localhost:80", I::Port),
            ("https://a.example:", I::Port),
            ("https://a.example:0", I::Port),
            ("https://a.example:65536", I::Port),
            ("https://a.example/", I::TrailingSlash),
            ("https://a.example/t1/", I::TrailingSlash),
            ("https://a.example/t1/../t2", I::Path),
            ("https://a.example//t1", I::Path),
            ("https://a.example/%74", I::Path),
            ("https://a.example/{t}", I::NotAbsolute),
            ("https://a.example/t;1", I::Path),
        ] {
            assert_eq!(parse(text), Err(fault), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn an_issuer_is_always_its_origin_and_its_path(text in "https?://[a-z.:@\\[\\]0-9]{0,12}[ -~]{0,12}") {
            if let Ok(issuer) = Issuer::parse(&text, true) {
                prop_assert_eq!(format!("{}{}", issuer.origin(), issuer.path()), text);
            }
        }
    }
}
