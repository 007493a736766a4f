//! Tokens that grantd never issued, and signing keys whose private half a test holds.

use grantd::crypto::digest::base64url;
use grantd::crypto::jws::{self, NewKey};
use grantd::crypto::random;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::signing_key::KeyLife;
use grantd::store::signing_keys::StoredKey;
use josekit::jws::{ES256, JwsSigner as _};
use serde_json::Value;

use crate::harness::{Env, READER, Replica, decoded};

/// A new ES256 key.
pub(crate) fn new_key() -> NewKey {
    let key = jws::generate(SigningAlgorithm::Es256).unwrap();
    crate::redaction::key(&key.private);
    key
}

/// A compact JWS of exactly this header and these claims, signed by `key` with ES256.
pub(crate) fn signed(key: &NewKey, header: &Value, claims: &Value) -> String {
    let input = signing_input(header, claims);
    let signer = ES256.signer_from_der(&key.private[..]).unwrap();
    format!(
        "{input}.{}",
        base64url(&signer.sign(input.as_bytes()).unwrap())
    )
}

/// Header and claims with the dot between.
pub(crate) fn signing_input(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    format!("{}.{}", part(header), part(claims))
}

impl Env {
    /// Makes `key` a signing key of the issuer, as another replica would; one that signs retires when this one begins.
    pub(crate) async fn announce(&self, key: &NewKey, life: KeyLife) {
        let algorithm = SigningAlgorithm::Es256;
        let sealed = self
            .sealing
            .seal(&key.kid, algorithm, &key.private)
            .unwrap();
        let stored = StoredKey {
            kid: key.kid.clone(),
            algorithm,
            public_jwk: key.public_jwk.to_json(&key.kid, algorithm).to_string(),
            sealed,
            life,
        };
        let mut change = self.store.begin_change(random::token_id()).await.unwrap();
        let before = change.signing_keys().await.unwrap().keys;
        let is_current = |it: &&StoredKey| {
            it.algorithm == algorithm
                && it.life.retires_at.is_none()
                && it.life.activates_at.is_some()
        };
        if let Some(current) = before.iter().find(is_current) {
            let ended = KeyLife {
                retires_at: life.activates_at,
                ..current.life
            };
            change
                .set_key_life(&current.kid, (&current.life, &ended))
                .await
                .unwrap();
        }
        change.insert_signing_key(&stored).await.unwrap();
        change.commit().await.unwrap();
    }

    /// Sets when the key `kid` retires and expires.
    pub(crate) async fn set_key_life(&self, kid: &str, life: KeyLife) {
        let mut change = self.store.begin_change(random::token_id()).await.unwrap();
        let keys = change.signing_keys().await.unwrap().keys;
        let before = keys.iter().find(|it| it.kid == kid).unwrap().life;
        change.set_key_life(kid, (&before, &life)).await.unwrap();
        change.commit().await.unwrap();
    }
}

/// Somebody who holds the issuer's own key and a token of `reader`, and changes one thing.
pub(crate) struct Forger {
    pub(crate) key: NewKey,
    pub(crate) header: Value,
    pub(crate) claims: Value,
}

impl Forger {
    /// Makes the one ES256 key of the issuer, applies `catalog`, and gets a token to begin with.
    pub(crate) async fn new(env: &Env, catalog: &str) -> (Replica, Self) {
        let key = new_key();
        let now = env.clock.now();
        env.announce(&key, KeyLife::from(now, now)).await;
        env.apply(catalog).await;
        let replica = env.replica().await;
        let (header, claims) = decoded(&replica.issued("reader", READER, "").await);
        assert_eq!(header["kid"], key.kid.as_str());
        (
            replica,
            Self {
                key,
                header,
                claims,
            },
        )
    }

    /// The token with one member of its header replaced.
    pub(crate) fn header(&self, name: &str, value: impl Into<Value>) -> String {
        let mut header = self.header.clone();
        header[name] = value.into();
        signed(&self.key, &header, &self.claims)
    }

    /// The token with one claim replaced.
    pub(crate) fn claim(&self, name: &str, value: impl Into<Value>) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value.into();
        signed(&self.key, &self.header, &claims)
    }

    /// The token without one claim.
    pub(crate) fn without(&self, name: &str) -> String {
        let mut claims = self.claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        signed(&self.key, &self.header, &claims)
    }
}
