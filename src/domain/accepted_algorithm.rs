//! Signature algorithms of the assertions that clients sign (RFC 7518 section 3.1): each that grantd signs tokens with, and
//! those of SHA-384, which the SMART Backend Services of health care demand.

use std::fmt;

use super::algorithm::SigningAlgorithm;

/// An algorithm whose signatures grantd verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptedAlgorithm {
    /// One that grantd itself signs with.
    Ours(SigningAlgorithm),
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PSS with SHA-384.
    Ps384,
}

impl AcceptedAlgorithm {
    /// All that grantd verifies.
    pub const ALL: [Self; 7] = [
        Self::Ours(SigningAlgorithm::Es256),
        Self::Ours(SigningAlgorithm::EdDsa),
        Self::Ours(SigningAlgorithm::Rs256),
        Self::Ours(SigningAlgorithm::Ps256),
        Self::Es384,
        Self::Rs384,
        Self::Ps384,
    ];

    /// The `alg` value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ours(algorithm) => algorithm.as_str(),
            Self::Es384 => "ES384",
            Self::Rs384 => "RS384",
            Self::Ps384 => "PS384",
        }
    }

    /// What the `alg` of an assertion or of a JWK means; see [`SigningAlgorithm::of_header`].
    #[must_use]
    pub fn of_header(alg: &str) -> Option<Self> {
        let ours = SigningAlgorithm::of_header(alg).map(Self::Ours);
        ours.or_else(|| Self::ALL.into_iter().find(|known| known.as_str() == alg))
    }
}

impl From<SigningAlgorithm> for AcceptedAlgorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        Self::Ours(algorithm)
    }
}

impl fmt::Display for AcceptedAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
