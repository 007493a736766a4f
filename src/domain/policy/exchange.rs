//! What a policy says of token exchange (RFC 8693): whose tokens a client may exchange, and what comes of them.

use serde::{Deserialize, Serialize};

use crate::domain::audience::LONGEST_LIFETIME;
use crate::domain::extra_claims::RESERVED_CLAIMS;
use crate::domain::glob::Glob;
use crate::domain::identifier::{AudienceId, InvalidIdentifier, IssuerId};
use crate::domain::shape::{self, text_shape};
use crate::domain::timestamp::Seconds;

/// Stands before the name of a trusted issuer.
const ISSUER: &str = "issuer:";
/// Registered claims that tell of a subject, and may be kept.
const OF_SUBJECTS: [&str; 5] = ["tenant", "env", "auth_time", "acr", "amr"];
/// The longest name of a claim, in bytes.
const MAX_NAME: usize = 255;

/// Which tokens a client may exchange for one of the policy's audience.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What the subject token must be for, or who must have issued it.
    #[serde(deserialize_with = "shape::one_or_many")]
    pub from: Vec<SubjectSource>,
    /// Whose it may be: its `sub`; empty: anybody's.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "shape::one_or_many"
    )]
    pub subjects: Vec<Glob>,
    /// Its claims that the new token has as well.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "shape::set"
    )]
    pub keep: Vec<KeptClaim>,
    /// In place of the policy's token lifetime.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "shape::optional_span::<_, LONGEST_LIFETIME>"
    )]
    pub lifetime: Option<Seconds>,
    /// Whether the scopes must be among those of the subject token, where that is ours.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scopes_from_subject: bool,
    /// Whether a subject token that is bound to somebody else may be exchanged for one that is bound to the client.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rebind: bool,
}

/// Where a subject token may come from: `issuer:NAME` for a trusted issuer, anything else is an audience of ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectSource {
    /// A token of ours for this audience.
    Audience(AudienceId),
    /// A token of this trusted issuer.
    Issuer(IssuerId),
}

/// The name of a claim that may be carried over from a subject token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeptClaim(String);

/// What cannot be carried over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeptClaim {
    /// No name.
    #[error("the name of a claim has 1 to {MAX_NAME} bytes and no control characters")]
    Name,
    /// A name that means something in the new token.
    #[error("`{0}` is a registered claim, which the new token has of its own; keep others, or {known}", known = OF_SUBJECTS.join(", "))]
    Registered(String),
}

impl Exchange {
    /// One that says no more than where tokens may come from.
    #[must_use]
    pub const fn of(from: Vec<SubjectSource>) -> Self {
        Self {
            from,
            subjects: Vec::new(),
            keep: Vec::new(),
            lifetime: None,
            scopes_from_subject: false,
            rebind: false,
        }
    }
}

impl SubjectSource {
    /// Reads an audience, or `issuer:` and the name of a trusted issuer.
    ///
    /// # Errors
    /// What is neither.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        match text.strip_prefix(ISSUER) {
            Some(name) => IssuerId::parse(name).map(Self::Issuer),
            None => AudienceId::parse(text).map(Self::Audience),
        }
    }
}

impl KeptClaim {
    /// Reads the name of a claim.
    ///
    /// # Errors
    /// See [`InvalidKeptClaim`].
    pub fn parse(name: &str) -> Result<Self, InvalidKeptClaim> {
        if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(InvalidKeptClaim::Name);
        }
        if RESERVED_CLAIMS.contains(&name) && !OF_SUBJECTS.contains(&name) {
            return Err(InvalidKeptClaim::Registered(name.to_owned()));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SubjectSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Audience(audience) => audience.fmt(f),
            Self::Issuer(issuer) => write!(f, "{ISSUER}{issuer}"),
        }
    }
}

impl Serialize for SubjectSource {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SubjectSource {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

text_shape!(KeptClaim);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_an_audience_or_a_trusted_issuer() {
        for text in ["orders-api", "https://api.example/", "issuer:github"] {
            let source = SubjectSource::parse(text).unwrap();
            assert_eq!(source.to_string(), text);
            let is_issuer = matches!(source, SubjectSource::Issuer(_));
            assert_eq!(is_issuer, text.starts_with("issuer:"));
        }
        for wrong in ["", "issuer:", "issuer:Github", "a b"] {
            assert!(SubjectSource::parse(wrong).is_err(), "{wrong}");
        }
    }

    /// EXC-06.
    #[test]
    fn what_a_token_says_of_its_own_is_never_kept() {
        for name in [
            "tenant",
            "env",
            "acr",
            "region",
            "https://example.org/x",
            "email",
        ] {
            assert!(KeptClaim::parse(name).is_ok(), "{name}");
        }
        for name in [
            "act",
            "sub",
            "client_id",
            "azp",
            "may_act",
            "cnf",
            "scope",
            "aud",
            "exp",
            "jti",
            "",
        ] {
            assert!(KeptClaim::parse(name).is_err(), "{name}");
        }
    }
}
