//! An audience: one API whose tokens grantd issues (RFC 9068, RFC 8707).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::algorithm::SigningAlgorithm;
use super::client::named;
use super::identifier::{AudienceId, ClientId};
use super::scope::Scope;
use super::timestamp::Seconds;
use super::{audience_scopes, shape};

/// The longest that a token may live, in seconds: a day.
pub const LONGEST_LIFETIME: u32 = 86_400;
/// The token lifetime where nobody states one.
const LIFETIME: Seconds = Seconds::new(300);
/// The most where nobody states one.
const MAX_LIFETIME: Seconds = Seconds::new(900);
/// What no document can state.
const UNSTATED: Seconds = Seconds::new(0);

/// One API (resource server); as a document an `[[audience]]` of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Audience {
    /// The `aud` value.
    pub id: AudienceId,
    /// Its scopes, each with a description for people (may be empty).
    #[serde(default, with = "audience_scopes")]
    pub scopes: BTreeMap<Scope, String>,
    /// How long a token lives where the policy says nothing.
    #[serde(
        default = "unstated",
        deserialize_with = "shape::span::<_, LONGEST_LIFETIME>"
    )]
    pub token_lifetime: Seconds,
    /// The most that a policy may give.
    #[serde(
        default = "unstated",
        deserialize_with = "shape::span::<_, LONGEST_LIFETIME>"
    )]
    pub max_token_lifetime: Seconds,
    /// What its tokens are.
    #[serde(default = "jwt")]
    pub format: TokenFormat,
    /// What signs its tokens, where they are JWTs.
    #[serde(default = "es256")]
    pub algorithm: SigningAlgorithm,
    /// The `typ` of its tokens, where they are JWTs.
    #[serde(default = "access_token")]
    pub jwt_typ: JwtTyp,
    /// What its tokens must be bound to.
    #[serde(default = "unbound")]
    pub sender_constraint: SenderConstraint,
    /// The clients that serve it: they alone may introspect its tokens.
    #[serde(default)]
    pub served_by: Vec<ClientId>,
}

impl Serialize for Audience {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut audience = Self::deserialize(deserializer)?;
        audience.settle_lifetimes();
        Ok(audience)
    }
}

/// A token lifetime above the most that its audience gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given} is more than the audience's max_token_lifetime of {most}")]
pub struct LifetimeAbove {
    given: Seconds,
    most: Seconds,
}

impl Audience {
    /// What is wrong with it, where its shape is right.
    #[must_use]
    pub fn fault(&self) -> Option<LifetimeAbove> {
        self.lifetime_fault(self.token_lifetime)
    }

    /// What is wrong with `given` as the lifetime of its tokens.
    #[must_use]
    pub fn lifetime_fault(&self, given: Seconds) -> Option<LifetimeAbove> {
        let most = self.max_token_lifetime;
        (given > most).then_some(LifetimeAbove { given, most })
    }

    /// How long a token lives for which a policy says `stated`.
    #[must_use]
    pub fn lifetime(&self, stated: Option<Seconds>) -> Seconds {
        stated
            .unwrap_or(self.token_lifetime)
            .min(self.max_token_lifetime)
    }

    /// Sets the lifetimes that were not stated; where one alone was, the other gives way.
    fn settle_lifetimes(&mut self) {
        let most = (self.max_token_lifetime != UNSTATED).then_some(self.max_token_lifetime);
        if self.token_lifetime == UNSTATED {
            self.token_lifetime = most.map_or(LIFETIME, |most| LIFETIME.min(most));
        }
        self.max_token_lifetime = most.unwrap_or(self.token_lifetime.max(MAX_LIFETIME));
    }
}

const fn unstated() -> Seconds {
    UNSTATED
}

const fn jwt() -> TokenFormat {
    TokenFormat::Jwt
}

const fn es256() -> SigningAlgorithm {
    SigningAlgorithm::Es256
}

const fn access_token() -> JwtTyp {
    JwtTyp::AccessToken
}

const fn unbound() -> SenderConstraint {
    SenderConstraint::None
}

named! {
    /// What access tokens are.
    TokenFormat {
        /// Claims in clear, with a signature (RFC 9068).
        Jwt = "jwt",
        /// Claims that the server sealed, for itself alone: whoever gets one learns at introspection what it says.
        Opaque = "opaque",
    }
}

named! {
    /// The `typ` header of access tokens.
    JwtTyp {
        /// RFC 9068 section 2.1.
        AccessToken = "at+jwt",
        /// For verifiers that refuse `at+jwt`.
        Jwt = "JWT",
    }
}

impl JwtTyp {
    /// What the `typ` of a header says, written in full or not (RFC 7515 section 4.1.9).
    #[must_use]
    pub fn of_header(typ: &str) -> Option<Self> {
        Self::from_text(typ.strip_prefix("application/").unwrap_or(typ))
    }
}

named! {
    /// What an audience demands its tokens to be bound to.
    SenderConstraint {
        /// Nothing.
        None = "none",
        /// A client certificate, RFC 8705 section 3.
        Mtls = "mtls",
        /// A DPoP key, RFC 9449.
        Dpop = "dpop",
        /// Either of them.
        Any = "any",
    }
}
