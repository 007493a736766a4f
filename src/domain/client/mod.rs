//! A client: one service in one environment, with the grants and authentication methods it registered.

mod registrable_method;

use std::num::NonZeroU32;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::identifier::ClientId;
use super::timestamp::{Seconds, Timestamp};
use super::{extra_claims, shape};

/// One registered client, without its credentials and policies.
///
/// As a document it is a `[[client]]` of the catalog, without its credentials and policies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// The public name.
    pub id: ClientId,
    /// A name for people.
    #[serde(default, deserialize_with = "shape::label")]
    pub name: Option<String>,
    /// Who answers for it.
    #[serde(default, deserialize_with = "shape::label")]
    pub owner: Option<String>,
    /// The environment it runs in; the claim `env`.
    #[serde(default, deserialize_with = "shape::label")]
    pub environment: Option<String>,
    /// The tenant it works for; the claim `tenant`.
    #[serde(default, deserialize_with = "shape::label")]
    pub tenant: Option<String>,
    /// Whether it may do anything at all.
    #[serde(default = "active", deserialize_with = "stated_status")]
    pub status: ClientStatus,
    /// Extra claims of its tokens; see [`super::extra_claims`].
    #[serde(default, deserialize_with = "extra_claims::deserialize")]
    pub claims: serde_json::Map<String, serde_json::Value>,
    /// The grants that it may use; empty for a client that only introspects.
    #[serde(default = "client_credentials", deserialize_with = "shape::set")]
    pub grants: Vec<GrantType>,
    /// The methods that it may authenticate with (RFC 7591 section 2, `token_endpoint_auth_method`).
    #[serde(
        rename = "auth",
        default = "client_secret_basic",
        deserialize_with = "registrable_method::one_or_many"
    )]
    pub auth_methods: Vec<AuthMethod>,
    /// What it may write into an assertion's `aud`.
    #[serde(default = "issuer")]
    pub assertion_audience: AssertionAudience,
    /// How long its assertions may live; 300 seconds where it is not set.
    #[serde(default, deserialize_with = "shape::optional_span::<_, 3600>")]
    pub max_assertion_lifetime: Option<Seconds>,
    /// `dpop_bound_access_tokens`, RFC 9449 section 5.2.
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    /// `tls_client_certificate_bound_access_tokens`, RFC 8705 section 3.4.
    #[serde(rename = "tls_client_certificate_bound_access_tokens", default)]
    pub certificate_bound_access_tokens: bool,
    /// The most tokens that one replica issues to it in a minute; no bound where it is not set.
    #[serde(default)]
    pub max_tokens_per_minute: Option<NonZeroU32>,
    /// Tokens issued up to and including this second are dead.
    #[serde(skip)]
    pub tokens_not_before: Timestamp,
    /// When it was registered.
    #[serde(skip)]
    pub created_at: Timestamp,
    /// When one of its credentials last changed.
    #[serde(skip)]
    pub rotated_at: Option<Timestamp>,
}

impl Client {
    /// Whether it may authenticate by `method`.
    #[must_use]
    pub fn may_use(&self, method: AuthMethod) -> bool {
        self.auth_methods.contains(&method.registered_as())
    }
}

#[cfg(test)]
impl Client {
    /// A client that states nothing but its id.
    pub(crate) fn bare(id: &str) -> Self {
        serde_json::from_value(serde_json::json!({ "id": id })).unwrap()
    }
}

const fn active() -> ClientStatus {
    ClientStatus::Active
}

fn client_credentials() -> Vec<GrantType> {
    vec![GrantType::ClientCredentials]
}

fn client_secret_basic() -> Vec<AuthMethod> {
    vec![AuthMethod::ClientSecretBasic]
}

const fn issuer() -> AssertionAudience {
    AssertionAudience::Issuer
}

/// Nobody states that a client is deleted.
fn stated_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ClientStatus, D::Error> {
    let text = String::deserialize(deserializer)?;
    ClientStatus::from_text(&text)
        .filter(|status| *status != ClientStatus::Deleted)
        .ok_or_else(|| Error::unknown_variant(&text, &["active", "disabled"]))
}

