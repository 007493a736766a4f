//! Signature algorithms of JWTs that others sign (RFC 7518 section 3.1): each that grantd signs tokens with; those of
//! SHA-384, which the SMART Backend Services of health care demand; and those of SHA-512, for trusted issuers alone.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
    /// ECDSA with P-521 and SHA-512.
    Es512,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
}

impl AcceptedAlgorithm {
    /// All that grantd verifies.
    pub const ALL: [Self; 9] = [
        Self::Ours(SigningAlgorithm::Es256),
        Self::Ours(SigningAlgorithm::EdDsa),
        Self::Ours(SigningAlgorithm::Rs256),
        Self::Ours(SigningAlgorithm::Ps256),
        Self::Es384,
        Self::Rs384,
        Self::Ps384,
        Self::Es512,
        Self::Rs512,
    ];

    /// Whether a client may sign by it; the others are for trusted issuers.
    #[must_use]
    pub const fn is_for_clients(self) -> bool {
        !matches!(self, Self::Es512 | Self::Rs512)
    }

    /// The `alg` value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ours(algorithm) => algorithm.as_str(),
            Self::Es384 => "ES384",
            Self::Rs384 => "RS384",
            Self::Ps384 => "PS384",
            Self::Es512 => "ES512",
            Self::Rs512 => "RS512",
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

impl Serialize for AcceptedAlgorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for AcceptedAlgorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const NAMES: &[&str] = &[
            "ES256", "EdDSA", "RS256", "PS256", "ES384", "RS384", "PS384", "ES512", "RS512",
        ];
        let text = String::deserialize(deserializer)?;
        Self::of_header(&text).ok_or_else(|| Error::unknown_variant(&text, NAMES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_in_a_document_by_its_name() {
        for algorithm in AcceptedAlgorithm::ALL {
            let text = serde_json::to_string(&algorithm).unwrap();
            assert_eq!(text, format!("{:?}", algorithm.as_str()));
            assert_eq!(
                serde_json::from_str::<AcceptedAlgorithm>(&text).unwrap(),
                algorithm
            );
        }
        let unknown = serde_json::from_str::<AcceptedAlgorithm>("\"HS256\"").unwrap_err();
        for algorithm in AcceptedAlgorithm::ALL {
            assert!(
                unknown.to_string().contains(algorithm.as_str()),
                "{unknown}"
            );
        }
    }
}
