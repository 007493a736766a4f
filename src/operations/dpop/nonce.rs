//! Nonces of the server, RFC 9449 section 8: the same on each replica and after each restart, and nothing is stored.
//!
//! A nonce is an HMAC of the minute under a key that is derived from the sealing key, which replicas share.

use serde_json::Value;
use subtle::ConstantTimeEq as _;

use crate::crypto::digest::base64url;
use crate::crypto::process_key::ProcessKey;
use crate::crypto::sealing::SealingKeys;
use crate::domain::dpop_fault::DpopFault;
use crate::domain::issuer::Issuer;
use crate::domain::timestamp::{Seconds, Timestamp};

/// How long one nonce is the current one.
const WINDOW: Seconds = Seconds::new(60);
/// How far the clock of another replica may be ahead.
const SKEW: Seconds = Seconds::new(2);
/// What the key is derived for.
const LABEL: &str = "grantd dpop nonce";

/// The nonces of an issuer.
#[derive(Debug)]
pub struct Nonces {
    demanded: bool,
    issuer: Issuer,
    first: ProcessKey,
    /// While the sealing key is changed, some replicas have the new one first and some the old one.
    old: Vec<ProcessKey>,
}

impl Nonces {
    /// The nonces of `issuer`, and whether proofs must hold one.
    #[must_use]
    pub fn new(issuer: Issuer, sealing: &SealingKeys, demanded: bool) -> Self {
        let first = sealing.first.derive(LABEL);
        let old = sealing.old.iter().map(|key| key.derive(LABEL)).collect();
        Self {
            demanded,
            issuer,
            first,
            old,
        }
    }

    /// The nonce to use at `now`, where one is demanded.
    pub(super) fn demanded(&self, now: Timestamp) -> Option<String> {
        self.demanded.then(|| self.nonce(&self.first, now))
    }

    /// Checks the claim `nonce` at `now`: the nonce of this window or the one before. Where none is demanded,
    /// one that is there says nothing.
    pub(super) fn check(&self, claim: Option<&Value>, now: Timestamp) -> Result<(), DpopFault> {
        let Some(current) = self.demanded(now) else {
            return Ok(());
        };
        match claim {
            None => Err(DpopFault::NonceAbsent(current)),
            Some(Value::String(nonce)) if self.is_ours(nonce, now) => Ok(()),
            Some(_) => Err(DpopFault::NonceWrong(current)),
        }
    }

    fn is_ours(&self, nonce: &str, now: Timestamp) -> bool {
        let keys = || std::iter::once(&self.first).chain(&self.old);
        [now.minus(WINDOW), now, now.plus(SKEW)]
            .into_iter()
            .any(|at| {
                keys().any(|key| {
                    self.nonce(key, at)
                        .as_bytes()
                        .ct_eq(nonce.as_bytes())
                        .into()
                })
            })
    }

    fn nonce(&self, key: &ProcessKey, at: Timestamp) -> String {
        let window = at.unix().div_euclid(i64::from(WINDOW.get()));
        base64url(&key.mac(&[self.issuer.as_str().as_bytes(), &window.to_be_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sealing::SealingKey;

    const NOW: i64 = 1_767_225_600;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(NOW + seconds)
    }

    fn nonces(sealing: &SealingKeys) -> Nonces {
        Nonces::new(
            Issuer::parse("https://auth.example", false).unwrap(),
            sealing,
            true,
        )
    }

    fn accepts(nonces: &Nonces, nonce: &str, now: Timestamp) -> bool {
        nonces.check(Some(&nonce.into()), now).is_ok()
    }

    /// 9449-04.
    #[test]
    fn a_nonce_lives_for_this_window_and_the_next() {
        let sealing = SealingKeys::new(SealingKey::generate());
        let (here, there) = (nonces(&sealing), nonces(&sealing));
        let nonce = here.demanded(at(0)).unwrap();
        for (seconds, accepted) in [
            (-3, false),
            (-2, true),
            (0, true),
            (59, true),
            (60, true),
            (119, true),
            (120, false),
        ] {
            assert_eq!(accepts(&there, &nonce, at(seconds)), accepted, "{seconds}");
        }
        assert_ne!(here.demanded(at(60)).unwrap(), nonce);
    }

    #[test]
    fn a_nonce_outlives_a_change_of_the_sealing_key() {
        let before = SealingKeys::new(SealingKey::generate());
        let mut after = SealingKeys::new(SealingKey::generate());
        let nonce = nonces(&before).demanded(at(0)).unwrap();
        assert!(!accepts(&nonces(&after), &nonce, at(0)));
        after.old.push(before.first);
        assert!(accepts(&nonces(&after), &nonce, at(0)));
    }

    #[test]
    fn a_nonce_is_of_one_issuer_and_is_a_text() {
        let sealing = SealingKeys::new(SealingKey::generate());
        let here = nonces(&sealing);
        let issuer = Issuer::parse("https://other.example", false).unwrap();
        let foreign = Nonces::new(issuer, &sealing, true).demanded(at(0)).unwrap();
        assert!(!accepts(&here, &foreign, at(0)));
        let current = here.demanded(at(0)).unwrap();
        assert_eq!(
            here.check(None, at(0)),
            Err(DpopFault::NonceAbsent(current.clone()))
        );
        for wrong in [
            Value::Null,
            7.into(),
            "".into(),
            vec![current.clone()].into(),
        ] {
            let fault = Err(DpopFault::NonceWrong(current.clone()));
            assert_eq!(here.check(Some(&wrong), at(0)), fault, "{wrong}");
        }
    }

    #[test]
    fn where_none_is_demanded_none_is_offered_and_any_will_do() {
        let sealing = SealingKeys::new(SealingKey::generate());
        let issuer = Issuer::parse("https://auth.example", false).unwrap();
        let nonces = Nonces::new(issuer, &sealing, false);
        assert_eq!(nonces.demanded(at(0)), None);
        assert!(accepts(&nonces, "anything", at(0)) && nonces.check(None, at(0)).is_ok());
    }
}
