//! The signing keys in memory: which one signs, which ones verify, and the JWKS (RFC 7517).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::clocks::{KeyTime, MOST_APART};
use crate::crypto::jws::{Signer, Verifier};
use crate::crypto::public_jwk::PublicJwk;
use crate::crypto::sealing::SealingKeys;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::signing_key::KeyLife;
use crate::domain::signing_key::lineup::Lineup;
use crate::domain::timestamp::Timestamp;
use crate::store::signing_keys::{AlgorithmsInUse, StoredKey, StoredKeys};

/// All keys of the issuer; replaced as a whole when one changes.
#[derive(Debug, Default)]
pub struct KeyRing {
    keys: HashMap<String, RingKey>,
    in_use: AlgorithmsInUse,
}

/// A signing key.
#[derive(Debug)]
pub struct RingKey {
    /// The only algorithm that it is used with.
    pub algorithm: SigningAlgorithm,
    /// When it is announced, active and retired.
    pub life: KeyLife,
    /// `None` if its private half could not be opened.
    pub signer: Option<Arc<Signer>>,
    /// Whether this replica's sealing keys can open its private half, whether or not it is open already.
    opens: bool,
    /// Checks its signatures.
    pub verifier: Verifier,
    /// Its entry in the JWKS, compact JSON.
    jwk: String,
}

impl KeyRing {
    /// Opens the private keys that may be needed at `now` or later, reusing those that `before` has open. One that
    /// cannot be opened or read is logged and left out.
    #[must_use]
    pub fn open(
        stored: StoredKeys,
        sealing: &SealingKeys,
        (before, now): (Option<&Self>, Timestamp),
    ) -> Self {
        let keys = stored.keys.into_iter().filter_map(|key| {
            let kid = key.kid.clone();
            let known = before.and_then(|ring| ring.keys.get(&kid)?.signer.clone());
            RingKey::open(&key, sealing, (known, now)).map(|key| (kid, key))
        });
        Self {
            keys: keys.collect(),
            in_use: stored.in_use,
        }
    }

    /// The public halves alone: they verify, but do not sign.
    #[must_use]
    pub fn public(stored: &[StoredKey]) -> Self {
        let keys = stored
            .iter()
            .filter_map(|key| Some((key.kid.clone(), RingKey::public(key)?)));
        Self {
            keys: keys.collect(),
            in_use: AlgorithmsInUse::new(),
        }
    }

    /// The lives of the keys, for each algorithm that has keys or needs one.
    #[must_use]
    pub fn lineups(&self) -> BTreeMap<SigningAlgorithm, Lineup> {
        lineups(
            &self.in_use,
            self.keys
                .iter()
                .map(|(kid, key)| (kid, key.algorithm, key.life)),
        )
    }

    /// Whether the private half of this key can be opened here.
    #[must_use]
    pub fn opens(&self, kid: &str) -> bool {
        self.keys.get(kid).is_some_and(|key| key.opens)
    }

    /// The algorithms that audiences use.
    #[must_use]
    pub const fn in_use(&self) -> &AlgorithmsInUse {
        &self.in_use
    }

    /// The key that signs with `algorithm` now: the youngest active one. If the clock was set back and none is
    /// active, the one that was active before.
    #[must_use]
    pub fn signer(&self, algorithm: SigningAlgorithm, time: KeyTime) -> Option<&Arc<Signer>> {
        self.youngest(algorithm, time.now)
            .or_else(|| self.youngest(algorithm, time.latest))
            .or_else(|| self.oldest_of_later(algorithm, time))
    }

    /// After a restart the latest time is unknown. But a key that was made after `now` shows that the clock was set
    /// back. Where tests move the clock, any key that begins later does.
    fn oldest_of_later(&self, algorithm: SigningAlgorithm, time: KeyTime) -> Option<&Arc<Signer>> {
        let now = time.now;
        let surely_later =
            |key: &&RingKey| time.is_steered || key.life.announced_at > now.plus(MOST_APART);
        self.keys
            .values()
            .filter(|key| key.algorithm == algorithm && key.life.is_needed(now))
            .filter(surely_later)
            .filter_map(|key| Some((key.life.activates_at?, key.signer.as_ref()?)))
            .min_by_key(|(activation, _)| *activation)
            .map(|(_, signer)| signer)
    }

