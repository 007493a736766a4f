//! Signature algorithms of access tokens, RFC 7518 section 3.1 and RFC 8037.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The algorithm that signs an audience's tokens. One key serves one algorithm (RFC 8725 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SigningAlgorithm {
    /// ECDSA with P-256 and SHA-256: the default.
    Es256,
    /// Ed25519, RFC 8037.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256, for verifiers that know no better.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
}

impl SigningAlgorithm {
    /// All that grantd signs with.
    pub const ALL: [Self; 4] = [Self::Es256, Self::EdDsa, Self::Rs256, Self::Ps256];

    /// The `alg` value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }

    /// What the `alg` of an assertion or a proof means, compared exactly (RFC 7515 section 4.1.1): no `none`, nothing
    /// symmetric, no other spelling. RFC 9864 gave `EdDSA` with Ed25519 a second name.
    #[must_use]
    pub fn of_header(alg: &str) -> Option<Self> {
        match alg {
            "Ed25519" => Some(Self::EdDsa),
            name => name.parse().ok(),
        }
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for SigningAlgorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for SigningAlgorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let names = &["ES256", "EdDSA", "RS256", "PS256"];
        text.parse()
            .map_err(|UnknownAlgorithm| serde::de::Error::unknown_variant(&text, names))
    }
}

/// A name that is not a signing algorithm of grantd.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an algorithm is one of ES256, EdDSA, RS256, PS256")]
pub struct UnknownAlgorithm;

impl FromStr for SigningAlgorithm {
    type Err = UnknownAlgorithm;

    /// Compares exactly: `alg` values are case-sensitive (RFC 7515 section 4.1.1).
    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or(UnknownAlgorithm)
    }
}
