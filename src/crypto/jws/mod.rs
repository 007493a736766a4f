//! Signing and verifying bytes (RFC 7515, RFC 7518 section 3, RFC 8037); the only user of josekit.
//!
//! josekit sees bytes only: its reading of the compact form, of headers and of claims is more
//! lenient than ours (see `compact`). It makes keys and signs with RSA; AWS-LC verifies, and signs on a curve, because OpenSSL
//! fetches and makes anew for each signature what then signs or verifies, which takes as long as the signature itself.

pub mod deviant;
pub mod held_key;
pub mod private_key;
mod verifier;

pub use verifier::Verifier;

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use josekit::jwk::KeyPair;
use josekit::jwk::alg::ed::EdCurve;
use josekit::jws::{ES256, EdDSA, JwsSigner, PS256, RS256};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::crypto::digest::base64url;
use crate::crypto::public_jwk::{PublicJwk, PublicJwkError};
use crate::domain::accepted_algorithm::AcceptedAlgorithm;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::audience::JwtTyp;

const RSA_BITS: u32 = 2048;

/// Why a key or a signature could not be made. What josekit says is left out: it may quote keys.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    #[error("no key pair could be made for {0}")]
    Generation(SigningAlgorithm),
    /// A new key's public half is not of the form that we publish.
    #[error("the new public key is malformed: {0}")]
    NewPublicKey(#[from] PublicJwkError),
    /// A private key that is no PKCS#8 key of the algorithm.
    #[error("the private key is not a PKCS#8 key for {0}")]
    PrivateKey(SigningAlgorithm),
    /// A public key of another kind than the algorithm's, or a point that is not on its curve.
    #[error("the public key is not a key for {0}")]
    PublicKey(AcceptedAlgorithm),
    #[error("signing with {0} failed")]
    Signing(SigningAlgorithm),
}

/// A new key pair.
pub struct NewKey {
    /// Its RFC 7638 thumbprint.
    pub kid: String,
    /// PKCS#8 in DER; to be sealed before it is stored.
    pub private: Zeroizing<Vec<u8>>,
    /// The half that is published.
    pub public_jwk: PublicJwk,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// Makes a key pair: P-256, Ed25519 or RSA of 2048 bits (some 100 ms; keep it off async threads).
///
/// Its `kid` begins with no hyphen: command lines take such a word for an option.
///
/// # Errors
/// Where the key cannot be made.
pub fn generate(algorithm: SigningAlgorithm) -> Result<NewKey, JwsError> {
    loop {
        let new = any_key(algorithm)?;
        if !new.kid.starts_with('-') {
            return Ok(new);
        }
    }
}

fn any_key(algorithm: SigningAlgorithm) -> Result<NewKey, JwsError> {
    let failed = || JwsError::Generation(algorithm);
    let pair: Box<dyn KeyPair> = match algorithm {
        SigningAlgorithm::Es256 => ES256.generate_key_pair().map(|pair| Box::new(pair) as _),
        SigningAlgorithm::EdDsa => EdDSA
            .generate_key_pair(EdCurve::Ed25519)
            .map(|pair| Box::new(pair) as _),
        SigningAlgorithm::Rs256 => RS256
            .generate_key_pair(RSA_BITS)
            .map(|pair| Box::new(pair) as _),
        SigningAlgorithm::Ps256 => PS256
            .generate_key_pair(RSA_BITS)
            .map(|pair| Box::new(pair) as _),
    }
    .map_err(|_| failed())?;
    let private = pkcs8(&Zeroizing::new(pair.to_pem_private_key())).ok_or_else(failed)?;
    let public_jwk = PublicJwk::from_members(pair.to_jwk_public_key().as_ref())?;
    Ok(NewKey {
        kid: public_jwk.thumbprint(),
        private,
        public_jwk,
    })
}

/// Signs with one key; made once per key and shared.
pub struct Signer {
    algorithm: SigningAlgorithm,
    kid: Box<str>,
    key: PrivateKey,
    /// The encoded headers with their dot, for both values of `typ`.
    access_token_header: String,
    jwt_header: String,
}

impl Signer {
    /// A signer with the private key `pkcs8` (DER), whose tokens name it `kid`.
    ///
    /// # Errors
    /// Where `pkcs8` is no private key for `algorithm`.
    pub fn from_private(
        algorithm: SigningAlgorithm,
        kid: &str,
        pkcs8: &[u8],
    ) -> Result<Self, JwsError> {
        let key = PrivateKey::parse(algorithm, pkcs8).ok_or(JwsError::PrivateKey(algorithm))?;
        let header = |typ: JwtTyp| before_payload(&header(algorithm, kid, typ.as_str()));
        let (access_token_header, jwt_header) = (header(JwtTyp::AccessToken), header(JwtTyp::Jwt));
        Ok(Self {
            algorithm,
            kid: kid.into(),
            key,
            access_token_header,
            jwt_header,
        })
    }

