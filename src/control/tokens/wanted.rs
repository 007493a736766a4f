//! What a test wants of a token.

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::control::battery::scope;
use crate::control::fault::Fault;
use crate::control::mint::holder::{Holder, Terms};
use crate::control::mint::moment::Moment;
use crate::control::mint::other_issuers::OtherIssuer;
use crate::control::mint::signing::Key;
use crate::control::state::Control;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::battery::Case;
use crate::domain::deviation::{Algorithm, Deviation, KeyChoice};
use crate::domain::timestamp::{Seconds, Timestamp};

/// What is wanted; what is absent is as a client would get it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenWanted {
    /// Absent: the first client with a policy.
    pub(super) client_id: Option<String>,
    /// Absent: that of the client's first policy.
    pub(super) audience: Option<String>,
    /// Separated by spaces; absent: the client's default scopes.
    pub(super) scope: Option<String>,
    /// `-10m`, `+1h`, RFC 3339 or Unix seconds; absent: now.
    #[schema(value_type = Option<Value>, example = "-10m")]
    pub(super) issued_at: Option<Moment>,
    /// Absent: as the policy or the audience has it.
    #[schema(value_type = Option<String>, example = "5m")]
    pub(super) lifetime: Option<Seconds>,
    /// Laid over the claims; null takes one away.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(super) claims: Map<String, Value>,
    /// Laid over the header; null takes a member away.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(super) header: Map<String, Value>,
    /// `active`, `next`, `retired`, `unknown`, or a private JWK.
    #[schema(value_type = Option<Value>)]
    pub(super) key: Option<KeyWanted>,
    /// `ES256`, `EdDSA`, `RS256`, `PS256`, `none`, or `HS256` with the public key as the secret; absent: the audience's.
    #[schema(value_type = Option<String>)]
    pub(super) alg: Option<AlgorithmWanted>,
    /// The name of another issuer: its key signs, and `iss` is its URL.
    pub(super) issuer: Option<String>,
    /// As `cnf`.
    #[schema(value_type = Option<Object>)]
    pub(super) confirmation: Option<Map<String, Value>>,
    /// The name of an entry of the battery, in place of all that follows `scope` here.
    #[schema(value_type = Option<String>)]
    pub(super) flaw: Option<Case>,
    /// With a `flaw` of a proof: the method of the request; absent: GET.
    pub(super) method: Option<String>,
    /// With a `flaw` of a proof: the URL of the request.
    pub(super) url: Option<String>,
}

/// A key by its name, or itself.
pub(super) struct KeyWanted(KeyChoice);

/// An algorithm by its name.
pub(super) struct AlgorithmWanted(Algorithm);

impl TokenWanted {
    pub(super) async fn holder(&self, control: &Control) -> Result<Holder, Fault> {
        Holder::chosen(control, self.client_id.as_deref(), self.audience.as_deref()).await
    }

    pub(super) fn terms(&self, now: Timestamp) -> Result<Terms, Fault> {
        Ok(Terms {
            scope: scope(self.scope.as_deref())?,
            issued_at: self.issued_at.map_or(now, |it| it.seen_from(now)),
            lifetime: self.lifetime,
            confirmation: self.confirmation.clone(),
        })
    }

    /// The algorithm of the key, where one is named.
    pub(super) fn algorithm(&self) -> Option<SigningAlgorithm> {
        match self.alg {
            Some(AlgorithmWanted(Algorithm::Signing(algorithm))) => Some(algorithm),
            _ => None,
        }
    }

    /// The key of another issuer, which has one that signs and no more; or one that is not its own.
    pub(super) async fn key_of(
        &self,
        control: &Control,
        issuer: &OtherIssuer,
    ) -> Result<Key, Fault> {
        let algorithm = self.algorithm().unwrap_or_else(|| issuer.algorithm());
        match self.key.as_ref().map(|KeyWanted(choice)| choice) {
            None | Some(KeyChoice::Active) => Ok(Key::Held(issuer.keys.key(algorithm).await?)),
            Some(KeyChoice::Given(jwk)) => Key::given(jwk, self.algorithm()),
            Some(KeyChoice::Unknown) => Key::chosen(control, &KeyChoice::Unknown, algorithm).await,
            Some(KeyChoice::Next | KeyChoice::Retired) => {
                let one = "another issuer has no next key and no retired one: write active, unknown or a JWK";
                Err(Fault::invalid(one).at("key"))
            }
        }
    }

    pub(super) fn deviation(&self) -> Deviation {
        Deviation {
            claims: self.claims.clone(),
            header: self.header.clone(),
            key: self
                .key
                .as_ref()
                .map_or(KeyChoice::Active, |it| it.0.clone()),
            algorithm: self.alg.as_ref().map(|it| it.0),
            ..Deviation::default()
        }
    }

    /// What is given and only JWTs have.
    pub(super) fn of_jwts(&self) -> Option<&'static str> {
        [
            ("header", !self.header.is_empty()),
            ("key", self.key.is_some()),
            ("alg", self.alg.is_some()),
        ]
        .into_iter()
        .find_map(|(name, is_there)| is_there.then_some(name))
    }

    /// What is given beside a flaw, and may not be.
    pub(super) fn beside_flaw(&self) -> Option<&'static str> {
        [
            ("issued_at", self.issued_at.is_some()),
            ("lifetime", self.lifetime.is_some()),
            ("claims", !self.claims.is_empty()),
            ("header", !self.header.is_empty()),
            ("key", self.key.is_some()),
            ("alg", self.alg.is_some()),
            ("issuer", self.issuer.is_some()),
            ("confirmation", self.confirmation.is_some()),
        ]
        .into_iter()
        .find_map(|(name, is_there)| is_there.then_some(name))
    }
}

impl<'de> Deserialize<'de> for KeyWanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const NAMES: &[&str] = &["active", "next", "retired", "unknown"];
        struct NameOrJwk;

        impl<'de> Visitor<'de> for NameOrJwk {
            type Value = KeyWanted;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("active, next, retired, unknown, or a private JWK")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<KeyWanted, E> {
                Ok(KeyWanted(match name {
                    "active" => KeyChoice::Active,
                    "next" => KeyChoice::Next,
                    "retired" => KeyChoice::Retired,
                    "unknown" => KeyChoice::Unknown,
                    other => return Err(E::unknown_variant(other, NAMES)),
                }))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<KeyWanted, A::Error> {
                let mut jwk = Map::new();
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
                    jwk.insert(name, value);
                }
                let jwk = Value::Object(jwk).to_string();
                Ok(KeyWanted(KeyChoice::Given(jwk)))
            }
        }

        deserializer.deserialize_any(NameOrJwk)
    }
}

impl<'de> Deserialize<'de> for AlgorithmWanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const NAMES: &[&str] = &["ES256", "EdDSA", "RS256", "PS256", "none", "HS256"];
        let name = String::deserialize(deserializer)?;
        Ok(Self(match name.as_str() {
            "none" => Algorithm::None,
            "HS256" => Algorithm::Hs256,
            name => match name.parse() {
                Ok(algorithm) => Algorithm::Signing(algorithm),
                Err(_) => return Err(D::Error::unknown_variant(name, NAMES)),
            },
        }))
    }
}