/// Makes an enum whose variants have one fixed text each, as it stands in documents and in the database; a document may
/// write an alias of it, where there is one.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal $(| $alias:literal)*),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every variant.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The texts of all variants.
            const NAMES: &'static [&'static str] = &[$($text),+];

            /// Other texts that mean a variant.
            const ALIASES: &'static [(&'static str, Self)] = &[$($(($alias, Self::$variant),)*)+];

            /// The text of this variant in documents and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The variant of exactly this text, or of another one that means it.
            #[must_use]
            pub fn from_text(text: &str) -> Option<Self> {
                let alias = |(alias, known): &(&str, Self)| (*alias == text).then_some(*known);
                let named = Self::ALL.iter().copied().find(|known| known.as_str() == text);
                named.or_else(|| Self::ALIASES.iter().find_map(alias))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let unknown = || serde::de::Error::unknown_variant(&text, Self::NAMES);
                Self::from_text(&text).ok_or_else(unknown)
            }
        }
    };
}
pub(crate) use named;

named! {
    /// Whether a client may authenticate.
    ClientStatus {
        /// It may.
        Active = "active",
        /// It may not, and its tokens are dead.
        Disabled = "disabled",
        /// It is gone; the row keeps `tokens_not_before` until its last token has expired.
        Deleted = "deleted",
    }
}

named! {
    /// A grant, by the name that documents, logs and metrics have for it.
    GrantType {
        /// The client acts for itself (RFC 6749 section 4.4).
        ClientCredentials = "client_credentials",
        /// The client acts for whom a token is that it got (RFC 8693).
        TokenExchange = "token-exchange" | "urn:ietf:params:oauth:grant-type:token-exchange",
        /// The client asks for whom a trusted issuer's token speaks of (RFC 7523 section 2.1).
        JwtBearer = "jwt-bearer" | "urn:ietf:params:oauth:grant-type:jwt-bearer",
    }
}

impl GrantType {
    /// The `grant_type` of a request.
    #[must_use]
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }
}

named! {
    /// How a client proves itself (the IANA registry of token endpoint authentication methods).
    AuthMethod {
        /// A secret in the `Authorization` header, RFC 6749 section 2.3.1.
        ClientSecretBasic = "client_secret_basic",
        /// A secret in the body, RFC 6749 section 2.3.1.
        ClientSecretPost = "client_secret_post",
        /// A signed assertion, RFC 7523 section 2.2.
        PrivateKeyJwt = "private_key_jwt",
        /// A certificate of a configured CA, RFC 8705 section 2.1.
        TlsClientAuth = "tls_client_auth",
        /// A registered certificate, RFC 8705 section 2.2.
        SelfSignedTlsClientAuth = "self_signed_tls_client_auth",
        /// A token of a trusted issuer as assertion, RFC 7523 section 2.2: no name of that registry, for no client
        /// registers it.
        Federated = "federated",
    }
}

impl AuthMethod {
    /// Those that a client may register.
    pub const REGISTRABLE: &'static [Self] = &[
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::PrivateKeyJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
    ];

    /// What a client registers to use it: a foreign token comes as an assertion does.
    #[must_use]
    pub const fn registered_as(self) -> Self {
        match self {
            Self::Federated => Self::PrivateKeyJwt,
            other => other,
        }
    }

    /// Whether it proves by a certificate on the connection (RFC 8705 section 2).
    #[must_use]
    pub const fn is_mutual_tls(self) -> bool {
        matches!(self, Self::TlsClientAuth | Self::SelfSignedTlsClientAuth)
    }
}

named! {
    /// What a client may write into the `aud` of an assertion.
    AssertionAudience {
        /// The issuer alone.
        Issuer = "issuer",
        /// The token endpoint's URL as well, for clients that know no better.
        IssuerOrTokenEndpoint = "issuer_or_token_endpoint",
    }
}
