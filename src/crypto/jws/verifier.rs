//! Verifying with a public key.

use std::fmt;

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::RsaPublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RsaParameters,
    VerificationAlgorithm,
};

use super::JwsError;
use crate::crypto::public_jwk::PublicJwk;
use crate::domain::accepted_algorithm::AcceptedAlgorithm;
use crate::domain::algorithm::SigningAlgorithm;

/// Before both coordinates of a point (SEC 1 section 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// Verifies with one public key; made once per key and shared.
pub struct Verifier {
    /// ES256 is R and S in 32 octets each, ES384 in 48, ES512 in 66 (RFC 7518 section 3.4); of Ed25519 64 octets; of RSA as
    /// many as the modulus has.
    signature_length: usize,
    key: ParsedPublicKey,
}

impl Verifier {
    /// A verifier for signatures of `algorithm` by `key`.
    ///
    /// # Errors
    /// Where the key is of another kind, or its point is not on the curve.
    pub fn new(algorithm: impl Into<AcceptedAlgorithm>, key: &PublicJwk) -> Result<Self, JwsError> {
        let algorithm = algorithm.into();
        let wrong = || JwsError::PublicKey(algorithm);
        if !key.fits(algorithm) {
            return Err(wrong());
        }
        let (signature_length, key) = match key {
            PublicJwk::P256 { x, y } => (2 * x.len(), point(&ECDSA_P256_SHA256_FIXED, x, y)),
            PublicJwk::P384 { x, y } => (2 * x.len(), point(&ECDSA_P384_SHA384_FIXED, x, y)),
            PublicJwk::P521 { x, y } => (2 * x.len(), point(&ECDSA_P521_SHA512_FIXED, x, y)),
            PublicJwk::Ed25519 { x } => (2 * x.len(), ParsedPublicKey::new(&ED25519, x)),
            PublicJwk::Rsa { n, e } => {
                let parameters = rsa(algorithm).ok_or_else(wrong)?;
                let parsed = RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters);
                (n.len(), parsed)
            }
        };
        Ok(Self {
            signature_length,
            key: key.map_err(|_| wrong())?,
        })
    }

    /// Whether `signature` is the key's over `signing_input` (JOSE-08).
    #[must_use]
    pub fn verify(&self, signing_input: &[u8], signature: &[u8]) -> bool {
        signature.len() == self.signature_length
            && self.key.verify_sig(signing_input, signature).is_ok()
    }
}

fn point(
    algorithm: &'static dyn VerificationAlgorithm,
    x: &[u8],
    y: &[u8],
) -> Result<ParsedPublicKey, KeyRejected> {
    ParsedPublicKey::new(algorithm, [&[UNCOMPRESSED], x, y].concat())
}

const fn rsa(algorithm: AcceptedAlgorithm) -> Option<&'static RsaParameters> {
    use AcceptedAlgorithm::{Es384, Es512, Ours, Ps384, Rs384, Rs512};
    match algorithm {
        Ours(SigningAlgorithm::Rs256) => Some(&RSA_PKCS1_2048_8192_SHA256),
        Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Ours(SigningAlgorithm::Ps256) => Some(&RSA_PSS_2048_8192_SHA256),
        Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
        Ours(SigningAlgorithm::Es256 | SigningAlgorithm::EdDsa) | Es384 | Es512 => None,
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}
