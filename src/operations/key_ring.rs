//! The signing keys in memory: which one signs now, which ones verify, and the JWKS (RFC 7517).

use std::collections::HashMap;

use super::clocks::{KeyTime, MOST_APART};
use crate::crypto::jws::{Signer, Verifier};
use crate::crypto::public_jwk::PublicJwk;
use crate::crypto::sealing::{Sealed, SealingKeys};
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::signing_key::KeyLife;
use crate::domain::timestamp::Timestamp;
use crate::store::signing_keys::StoredKey;

/// All keys of the issuer, replaced whole when one changes.
#[derive(Debug, Default)]
pub struct KeyRing {
    keys: HashMap<String, RingKey>,
}

/// One key.
#[derive(Debug)]
pub struct RingKey {
    /// Its one algorithm.
    pub algorithm: SigningAlgorithm,
    /// When it does what.
    pub life: KeyLife,
    /// Absent where its private half could not be opened.
    pub signer: Option<Signer>,
    /// Checks its signatures.
    pub verifier: Verifier,
    /// Its entry in the JWKS, compact JSON.
    jwk: String,
}

impl KeyRing {
    /// Opens the private keys. One that cannot be opened or read is left out and logged: others go on.
    #[must_use]
    pub fn open(stored: Vec<StoredKey>, sealing: &SealingKeys) -> Self {
        let keys = stored.into_iter().filter_map(|key| {
            let kid = key.kid.clone();
            RingKey::open(key, sealing).map(|key| (kid, key))
        });
        Self {
            keys: keys.collect(),
        }
    }

    /// The public halves alone, which verify and do not sign.
    #[must_use]
    pub fn public(stored: &[StoredKey]) -> Self {
        let keys = stored
            .iter()
            .filter_map(|key| Some((key.kid.clone(), RingKey::public(key)?)));
        Self {
            keys: keys.collect(),
        }
    }

    /// The key that signs with `algorithm` now: the youngest one that may. Where a clock that was set back leaves none,
    /// it is the one that could sign before.
    #[must_use]
    pub fn signer(&self, algorithm: SigningAlgorithm, time: KeyTime) -> Option<&Signer> {
        self.youngest(algorithm, time.now)
            .or_else(|| self.youngest(algorithm, time.latest))
            .or_else(|| self.oldest_of_later(algorithm, time.now))
    }

    /// After a restart nobody knows what time it was; but a key that was made later than now was not made now.
    fn oldest_of_later(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<&Signer> {
        let surely_later = |key: &&RingKey| key.life.announced_at > now.plus(MOST_APART);
        self.keys
            .values()
            .filter(|key| {
                key.algorithm == algorithm && key.life.retires_at.is_none_or(|at| at > now)
            })
            .filter(surely_later)
            .filter_map(|key| Some((key.life.activates_at, key.signer.as_ref()?)))
            .min_by_key(|(activation, _)| *activation)
            .map(|(_, signer)| signer)
    }

    fn youngest(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<&Signer> {
        self.keys
            .iter()
            .filter(|(_, key)| key.algorithm == algorithm && key.life.signs(now))
            .filter_map(|(kid, key)| Some(((key.life.activates_at, kid), key.signer.as_ref()?)))
            .max_by_key(|(age, _)| *age)
            .map(|(_, signer)| signer)
    }

    /// When the next key of `algorithm` begins to sign.
    #[must_use]
    pub fn next_activation(
        &self,
        algorithm: SigningAlgorithm,
        now: Timestamp,
    ) -> Option<Timestamp> {
        self.keys
            .values()
            .filter(|key| key.algorithm == algorithm && key.signer.is_some())
            .map(|key| key.life.activates_at)
            .filter(|at| *at > now)
            .min()
    }

    /// The key `kid`, where it verifies at `now`.
    #[must_use]
    pub fn verifier(&self, kid: &str, now: Timestamp) -> Option<(SigningAlgorithm, &Verifier)> {
        let key = self.keys.get(kid).filter(|key| key.life.verifies(now))?;
        Some((key.algorithm, &key.verifier))
    }

    /// The JWKS at `now`, RFC 7517 section 5: each key that verifies. One that is in the ring was announced, and stays
    /// so whatever a clock says that was set back.
    #[must_use]
    pub fn jwks(&self, now: Timestamp) -> String {
        let mut published: Vec<(&String, &RingKey)> = self.published(now).collect();
        published.sort_by_key(|(kid, key)| (key.life.activates_at, *kid));
        let jwks: Vec<&str> = published.iter().map(|(_, key)| key.jwk.as_str()).collect();
        format!(r#"{{"keys":[{}]}}"#, jwks.join(","))
    }

    /// The algorithms of the JWKS at `now`, each once, ES256 before the others.
    #[must_use]
    pub fn algorithms(&self, now: Timestamp) -> Vec<SigningAlgorithm> {
        let mut algorithms: Vec<_> = self.published(now).map(|(_, key)| key.algorithm).collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        algorithms
    }

    fn published(&self, now: Timestamp) -> impl Iterator<Item = (&String, &RingKey)> {
        self.keys
            .iter()
            .filter(move |(_, key)| key.life.verifies(now))
    }

    /// How many keys there are whose private half could not be opened.
    #[must_use]
    pub fn unopened(&self) -> usize {
        self.keys
            .values()
            .filter(|key| key.signer.is_none())
            .count()
    }
}

impl RingKey {
    fn open(key: StoredKey, sealing: &SealingKeys) -> Option<Self> {
        let mut opened = Self::public(&key)?;
        let sealed = Sealed {
            key_id: key.sealing_key_id,
            text: key.sealed_private_key,
        };
        opened.signer = match sealing.open(&key.kid, key.algorithm, &sealed) {
            Ok(private) => Signer::from_private(key.algorithm, &key.kid, &private).ok(),
            Err(error) => {
                tracing::error!(kid = %key.kid, %error, "a signing key cannot be opened");
                None
            }
        };
        Some(opened)
    }

    fn public(key: &StoredKey) -> Option<Self> {
        let public = match PublicJwk::parse(&key.public_jwk) {
            Ok(public) => public,
            Err(error) => {
                tracing::error!(kid = %key.kid, %error, "a signing key cannot be read");
                return None;
            }
        };
        Some(Self {
            algorithm: key.algorithm,
            life: key.life,
            signer: None,
            verifier: Verifier::new(key.algorithm, &public).ok()?,
            jwk: public.to_json(&key.kid, key.algorithm).to_string(),
        })
    }
}
