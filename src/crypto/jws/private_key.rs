//! The private key of a client, from a JWK (RFC 7517) or PEM: what signs its assertions and DPoP proofs.

use josekit::jwk::alg::ec::{EcCurve, EcKeyPair};
use josekit::jwk::alg::ed::EdKeyPair;
use josekit::jwk::alg::rsa::RsaKeyPair;
use josekit::jwk::{Jwk, KeyPair};
use josekit::jws::ES256;
use josekit::util::HashAlgorithm;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{JwsError, PrivateKey, PublicJwk, pkcs8};
use crate::crypto::digest::base64url;
use crate::crypto::strict_json::parse_object;
use crate::domain::algorithm::SigningAlgorithm;

/// Why a text gives no private key. None says anything of its content.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrivateKeyError {
    #[error("expected a private key of P-256, Ed25519 or RSA: a JWK, or PEM without a password")]
    NoKey,
    #[error("this is a public key; signing needs the private one")]
    Public,
    #[error("this kind of key does not sign with {0}")]
    Algorithm(SigningAlgorithm),
}

/// A private key that signs with one algorithm.
pub struct ClientPrivateKey {
    algorithm: SigningAlgorithm,
    key: PrivateKey,
    public: PublicJwk,
    kid: Option<String>,
}

impl ClientPrivateKey {
    /// Reads a JWK or PEM. Without `algorithm` the JWK's own `alg` counts, else that of the key's kind: PS256 for RSA,
    /// which every profile allows.
    ///
    /// # Errors
    /// See [`PrivateKeyError`].
    pub fn parse(text: &str, algorithm: Option<SigningAlgorithm>) -> Result<Self, PrivateKeyError> {
        let jwk = if text.trim_start().starts_with('{') {
            parse_object(text.trim().as_bytes()).map_err(|_| PrivateKeyError::NoKey)?
        } else {
            of_pem(text).ok_or(PrivateKeyError::NoKey)?
        };
        if !jwk.contains_key("d") {
            return Err(PrivateKeyError::Public);
        }
        let member = |name: &str| jwk.get(name).and_then(Value::as_str);
        let stated = algorithm.or_else(|| member("alg")?.parse().ok());
        let algorithm = match (stated, member("kty"), member("crv")) {
            (Some(stated), ..) => stated,
            (None, Some("EC"), _) => SigningAlgorithm::Es256,
            (None, Some("OKP"), _) => SigningAlgorithm::EdDsa,
            (None, Some("RSA"), _) => SigningAlgorithm::Ps256,
            _ => return Err(PrivateKeyError::NoKey),
        };
        let kid = member("kid").map(str::to_owned);
        let (private, public) = halves(algorithm, &jwk)?;
        let key = PrivateKey::parse(algorithm, &private).ok_or(PrivateKeyError::NoKey)?;
        Ok(Self {
            algorithm,
            key,
            public,
            kid,
        })
    }

    /// The private JWK, with its thumbprint as `kid`, of a new key on P-256.
    ///
    /// # Errors
    /// Where no key can be made.
    pub fn generate() -> Result<Zeroizing<String>, JwsError> {
        let failed = || JwsError::Generation(SigningAlgorithm::Es256);
        let pair = ES256.generate_key_pair().map_err(|_| failed())?;
        let public = PublicJwk::from_members(pair.to_jwk_public_key().as_ref())?;
        let private = pair.to_jwk_private_key();
        let d = private.parameter("d").cloned().ok_or_else(failed)?;
        let mut members = public.key_members();
        members.insert("kid".to_owned(), Value::String(public.thumbprint()));
        members.insert("d".to_owned(), d);
        Ok(Zeroizing::new(Value::Object(members).to_string()))
    }

    /// What its owner calls it, or its RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> String {
        self.kid.clone().unwrap_or_else(|| self.public.thumbprint())
    }

    /// The public half, as its owner registers it.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        let mut members = self.public.key_members();
        members.insert("kid".to_owned(), Value::String(self.kid()));
        let mut jwk = Value::Object(members);
        jwk.sort_all_objects();
        jwk
    }

    /// What it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// A compact JWS whose header has `alg` and the members of the object `header`.
    ///
    /// # Errors
    /// Where signing fails.
    pub fn sign(&self, mut header: Value, claims: &Value) -> Result<String, JwsError> {
        if let Value::Object(members) = &mut header {
            members.insert("alg".to_owned(), self.algorithm.as_str().into());
        }
        let parts = [&header, claims].map(|part| base64url(part.to_string().as_bytes()));
        let input = parts.join(".");
        let signature = self.sign_input(&input)?;
        Ok([&input, ".", &signature].concat())
    }

    /// The signature over `input`, in base64url.
    ///
    /// # Errors
    /// Where signing fails.
    pub fn sign_input(&self, input: &str) -> Result<String, JwsError> {
        let signature = self.key.sign(input.as_bytes());
        signature.ok_or(JwsError::Signing(self.algorithm))
    }
}

