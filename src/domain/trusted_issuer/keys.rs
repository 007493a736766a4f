//! Where a trusted issuer's keys are.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::key_source::{KeySource, KeySourceFault};

const DISCOVERY: &str = "discovery";

/// A place of keys. In a document it is a text: `discovery`, a URL, or a JWK set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerKeys {
    /// Where the issuer's metadata says (`OpenID` Connect Discovery 1.0 section 4).
    Discovery,
    /// The URL of a JWK set, or of a SPIFFE bundle, which is one.
    Url(String),
    /// Here, as a JWK set: what a file held when it was registered.
    Set(String),
}

impl IssuerKeys {
    /// As the text that [`Deserialize`] reads.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Discovery => DISCOVERY,
            Self::Url(text) | Self::Set(text) => text,
        }
    }
}

impl Serialize for IssuerKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for IssuerKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == DISCOVERY {
            Ok(Self::Discovery)
        } else if text.starts_with('{') {
            Ok(Self::Set(text))
        } else {
            KeySource::parse(&text).map_err(|fault| match fault {
                KeySourceFault::NotAbsolute => Error::custom(
                    "expected \"discovery\", \"file:PATH\" or a URL such as https://ci.example/jwks",
                ),
                fault => Error::custom(fault),
            })?;
            Ok(Self::Url(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_discovered_at_a_url_or_here() {
        for (text, keys) in [
            ("discovery", Some(IssuerKeys::Discovery)),
            (
                "https://a.example/jwks",
                Some(IssuerKeys::Url("https://a.example/jwks".to_owned())),
            ),
            (
                "{\"keys\":[]}",
                Some(IssuerKeys::Set("{\"keys\":[]}".to_owned())),
            ),
            ("http://a.example/jwks", None),
            ("Discovery", None),
            ("", None),
        ] {
            let document = serde_json::json!(text);
            let read: Option<IssuerKeys> = serde_json::from_value(document.clone()).ok();
            assert_eq!(read, keys, "{text}");
            if let Some(keys) = read {
                assert_eq!(serde_json::to_value(keys).unwrap(), document);
            }
        }
    }
}
