//! A registered public key of a client: which assertions it verifies (RFC 7523 section 3, RFC 7517 section 4).

use serde_json::{Map, Value};

use super::jws::Verifier;
use super::public_jwk::{PublicJwk, PublicJwkError};
use super::rsa_weakness::{RsaWeakness, check_rsa};
use super::strict_json::parse_object;
use crate::domain::accepted_algorithm::AcceptedAlgorithm;
use crate::domain::credential::rules::KeyFacts;

/// The most characters of a `kid`; those in use are thumbprints, short names and URIs.
const MAX_KID: usize = 255;

/// One registered key, ready to verify.
#[derive(Debug)]
pub struct ClientKey {
    kid: Option<String>,
    thumbprint: String,
    verifiers: Vec<(AcceptedAlgorithm, Verifier)>,
}

/// Why a JWK is not registered.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientKeyError {
    /// Not a public key that grantd can verify with.
    #[error(transparent)]
    Key(#[from] PublicJwkError),
    #[error(transparent)]
    Weak(#[from] RsaWeakness),
    #[error("`use` is not sig: the key is not meant for signatures")]
    Use,
    #[error("`key_ops` lacks verify: the key is not meant for checking signatures")]
    KeyOps,
    /// Its `alg` is none that a key of its kind serves here.
    #[error(
        "`alg` is not ES256 (P-256), ES384 (P-384), EdDSA or Ed25519 (Ed25519), PS256, PS384, RS256 or RS384 (RSA)"
    )]
    Algorithm,
    #[error("`kid` is not a text of 1 to {MAX_KID} characters on one line")]
    Kid,
    #[error("the key is not valid for its `kty`")]
    Invalid,
}

impl ClientKey {
    /// Reads a JWK as it is registered.
    ///
    /// # Errors
    /// See [`ClientKeyError`] (JOSE-10, B-J07).
    pub fn parse(jwk: &str) -> Result<Self, ClientKeyError> {
        let members = parse_object(jwk.as_bytes()).map_err(PublicJwkError::from)?;
        Self::from_members(&members)
    }

    /// As [`Self::parse`], of the members of a JWK.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, ClientKeyError> {
        let key = PublicJwk::from_members(members)?;
        Self::of(members, &key, AcceptedAlgorithm::is_for_clients)
    }

    /// As [`Self::from_members`], of a key of a trusted issuer: for any algorithm that grantd verifies.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn of_issuer(members: &Map<String, Value>) -> Result<Self, ClientKeyError> {
        let key = PublicJwk::from_issuer_members(members)?;
        Self::of(members, &key, |_| true)
    }

    fn of(
        members: &Map<String, Value>,
        key: &PublicJwk,
        is_wanted: fn(AcceptedAlgorithm) -> bool,
    ) -> Result<Self, ClientKeyError> {
        if let PublicJwk::Rsa { n, e } = key {
            check_rsa(n, e)?;
        }
        check_usage(members)?;
        let verifiers = algorithms(members, key, is_wanted)?
            .into_iter()
            .map(|algorithm| Ok((algorithm, Verifier::new(algorithm, key)?)))
            .collect::<Result<Vec<_>, super::jws::JwsError>>()
            .map_err(|_| ClientKeyError::Invalid)?;
        Ok(Self {
            kid: kid(members)?,
            thumbprint: key.thumbprint(),
            verifiers,
        })
    }

    /// Whether a header with this `kid` means this key.
    #[must_use]
    pub fn is_named(&self, kid: &str) -> bool {
        kid == self.name()
    }

    /// What a header's `kid` calls this key: its own `kid`, or else its thumbprint.
    #[must_use]
    pub fn name(&self) -> &str {
        self.kid.as_deref().unwrap_or(&self.thumbprint)
    }

    /// The thumbprint of RFC 7638: equal for equal keys, whatever else their JWKs say.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// What it is registered for.
    pub fn algorithms(&self) -> impl Iterator<Item = AcceptedAlgorithm> {
        self.verifiers.iter().map(|(algorithm, _)| *algorithm)
    }

    /// The verifier for a header's `alg`, where the key is registered for it. An Ed25519 key takes both names
    /// (RFC 9864).
    #[must_use]
    pub fn verifier(&self, alg: &str) -> Option<&Verifier> {
        let meant = AcceptedAlgorithm::of_header(alg)?;
        let mut verifiers = self.verifiers.iter();
        let found = verifiers.find(|(algorithm, _)| *algorithm == meant);
        found.map(|(_, verifier)| verifier)
    }
}

/// What rules about credentials look at of a registered JWK: cheaper than a [`ClientKey`], which is ready to verify.
/// None where it is no key that grantd verifies with.
#[must_use]
pub fn facts(jwk: &str) -> Option<KeyFacts> {
    let members = parse_object(jwk.as_bytes()).ok()?;
    let key = PublicJwk::from_members(&members).ok()?;
    let thumbprint = key.thumbprint();
    Some(KeyFacts {
        name: kid(&members).ok()?.unwrap_or_else(|| thumbprint.clone()),
        algorithms: algorithms(&members, &key, AcceptedAlgorithm::is_for_clients).ok()?,
        thumbprint,
    })
}

fn kid(members: &Map<String, Value>) -> Result<Option<String>, ClientKeyError> {
    match members.get("kid") {
        None => Ok(None),
        Some(Value::String(kid)) if is_legible(kid) => Ok(Some(kid.clone())),
        Some(_) => Err(ClientKeyError::Kid),
    }
}