/// The key of a PEM text as a JWK. Each kind of key knows its own.
fn of_pem(pem: &str) -> Option<Map<String, Value>> {
    let ec = || EcKeyPair::from_pem(pem, Some(EcCurve::P256)).map(|pair| pair.to_jwk_private_key());
    let ed = || EdKeyPair::from_pem(pem).map(|pair| pair.to_jwk_private_key());
    let rsa = || RsaKeyPair::from_pem(pem).map(|pair| pair.to_jwk_private_key());
    let jwk = ec().or_else(|_| ed()).or_else(|_| rsa()).ok()?;
    Some(jwk.as_ref().clone())
}

/// The private half as PKCS#8, and the public one. josekit refuses members that it takes for another key's, so it
/// gets those of the key alone.
fn halves(
    algorithm: SigningAlgorithm,
    jwk: &Map<String, Value>,
) -> Result<(Zeroizing<Vec<u8>>, PublicJwk), PrivateKeyError> {
    const OF_KEYS: [&str; 12] = [
        "kty", "crv", "x", "y", "n", "e", "d", "p", "q", "dp", "dq", "qi",
    ];
    let wrong = || PrivateKeyError::Algorithm(algorithm);
    let of_key = jwk
        .iter()
        .filter(|(name, _)| OF_KEYS.contains(&name.as_str()));
    let of_key = of_key.map(|(name, value)| (name.clone(), value.clone()));
    let jwk = Jwk::from_map(of_key.collect::<Map<_, _>>()).map_err(|_| wrong())?;
    let rsa = || RsaKeyPair::from_jwk(&jwk);
    let pair: Box<dyn KeyPair> = match algorithm {
        SigningAlgorithm::Es256 => EcKeyPair::from_jwk(&jwk).map(|it| Box::new(it) as _),
        SigningAlgorithm::EdDsa => EdKeyPair::from_jwk(&jwk).map(|it| Box::new(it) as _),
        SigningAlgorithm::Rs256 => rsa().map(|it| Box::new(it) as _),
        SigningAlgorithm::Ps256 => rsa().map(|it| {
            // RFC 7518 section 3.5: the salt is as long as the hash.
            Box::new(it.into_rsa_pss_key_pair(HashAlgorithm::Sha256, HashAlgorithm::Sha256, 32))
                as _
        }),
    }
    .map_err(|_| wrong())?;
    let public = PublicJwk::from_members(pair.to_jwk_public_key().as_ref()).map_err(|_| wrong())?;
    let private = pkcs8(&Zeroizing::new(pair.to_pem_private_key())).ok_or_else(wrong)?;
    Ok((private, public))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::compact::CompactJws;
    use crate::crypto::jws::{Verifier, generate};

    fn pem(algorithm: SigningAlgorithm) -> String {
        let key = generate(algorithm).unwrap();
        let body = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            key.private.as_slice(),
        );
        format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
    }

    fn verifies(key: &ClientPrivateKey, algorithm: SigningAlgorithm) -> bool {
        let signed = key
            .sign(serde_json::json!({}), &serde_json::json!({"a": 1}))
            .unwrap();
        let jws = CompactJws::parse(&signed).unwrap();
        assert_eq!(jws.alg(), algorithm.as_str());
        let verifier = Verifier::new(algorithm, key.public()).unwrap();
        verifier.verify(jws.signing_input(), jws.signature())
    }

    #[test]
    fn keys_in_pem_and_as_jwk_sign_what_their_public_half_verifies() {
        for (made, signs) in [
            (SigningAlgorithm::Es256, SigningAlgorithm::Es256),
            (SigningAlgorithm::EdDsa, SigningAlgorithm::EdDsa),
            (SigningAlgorithm::Rs256, SigningAlgorithm::Ps256),
        ] {
            let pem = pem(made);
            let key = ClientPrivateKey::parse(&pem, None).unwrap();
            assert!(verifies(&key, signs), "{made}");
            assert_eq!(key.kid(), key.public().thumbprint());
            let mut jwk = of_pem(&pem).unwrap();
            jwk.insert("kid".to_owned(), "mine".into());
            jwk.insert("alg".to_owned(), made.as_str().into());
            let key = ClientPrivateKey::parse(&Value::Object(jwk).to_string(), None).unwrap();
            assert!(verifies(&key, made), "{made}");
            assert_eq!(key.kid(), "mine");
        }
        let made = ClientPrivateKey::generate().unwrap();
        let key = ClientPrivateKey::parse(&made, None).unwrap();
        assert!(verifies(&key, SigningAlgorithm::Es256));
    }

    #[test]
    fn what_is_no_private_key_is_told_apart() {
        let algorithm = SigningAlgorithm::Es256;
        let pem = pem(algorithm);
        let public = ClientPrivateKey::parse(&pem, None).unwrap();
        let public = Value::Object(public.public().key_members()).to_string();
        for (text, algorithm, fault) in [
            ("", None, PrivateKeyError::NoKey),
            ("{}", None, PrivateKeyError::Public),
            ("-----BEGIN PRIVATE KEY-----", None, PrivateKeyError::NoKey),
            (&public, None, PrivateKeyError::Public),
            (
                &pem,
                Some(SigningAlgorithm::EdDsa),
                PrivateKeyError::Algorithm(SigningAlgorithm::EdDsa),
            ),
        ] {
            let error = ClientPrivateKey::parse(text, algorithm).err();
            assert_eq!(error, Some(fault), "{text}");
        }
    }
}