    fn youngest(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<&Arc<Signer>> {
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
            .filter_map(|key| key.life.begins_after(now))
            .min()
    }

    /// The key that is announced to sign next with `algorithm`.
    #[must_use]
    pub fn next(&self, algorithm: SigningAlgorithm) -> Option<Arc<Signer>> {
        let lineups = self.lineups();
        let (kid, _) = lineups.get(&algorithm)?.next()?;
        self.keys.get(kid)?.signer.clone()
    }

    /// The public JWK of the key `kid`, compact JSON.
    #[must_use]
    pub fn jwk(&self, kid: &str) -> Option<&str> {
        self.keys.get(kid).map(|key| key.jwk.as_str())
    }

    /// The key `kid`, if it verifies at `now`.
    #[must_use]
    pub fn verifier(&self, kid: &str, now: Timestamp) -> Option<(SigningAlgorithm, &Verifier)> {
        let key = self.keys.get(kid).filter(|key| key.life.verifies(now))?;
        Some((key.algorithm, &key.verifier))
    }

    /// The JWKS at `now`, RFC 7517 section 5: each key that verifies. A key in the ring was announced and stays
    /// published, even if the clock is set back.
    #[must_use]
    pub fn jwks(&self, now: Timestamp) -> String {
        let mut published: Vec<(&String, &RingKey)> = self.published(now).collect();
        // The next one comes last.
        let begin = |life: &KeyLife| (life.activates_at.is_none(), life.activates_at);
        published.sort_by_key(|(kid, key)| (begin(&key.life), *kid));
        let jwks: Vec<&str> = published.iter().map(|(_, key)| key.jwk.as_str()).collect();
        format!(r#"{{"keys":[{}]}}"#, jwks.join(","))
    }

    /// The algorithms of the JWKS at `now`, without duplicates, ES256 first.
    #[must_use]
    pub fn algorithms(&self, now: Timestamp) -> Vec<SigningAlgorithm> {
        let mut algorithms: Vec<_> = self.published(now).map(|(_, key)| key.algorithm).collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        algorithms
    }

    /// Each key of the JWKS at `now` with its algorithm and its life, in the order of their names.
    #[must_use]
    pub fn lives(&self, now: Timestamp) -> Vec<(&str, SigningAlgorithm, KeyLife)> {
        let life = |(kid, key): (_, &RingKey)| (String::as_str(kid), key.algorithm, key.life);
        let mut lives: Vec<_> = self.published(now).map(life).collect();
        lives.sort_unstable_by_key(|(kid, ..)| *kid);
        lives
    }

    fn published(&self, now: Timestamp) -> impl Iterator<Item = (&String, &RingKey)> {
        self.keys
            .iter()
            .filter(move |(_, key)| key.life.verifies(now))
    }

    /// The keys that this replica needs at `now` or later and does not have open.
    #[must_use]
    pub fn unopened(&self, now: Timestamp) -> Unopened {
        let mut unopened = Unopened::default();
        for (kid, key) in self.keys.iter().filter(|(_, key)| key.life.is_needed(now)) {
            let list = match &key.signer {
                None if key.life.signs(now) => &mut unopened.signing,
                None => &mut unopened.later,
                Some(_) if !key.opens => &mut unopened.after_restart,
                Some(_) => continue,
            };
            list.push(kid.clone());
        }
        unopened
    }
}

/// The kids of keys whose private half cannot be opened, by urgency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unopened {
    /// Should sign now.
    pub signing: Vec<String>,
    /// Needed later.
    pub later: Vec<String>,
    /// Open now, but cannot be opened after a restart.
    pub after_restart: Vec<String>,
}

impl Unopened {
    /// How many there are.
    #[must_use]
    pub const fn number(&self) -> usize {
        self.signing.len() + self.later.len() + self.after_restart.len()
    }

    /// A sentence for the operator, and whether it stops this replica from issuing.
    #[must_use]
    pub fn trouble(&self) -> Option<(String, bool)> {
        const REMEDY: &str = "list the sealing key that sealed them in old_key_files, and restart";
        let told = |kids: &[String], what: &str| {
            (!kids.is_empty()).then(|| format!("{what}: {}", kids.join(", ")))
        };
        let parts = [
            told(
                &self.signing,
                "signing keys that should sign now cannot be opened",
            ),
            told(
                &self.later,
                "signing keys that will be needed cannot be opened",
            ),
            told(
                &self.after_restart,
                "signing keys will not open after a restart of this server",
            ),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| {
            (
                format!("{}; {REMEDY}", parts.join("; ")),
                !self.signing.is_empty(),
            )
        })
    }
}

/// Keys by algorithm. Each algorithm in use has a lineup, even if it is empty.
pub(super) fn lineups<'k>(
    in_use: &AlgorithmsInUse,
    keys: impl Iterator<Item = (&'k String, SigningAlgorithm, KeyLife)>,
) -> BTreeMap<SigningAlgorithm, Lineup> {
    let mut lives: BTreeMap<_, Vec<_>> = in_use.keys().map(|it| (*it, Vec::new())).collect();
    for (kid, algorithm, life) in keys {
        lives
            .entry(algorithm)
            .or_default()
            .push((kid.clone(), life));
    }
    let lineup = |(algorithm, keys): (_, Vec<_>)| (algorithm, keys.into_iter().collect());
    lives.into_iter().map(lineup).collect()
}

impl RingKey {
    fn open(
        key: &StoredKey,
        sealing: &SealingKeys,
        (known, now): (Option<Arc<Signer>>, Timestamp),
    ) -> Option<Self> {
        let public = Self::public(key)?;
        if !key.life.is_needed(now) {
            return Some(public);
        }
        let opened = || match sealing.open(&key.kid, key.algorithm, &key.sealed) {
            Ok(private) => Signer::from_private(key.algorithm, &key.kid, &private).ok(),
            Err(error) => {
                tracing::error!(kid = %key.kid, %error, "a signing key cannot be opened");
                None
            }
        };
        let opens = sealing.has_key_of(&key.sealed);
        if known.is_some() && !opens {
            let sealed_with = &key.sealed.key_id;
            tracing::warn!(kid = %key.kid, %sealed_with, "a signing key will not open after a restart: add its sealing key");
        }
        Some(Self {
            signer: known.or_else(|| opened().map(Arc::new)),
            opens,
            ..public
        })
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
            opens: false,
            verifier: Verifier::new(key.algorithm, &public).ok()?,
            jwk: public.to_json(&key.kid, key.algorithm).to_string(),
        })
    }
}
