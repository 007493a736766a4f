//! A trusted issuer: somebody else whose signed statements about workloads count here (`[[issuer]]` of a catalog).
//!
//! What a catalog does not state follows from the preset, so each key that has a preset's default is kept as it is stated
//! and asked for by a method.

mod fault;
mod keys;
pub mod names;
mod preset;

use serde::{Deserialize, Serialize};

use super::accepted_algorithm::AcceptedAlgorithm;
use super::client::named;
use super::identifier::IssuerId;
use super::issuer_url::IssuerUrl;
use super::shape;
use super::timestamp::{Seconds, Timestamp};

pub use fault::{IssuerAdvice, IssuerFault};
pub use keys::IssuerKeys;
pub use names::{IssuerNames, NameClash};
pub use preset::Preset;

/// The most that an issuer's tokens may live, in seconds: 25 hours.
pub const LONGEST_LIFETIME: u32 = 25 * 3600;

/// One issuer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrustedIssuer {
    /// What clients, logs and metrics call it.
    pub id: IssuerId,
    /// What its tokens may be.
    #[serde(
        rename = "use",
        default = "client",
        deserialize_with = "shape::one_or_many"
    )]
    pub uses: Vec<IssuerUse>,
    /// Its `iss`, byte for byte; of SPIFFE the trust domain.
    pub url: IssuerUrl,
    /// What holds where nothing is stated.
    #[serde(default = "no_preset")]
    pub preset: Preset,
    /// Where its keys are.
    #[serde(default)]
    pub keys: Option<IssuerKeys>,
    /// The CAs, as PEM, that alone vouch for the server of its keys.
    #[serde(default)]
    pub ca: Option<String>,
    /// The file of a token that is sent where its keys are fetched; read anew each time.
    #[serde(default)]
    pub bearer_token_file: Option<String>,
    /// What `aud` must be; our issuer where it is not set.
    #[serde(default)]
    pub audience: Option<String>,
    /// What was issued up to and including this second for a subject of its is dead: somebody else was called so then.
    #[serde(skip, default = "never")]
    pub tokens_not_before: Timestamp,
    /// What may sign its tokens.
    #[serde(default)]
    pub algorithms: Option<Vec<AcceptedAlgorithm>>,
    /// The most between `iat` and `exp`.
    #[serde(
        default,
        deserialize_with = "shape::optional_span::<_, LONGEST_LIFETIME>"
    )]
    pub max_lifetime: Option<Seconds>,
    /// Whether a token of it proves its client once.
    #[serde(default)]
    pub jti: Option<JtiUse>,
}

named! {
    /// What an issuer's token may be.
    IssuerUse {
        /// A client's assertion (RFC 7523 section 2.2).
        Client = "client",
        /// The subject token of an exchange (RFC 8693).
        Exchange = "exchange",
        /// An authorization grant (RFC 7523 section 2.1).
        Grant = "grant",
    }
}

named! {
    /// Whether a token counts once.
    JtiUse {
        /// It must have a `jti`, which is spent.
        SingleUse = "single_use",
        /// A `jti` is spent where there is one.
        IfPresent = "if_present",
        /// The same token counts many times.
        Ignore = "ignore",
    }
}

impl TrustedIssuer {
    /// Where its keys are; none where its preset knows no place and none is stated.
    #[must_use]
    pub fn key_place(&self) -> Option<IssuerKeys> {
        let stated = self.keys.clone();
        stated.or_else(|| self.preset.keys(self.url.as_str()))
    }

    /// Whether `other`, of the same id, has its keys at the same place, and asks for them in the same way.
    #[must_use]
    pub fn has_keys_of(&self, other: &Self) -> bool {
        (self.preset, &self.url, &self.keys) == (other.preset, &other.url, &other.keys)
            && (&self.ca, &self.bearer_token_file) == (&other.ca, &other.bearer_token_file)
    }

    /// What may sign its tokens.
    #[must_use]
    pub fn accepted_algorithms(&self) -> &[AcceptedAlgorithm] {
        let stated = self.algorithms.as_deref();
        stated.unwrap_or_else(|| self.preset.algorithms())
    }

    /// The most between `iat` and `exp` of a token.
    #[must_use]
    pub fn longest_lifetime(&self) -> Seconds {
        self.max_lifetime
            .unwrap_or_else(|| self.preset.max_lifetime())
    }

    /// Whether its tokens count once.
    #[must_use]
    pub fn jti_use(&self) -> JtiUse {
        self.jti.unwrap_or_else(|| self.preset.jti())
    }

    /// Whether its tokens may be that.
    #[must_use]
    pub fn may_be(&self, what: IssuerUse) -> bool {
        self.uses.contains(&what)
    }

    /// Its trust domain, where it is one of SPIFFE.
    #[must_use]
    pub fn trust_domain(&self) -> Option<&str> {
        self.url.trust_domain()
    }
}

const fn never() -> Timestamp {
    Timestamp::EPOCH
}

const fn no_preset() -> Preset {
    Preset::None
}

fn client() -> Vec<IssuerUse> {
    vec![IssuerUse::Client]
}