/// Whether a listing can show a `kid`, on one line and without what steers a terminal.
fn is_legible(kid: &str) -> bool {
    (1..=MAX_KID).contains(&kid.chars().count()) && !kid.chars().any(char::is_control)
}

/// `use` and `key_ops`, where they stand, allow signatures to be checked.
fn check_usage(members: &Map<String, Value>) -> Result<(), ClientKeyError> {
    let usage = members.get("use");
    if usage.is_some_and(|it| it.as_str() != Some("sig")) {
        return Err(ClientKeyError::Use);
    }
    let verifies = |operations: &Value| {
        let list = operations.as_array();
        list.is_some_and(|list| list.iter().any(|it| it == "verify"))
    };
    match members.get("key_ops") {
        Some(operations) if !verifies(operations) => Err(ClientKeyError::KeyOps),
        _ => Ok(()),
    }
}

/// The one algorithm that `alg` names, or all that a key of this kind serves.
fn algorithms(
    members: &Map<String, Value>,
    key: &PublicJwk,
    is_wanted: fn(AcceptedAlgorithm) -> bool,
) -> Result<Vec<AcceptedAlgorithm>, ClientKeyError> {
    let mut fitting = AcceptedAlgorithm::ALL
        .into_iter()
        .filter(|algorithm| key.fits(*algorithm) && is_wanted(*algorithm));
    let Some(alg) = members.get("alg") else {
        return Ok(fitting.collect());
    };
    let meant = AcceptedAlgorithm::of_header(alg.as_str().unwrap_or_default());
    let named = fitting.find(|it| Some(*it) == meant);
    Ok(vec![named.ok_or(ClientKeyError::Algorithm)?])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::crypto::jws::generate;
    use crate::domain::algorithm::SigningAlgorithm;

    fn jwk(algorithm: SigningAlgorithm) -> Map<String, Value> {
        generate(algorithm).unwrap().public_jwk.key_members()
    }

    fn parsed(members: &Map<String, Value>) -> Result<ClientKey, ClientKeyError> {
        ClientKey::parse(&Value::Object(members.clone()).to_string())
    }

    /// JOSE-10.
    #[test]
    fn a_key_verifies_what_it_is_registered_for() {
        let mut members = jwk(SigningAlgorithm::Rs256);
        let key = parsed(&members).unwrap();
        assert!(key.verifier("RS256").is_some() && key.verifier("PS256").is_some());
        assert!(key.verifier("RS384").is_some() && key.verifier("PS384").is_some());
        for alg in ["ES256", "ES384", "HS256", "none", "rs256", "RS512"] {
            assert!(key.verifier(alg).is_none(), "{alg}");
        }
        members.insert("alg".into(), json!("PS256"));
        let key = parsed(&members).unwrap();
        assert!(key.verifier("PS256").is_some() && key.verifier("RS256").is_none());
    }

    /// JOSE-12.
    #[test]
    fn an_ed25519_key_takes_both_names() {
        let mut members = jwk(SigningAlgorithm::EdDsa);
        for alg in [None, Some("EdDSA"), Some("Ed25519")] {
            if let Some(alg) = alg {
                members.insert("alg".into(), json!(alg));
            }
            let key = parsed(&members).unwrap();
            assert!(key.verifier("EdDSA").is_some() && key.verifier("Ed25519").is_some());
        }
    }

    /// JOSE-10.
    #[test]
    fn a_key_that_is_not_for_signatures_is_refused() {
        for (name, value, error) in [
            ("use", json!("enc"), ClientKeyError::Use),
            ("key_ops", json!(["sign"]), ClientKeyError::KeyOps),
            ("alg", json!("RS256"), ClientKeyError::Algorithm),
            ("alg", json!("ECDH-ES"), ClientKeyError::Algorithm),
            ("kid", json!(1), ClientKeyError::Kid),
            ("kid", json!(""), ClientKeyError::Kid),
            ("kid", json!("a\n"), ClientKeyError::Kid),
            ("kid", json!("a\u{1b}[2J"), ClientKeyError::Kid),
            ("kid", json!("a".repeat(256)), ClientKeyError::Kid),
            (
                "d",
                json!("AA"),
                ClientKeyError::Key(PublicJwkError::Private("d")),
            ),
            (
                "kty",
                json!("oct"),
                ClientKeyError::Key(PublicJwkError::KeyType),
            ),
        ] {
            let mut members = jwk(SigningAlgorithm::Es256);
            members.insert(name.into(), value);
            assert_eq!(parsed(&members).err(), Some(error));
        }
        let mut off_the_curve = jwk(SigningAlgorithm::Es256);
        off_the_curve.insert("x".into(), off_the_curve["y"].clone());
        assert_eq!(parsed(&off_the_curve).err(), Some(ClientKeyError::Invalid));
    }

    /// JOSE-09.
    #[test]
    fn a_key_is_known_by_its_kid_or_else_by_its_thumbprint() {
        let mut members = jwk(SigningAlgorithm::Es256);
        let thumbprint = PublicJwk::from_members(&members).unwrap().thumbprint();
        assert!(parsed(&members).unwrap().is_named(&thumbprint));
        members.insert("kid".into(), json!("mine"));
        let key = parsed(&members).unwrap();
        assert!(key.is_named("mine") && !key.is_named(&thumbprint) && !key.is_named("Mine"));
    }
}