    /// What its tokens call it.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The header of what it signs.
    #[must_use]
    pub fn header(&self, typ: JwtTyp) -> Value {
        header(self.algorithm, &self.kid, typ.as_str())
    }

    /// `payload` as a compact JWS whose header has exactly `alg`, `kid` and `typ`.
    ///
    /// # Errors
    /// Where signing fails.
    pub fn sign_compact(&self, typ: JwtTyp, payload: &[u8]) -> Result<String, JwsError> {
        let header = match typ {
            JwtTyp::AccessToken => &self.access_token_header,
            JwtTyp::Jwt => &self.jwt_header,
        };
        self.sign_under(header, payload)
    }

    /// As [`Self::sign_compact`], for what is no access token.
    ///
    /// # Errors
    /// Where signing fails.
    pub fn sign_compact_as(&self, typ: &str, payload: &[u8]) -> Result<String, JwsError> {
        self.sign_under(
            &before_payload(&header(self.algorithm, &self.kid, typ)),
            payload,
        )
    }

    fn sign_under(&self, header: &str, payload: &[u8]) -> Result<String, JwsError> {
        let input = [header, &base64url(payload)].concat();
        let signature = self.sign(&input)?;
        Ok([&input, ".", &signature].concat())
    }

    /// The signature over `input`, in base64url.
    ///
    /// # Errors
    /// Where signing fails.
    pub fn sign(&self, input: &str) -> Result<String, JwsError> {
        let signature = self.key.sign(input.as_bytes());
        signature.ok_or(JwsError::Signing(self.algorithm))
    }
}

/// What stands before the payload of a JWS with this header.
fn before_payload(header: &Value) -> String {
    format!("{}.", base64url(header.to_string().as_bytes()))
}

fn header(algorithm: SigningAlgorithm, kid: &str, typ: &str) -> Value {
    json!({"alg": algorithm.as_str(), "kid": kid, "typ": typ})
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// A private key, ready to sign.
enum PrivateKey {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<dyn JwsSigner>),
}

impl PrivateKey {
    fn parse(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Option<Self> {
        match algorithm {
            SigningAlgorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
                    .ok()
                    .map(Self::P256)
            }
            SigningAlgorithm::EdDsa => Ed25519KeyPair::from_pkcs8(pkcs8).ok().map(Self::Ed25519),
            SigningAlgorithm::Rs256 => RS256
                .signer_from_der(pkcs8)
                .ok()
                .map(|key| Self::Rsa(Box::new(key))),
            SigningAlgorithm::Ps256 => PS256
                .signer_from_der(pkcs8)
                .ok()
                .map(|key| Self::Rsa(Box::new(key))),
        }
    }

    /// The signature over `input`, in base64url.
    fn sign(&self, input: &[u8]) -> Option<String> {
        match self {
            Self::P256(key) => key
                .sign(&SystemRandom::new(), input)
                .ok()
                .map(|it| base64url(it.as_ref())),
            Self::Ed25519(key) => Some(base64url(key.sign(input).as_ref())),
            Self::Rsa(key) => key.sign(input).ok().map(|it| base64url(&it)),
        }
    }
}

/// The DER inside of a PKCS#8 PEM. josekit's own DER of an EC key is SEC 1, its PEM is PKCS#8 for
/// every kind of key.
fn pkcs8(pem: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = std::str::from_utf8(pem).ok()?.trim();
    let body = text
        .strip_prefix("-----BEGIN PRIVATE KEY-----")?
        .strip_suffix("-----END PRIVATE KEY-----")?;
    let body: Zeroizing<String> = Zeroizing::new(
        body.chars()
            .filter(|character| !character.is_ascii_whitespace())
            .collect(),
    );
    STANDARD.decode(body.as_bytes()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests;
