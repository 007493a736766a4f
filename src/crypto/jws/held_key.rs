//! A key pair of `grantd dev` that is held in memory and may be given away: another issuer's, a stranger's, a caller's.

use pem::{EncodeConfig, LineEnding, Pem};
use serde_json::Value;
use zeroize::Zeroizing;

use super::private_key::{ClientPrivateKey, PrivateKeyError};
use super::{JwsError, generate};
use crate::domain::algorithm::SigningAlgorithm;

/// The pair.
pub struct HeldKey {
    key: ClientPrivateKey,
    /// PKCS#8.
    pem: Zeroizing<String>,
}

impl HeldKey {
    /// Makes a pair: P-256, Ed25519 or RSA of 2048 bits (some 100 ms; keep it off async threads).
    ///
    /// # Errors
    /// Where no key can be made.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, JwsError> {
        // A key that is marked for PSS in its PKCS#8 is none that certificates are made with.
        let kind = match algorithm {
            SigningAlgorithm::Ps256 => SigningAlgorithm::Rs256,
            other => other,
        };
        let pem = private_key_pem(&generate(kind)?.private);
        let failed = |_: PrivateKeyError| JwsError::Generation(algorithm);
        let key = ClientPrivateKey::parse(&pem, Some(algorithm)).map_err(failed)?;
        Ok(Self { key, pem })
    }

    /// What signs.
    #[must_use]
    pub const fn key(&self) -> &ClientPrivateKey {
        &self.key
    }

    /// The private half, PKCS#8 in PEM.
    #[must_use]
    pub const fn pem(&self) -> &Zeroizing<String> {
        &self.pem
    }

    /// The public half as a JWKS has it, under its thumbprint.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        let public = self.key.public();
        public.to_json(&self.key.kid(), self.key.algorithm())
    }
}

impl std::fmt::Debug for HeldKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeldKey")
            .field("kid", &self.key.kid())
            .finish_non_exhaustive()
    }
}

fn private_key_pem(pkcs8: &[u8]) -> Zeroizing<String> {
    let lines = EncodeConfig::new().set_line_ending(LineEnding::LF);
    Zeroizing::new(pem::encode_config(&Pem::new("PRIVATE KEY", pkcs8), lines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::compact::CompactJws;
    use crate::crypto::jws::Verifier;

    #[test]
    fn a_held_key_of_each_algorithm_signs_and_reads_back_from_its_pem() {
        for algorithm in SigningAlgorithm::ALL {
            let held = HeldKey::generate(algorithm).unwrap();
            let again = ClientPrivateKey::parse(held.pem(), Some(algorithm)).unwrap();
            for key in [held.key(), &again] {
                let signed = key.sign(serde_json::json!({}), &serde_json::json!({}));
                let signed = signed.unwrap();
                let jws = CompactJws::parse(&signed).unwrap();
                assert_eq!(jws.alg(), algorithm.as_str());
                let verifier = Verifier::new(algorithm, held.key().public()).unwrap();
                assert!(
                    verifier.verify(jws.signing_input(), jws.signature()),
                    "{algorithm}"
                );
            }
        }
    }
}
