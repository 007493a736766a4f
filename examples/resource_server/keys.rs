//! The issuer's public keys: found by discovery (RFC 8414), cached, read anew for an unknown `kid`.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, get_current_timestamp};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::fetch::Fetcher;

/// What we accept as signature; the key says which of them it is for, never the token.
const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::ES256,
    Algorithm::EdDSA,
    Algorithm::PS256,
    Algorithm::RS256,
];
/// How often the keys are read without cause, so that one that was withdrawn is forgotten.
const REFRESH: Duration = Duration::from_mins(5);
/// At least this many seconds between two readings for unknown kids: anybody can make one up.
const PAUSE: u64 = 5;

/// One key, with the only algorithm that it verifies.
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    pub(crate) public: DecodingKey,
}

/// Why there is no key.
pub(crate) enum NoKey {
    /// The issuer does not have it.
    Unknown,
    /// We never had an answer from the issuer.
    NeverRead,
}

type Known = HashMap<String, Arc<Key>>;

pub(crate) struct Keys {
    issuer: String,
    fetcher: Fetcher,
    /// Nothing until the first reading; the last good reading from then on, also while the issuer is away.
    known: RwLock<Option<Known>>,
    /// When an unknown kid last made us read; held while reading, so that others wait for the result.
    last_miss: Mutex<u64>,
}

/// The part of RFC 8414's metadata that we need.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl Metadata {
    /// They may tell of this issuer's keys alone, and lead from https nowhere else.
    fn check(&self, issuer: &str) -> anyhow::Result<()> {
        ensure!(self.issuer == issuer, "it speaks for another issuer");
        let is_weaker = issuer.starts_with("https:") && !self.jwks_uri.starts_with("https:");
        ensure!(!is_weaker, "it leads away from https");
        Ok(())
    }
}

impl Keys {
    pub(crate) fn new(issuer: &str) -> anyhow::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            issuer: issuer.to_owned(),
            fetcher: Fetcher::for_issuer(issuer)?,
            known: RwLock::default(),
            last_miss: Mutex::default(),
        }))
    }

    /// Reads the keys, and from then on now and then. Without the issuer we start, too.
    pub(crate) async fn start(self: &Arc<Self>) {
        self.read().await;
        let keys = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(REFRESH).await;
                keys.read().await;
            }
        });
    }

    pub(crate) async fn find(&self, kid: &str) -> Result<Arc<Key>, NoKey> {
        if let Ok(key) = self.cached(kid) {
            return Ok(key);
        }
        let mut last_miss = self.last_miss.lock().await;
        let now = get_current_timestamp();
        // Whoever held the lock before us may have read it.
        if self.cached(kid).is_err() && last_miss.abs_diff(now) >= PAUSE {
            *last_miss = now;
            self.read().await;
        }
        self.cached(kid)
    }

    fn cached(&self, kid: &str) -> Result<Arc<Key>, NoKey> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().ok_or(NoKey::NeverRead)?;
        known.get(kid).cloned().ok_or(NoKey::Unknown)
    }

    async fn read(&self) {
        match self.read_from_issuer().await {
            Ok(keys) => {
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(keys);
            }
            Err(error) => tracing::warn!("the issuer's keys cannot be read: {error:#}"),
        }
    }

    async fn read_from_issuer(&self) -> anyhow::Result<Known> {
        let url = metadata_url(&self.issuer).context("--issuer is no URL")?;
        let metadata: Metadata = self.fetcher.json(&url).await?;
        metadata.check(&self.issuer).context(url)?;
        let set: JwkSet = self.fetcher.json(&metadata.jwks_uri).await?;
        Ok(set.keys.iter().filter_map(usable).collect())
    }
}

/// Between host and path (RFC 8414 section 3.1).
fn metadata_url(issuer: &str) -> Option<String> {
    let (scheme, rest) = issuer.split_once("://")?;
    let (host, path) = rest
        .split_once('/')
        .map_or((rest, ""), |(host, _)| (host, &rest[host.len()..]));
    let path = path.trim_end_matches('/');
    Some(format!(
        "{scheme}://{host}/.well-known/oauth-authorization-server{path}"
    ))
}

/// Keys for other purposes, or for algorithms that we do not take, are none of ours.
fn usable(jwk: &Jwk) -> Option<(String, Arc<Key>)> {
    let algorithm = Algorithm::try_from(jwk.common.key_algorithm?).ok()?;
    let public = DecodingKey::from_jwk(jwk).ok()?;
    ALGORITHMS.contains(&algorithm).then_some(())?;
    Some((
        jwk.common.key_id.clone()?,
        Arc::new(Key { algorithm, public }),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_lead_to_the_keys_of_their_issuer_and_not_away_from_https() {
        let check = |issuer: &str, jwks_uri: &str, expected: &str| {
            let (issuer, jwks_uri) = (issuer.to_owned(), jwks_uri.to_owned());
            Metadata { issuer, jwks_uri }
                .check(expected)
                .map_err(|fault| fault.to_string())
        };
        let (https, http) = ("https://auth.example", "http://auth.example");
        for (issuer, jwks_uri) in [(https, "https://keys.example"), (http, http), (http, https)] {
            assert_eq!(check(issuer, jwks_uri, issuer), Ok(()));
        }
        for (issuer, jwks_uri, expected) in [
            (https, http, https),
            (https, "/keys", https),
            (https, https, http),
            ("https://auth.example/", https, https),
        ] {
            assert!(
                check(issuer, jwks_uri, expected).is_err(),
                "{issuer} {jwks_uri}"
            );
        }
    }

    #[test]
    fn the_path_of_an_issuer_stands_behind_the_well_known_part() {
        for (issuer, url) in [
            (
                "https://a.example",
                "https://a.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example/t/1",
                "https://a.example/.well-known/oauth-authorization-server/t/1",
            ),
        ] {
            assert_eq!(metadata_url(issuer).as_deref(), Some(url));
        }
        assert_eq!(metadata_url("a.example"), None);
    }
}
