//! The issuer's public keys: found by discovery (RFC 8414), cached, read anew for an unknown `kid`.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, get_current_timestamp};
use tokio::sync::Mutex;

use crate::fetch::Fetcher;
use crate::metadata::Metadata;

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
        let metadata = Metadata::read(&self.fetcher, &self.issuer).await?;
        let set: JwkSet = self.fetcher.json(&metadata.jwks_uri).await?;
        Ok(set.keys.iter().filter_map(usable).collect())
    }
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
