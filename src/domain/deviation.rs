//! How a token that a test wants differs from the one that a client would get. It is laid over at the end, so that what
//! makes real tokens knows nothing of it.

use serde_json::{Map, Value};

use super::algorithm::SigningAlgorithm;

/// What differs; nothing by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deviation {
    /// Laid over the claims; null takes a claim away.
    pub claims: Map<String, Value>,
    /// Laid over the header; null takes a member away.
    pub header: Map<String, Value>,
    /// A claim that is written a second time, behind all others.
    pub again: Option<(&'static str, Value)>,
    /// Laid over the claims after they were signed.
    pub after_signing: Map<String, Value>,
    /// Whose signature it is.
    pub key: KeyChoice,
    /// What signs it, where that is not the audience's algorithm.
    pub algorithm: Option<Algorithm>,
    /// What becomes of the signature.
    pub signature: SignatureForm,
}

/// A key, by what the issuer knows of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeyChoice {
    /// The one that signs now.
    #[default]
    Active,
    /// The one that signs next.
    Next,
    /// The one that was retired last.
    Retired,
    /// One that no JWKS of an issuer has.
    Unknown,
    /// A private JWK that somebody gave.
    Given(String),
}

/// How a token says that it is signed, and is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// With a key of the issuer.
    Signing(SigningAlgorithm),
    /// Not at all.
    None,
    /// HMAC whose secret is the issuer's public key as PEM, RFC 8725 section 2.1.
    Hs256,
}

/// What becomes of a signature once it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureForm {
    /// It stays as it is.
    #[default]
    Whole,
    /// It is left out.
    Empty,
    /// Its first bit is the other one.
    BitChanged,
    /// As many zeros as it has bytes.
    Zeros,
    /// Of ECDSA: the same numbers in DER.
    Der,
}

/// Lays `changes` over `members`: each replaces what has its name, and null takes that away.
pub fn lay_over(members: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (name, value) in changes {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(members) => members,
            _ => panic!("no object"),
        }
    }

    #[test]
    fn what_is_laid_over_replaces_and_takes_away_whole_members() {
        let mut members = object(json!({"a": 1, "b": {"c": 2, "d": 3}, "e": 4}));
        let changes = object(json!({"a": null, "b": {"c": null}, "f": [null], "g": null}));
        lay_over(&mut members, &changes);
        let expected = json!({"b": {"c": null}, "e": 4, "f": [null]});
        assert_eq!(Value::Object(members), expected);
    }
}
