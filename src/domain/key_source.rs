//! Where somebody else publishes public keys: the URL of a JWK set (RFC 7517 section 5), and the CAs that vouch for its
//! server.

use std::net::IpAddr;

use fluent_uri::Uri;

use super::client::named;

/// The longest URL of keys, in bytes.
const MAX_URL: usize = 2048;

/// A JWK set that is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySource {
    url: String,
    ca: Option<String>,
    bearer_token_file: Option<String>,
}

/// What cannot be the URL of keys.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySourceFault {
    #[error(
        "the URL of a JWK set is absolute and has a host, for example https://partner.example/jwks"
    )]
    NotAbsolute,
    #[error("a URL that is fetched begins with https://; http is for `grantd dev`, on loopback")]
    Scheme,
    #[error("the URL of a JWK set has no user name or password in it")]
    Userinfo,
    #[error("the URL of a JWK set has no fragment; remove the # and what follows it")]
    Fragment,
    #[error("the URL of a JWK set has at most {MAX_URL} bytes")]
    TooLong,
}

named! {
    /// How a source stands on a replica that asks it.
    Standing {
        /// Its last fetch brought keys, or the first is under way.
        Current = "current",
        /// Its last fetch failed, and the last good keys are used.
        Stale = "stale",
        /// It fails, and there are no keys.
        Unavailable = "unavailable",
    }
}

impl KeySource {
    /// The JWK set at `url`, over https or, on loopback alone, over http.
    ///
    /// # Errors
    /// See [`KeySourceFault`].
    pub fn parse(url: &str) -> Result<Self, KeySourceFault> {
        if url.len() > MAX_URL {
            return Err(KeySourceFault::TooLong);
        }
        let uri = Uri::parse(url).map_err(|_| KeySourceFault::NotAbsolute)?;
        let authority = uri.authority().ok_or(KeySourceFault::NotAbsolute)?;
        let host = authority.host();
        if host.is_empty() || host.contains('%') || authority.port_to_u16().is_err() {
            return Err(KeySourceFault::NotAbsolute);
        }
        if authority.has_userinfo() {
            return Err(KeySourceFault::Userinfo);
        }
        if uri.has_fragment() {
            return Err(KeySourceFault::Fragment);
        }
        match uri.scheme().as_str() {
            "https" => {}
            "http" if is_loopback(host) => {}
            _ => return Err(KeySourceFault::Scheme),
        }
        Ok(Self {
            url: url.to_owned(),
            ca: None,
            bearer_token_file: None,
        })
    }

    /// The same, where the certificates in this PEM text alone vouch for the server, not the public CAs.
    #[must_use]
    pub fn with_ca(self, ca: Option<String>) -> Self {
        Self { ca, ..self }
    }

    /// The same, where the token in this file is sent (RFC 6750 section 2.1).
    #[must_use]
    pub fn with_bearer_token_file(self, file: Option<String>) -> Self {
        Self {
            bearer_token_file: file,
            ..self
        }
    }

    /// The URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The CAs of the server as PEM; the public ones where there are none.
    #[must_use]
    pub fn ca(&self) -> Option<&str> {
        self.ca.as_deref()
    }

    /// The file of the token that is sent; read anew each time.
    #[must_use]
    pub fn bearer_token_file(&self) -> Option<&str> {
        self.bearer_token_file.as_deref()
    }

    /// Whether it is at the same server: scheme, host and port (RFC 6454 section 4).
    #[must_use]
    pub fn is_beside(&self, other: &Self) -> bool {
        let origin = |it: &Self| {
            let uri = Uri::parse(it.url.as_str()).ok()?;
            let authority = uri.authority()?;
            let port = authority.port_to_u16().ok()?;
            let port = port.unwrap_or(if it.is_plain() { 80 } else { 443 });
            let host = authority.host().to_ascii_lowercase();
            Some((uri.scheme().as_str() == "https", host, port))
        };
        origin(self).is_some_and(|it| Some(it) == origin(other))
    }

    /// Whether it is fetched without TLS.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.url.starts_with("https:")
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_keys_is_https_with_a_host_and_nothing_that_hides() {
        use KeySourceFault::{Fragment, NotAbsolute, Scheme, TooLong, Userinfo};
        let long = format!("https://a.example/{}", "x".repeat(MAX_URL));
        for (url, fault) in [
            ("https://partner.example/jwks", None),
            ("https://partner.example:8443/a/b?tenant=1", None),
            ("https://[2001:db8::1]/jwks", None),
            ("http://localhost:8080/jwks", None),
            ("http://127.0.0.1/jwks", None),
            ("http://[::1]:1/jwks", None),
            ("http://partner.example/jwks", Some(Scheme)),
            ("http://localhost.example/jwks", Some(Scheme)),
            ("ftp://partner.example/jwks", Some(Scheme)),
            ("file:///etc/jwks", Some(NotAbsolute)),
            ("HTTPS://partner.example/jwks", Some(Scheme)),
            ("/jwks", Some(NotAbsolute)),
            ("https:partner.example", Some(NotAbsolute)),
            ("https:///jwks", Some(NotAbsolute)),
            ("https://partner.example:99999/", Some(NotAbsolute)),
            ("https://me:pw@partner.example/", Some(Userinfo)),
            ("https://partner.example/#keys", Some(Fragment)),
            ("https://partner.example/a b", Some(NotAbsolute)),
            (&long, Some(TooLong)),
        ] {
            assert_eq!(KeySource::parse(url).err(), fault, "{url}");
        }
    }
}
