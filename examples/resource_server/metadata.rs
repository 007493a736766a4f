//! What the issuer says of itself (RFC 8414): where its keys are, and where it is asked about a token or for one.

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use crate::fetch::Fetcher;

/// The part of its metadata that we need.
#[derive(Clone, Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    pub(crate) jwks_uri: String,
    pub(crate) introspection_endpoint: Option<String>,
    pub(crate) token_endpoint: Option<String>,
}

impl Metadata {
    pub(crate) async fn read(fetcher: &Fetcher, issuer: &str) -> anyhow::Result<Self> {
        let url = url(issuer).context("--issuer is no URL")?;
        let metadata: Self = fetcher.json(&url).await?;
        metadata.check(issuer).context(url)?;
        Ok(metadata)
    }

    /// They may tell of this issuer alone, and lead from https nowhere else.
    fn check(&self, issuer: &str) -> anyhow::Result<()> {
        ensure!(self.issuer == issuer, "it speaks for another issuer");
        let is_weaker = |url: &str| issuer.starts_with("https:") && !url.starts_with("https:");
        let endpoints = [&self.introspection_endpoint, &self.token_endpoint];
        let mut endpoints = endpoints.into_iter().flatten();
        let leads_away = is_weaker(&self.jwks_uri) || endpoints.any(|it| is_weaker(it));
        ensure!(!leads_away, "it leads away from https");
        Ok(())
    }
}

/// Between host and path (RFC 8414 section 3.1).
fn url(issuer: &str) -> Option<String> {
    let (scheme, rest) = issuer.split_once("://")?;
    let (host, path) = rest
        .split_once('/')
        .map_or((rest, ""), |(host, _)| (host, &rest[host.len()..]));
    let path = path.trim_end_matches('/');
    Some(format!(
        "{scheme}://{host}/.well-known/oauth-authorization-server{path}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_lead_to_the_keys_of_their_issuer_and_not_away_from_https() {
        let is_trusted = |issuer: &str, url: &str, expected: &str| {
            let leading_to = |jwks_uri: &str, introspection: Option<&str>, token: Option<&str>| {
                let metadata = Metadata {
                    issuer: issuer.to_owned(),
                    jwks_uri: jwks_uri.to_owned(),
                    introspection_endpoint: introspection.map(str::to_owned),
                    token_endpoint: token.map(str::to_owned),
                };
                metadata.check(expected).is_ok()
            };
            let keys = leading_to(url, None, None);
            let introspection = leading_to(expected, Some(url), None);
            let token = leading_to(expected, None, Some(url));
            assert_eq!((keys, keys), (introspection, token), "{issuer} {url}");
            keys
        };
        let (https, http) = ("https://auth.example", "http://auth.example");
        for (issuer, url) in [(https, "https://keys.example"), (http, http), (http, https)] {
            assert!(is_trusted(issuer, url, issuer), "{issuer} {url}");
        }
        for (issuer, url, expected) in [
            (https, http, https),
            (https, "/keys", https),
            (https, https, http),
            ("https://auth.example/", https, https),
        ] {
            assert!(!is_trusted(issuer, url, expected), "{issuer} {url}");
        }
    }

    #[test]
    fn the_path_of_an_issuer_stands_behind_the_well_known_part() {
        for (issuer, expected) in [
            (
                "https://a.example",
                "https://a.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example/t/1",
                "https://a.example/.well-known/oauth-authorization-server/t/1",
            ),
        ] {
            assert_eq!(url(issuer).as_deref(), Some(expected));
        }
        assert_eq!(url("a.example"), None);
    }
}
