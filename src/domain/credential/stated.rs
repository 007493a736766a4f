//! A credential as a catalog or a command states it.

use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Serialize};

use super::{Credential, CredentialMaterial, PublicMaterial};
use crate::domain::identifier::CredentialId;
use crate::domain::secret_format::Secret;
use crate::domain::shape;
use crate::domain::timestamp::Timestamp;

/// A credential that is stated: which one of the database it is, if any, is still to be found.
#[derive(Clone, Debug)]
pub struct StatedCredential {
    /// Known for a generated secret alone: stated beside its hash, or read from the secret itself.
    pub id: Option<CredentialId>,
    /// A name for people.
    pub label: Option<String>,
    /// What it proves with.
    pub material: CredentialMaterial<StatedSecret>,
    /// Not accepted before.
    pub active_from: Option<Timestamp>,
    /// Not accepted from here on.
    pub expires_at: Option<Timestamp>,
    /// Not accepted from here on, and its use raises an alert.
    pub retired_at: Option<Timestamp>,
}

/// A secret before it is hashed, or an imported hash.
#[derive(Clone)]
pub enum StatedSecret {
    /// In clear.
    Clear(Secret),
    /// An argon2id PHC string that was read once.
    Phc(String),
    /// Not here: a catalog is checked where its secrets are not.
    Absent,
}

impl fmt::Debug for StatedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clear(_) => "Clear(hidden)",
            Self::Phc(_) => "Phc(hidden)",
            Self::Absent => "Absent",
        })
    }
}

impl StatedCredential {
    /// The credential that it becomes where it is none of the database yet.
    #[must_use]
    pub fn registered(
        &self,
        (id, material): (CredentialId, CredentialMaterial),
        now: Timestamp,
    ) -> Credential {
        Credential {
            id,
            label: self.label.clone(),
            material,
            active_from: self.active_from,
            expires_at: self.expires_at,
            retired_at: self.retired_at,
            tokens_not_before: Timestamp::EPOCH,
            created_at: now,
            last_used_at: None,
            last_used_from: None,
        }
    }
}

impl From<CredentialMaterial<StatedSecret>> for StatedCredential {
    /// Without a label, for all time.
    fn from(material: CredentialMaterial<StatedSecret>) -> Self {
        Self {
            id: None,
            label: None,
            material,
            active_from: None,
            expires_at: None,
            retired_at: None,
        }
    }
}

impl From<PublicMaterial> for StatedCredential {
    /// Without a label, for all time.
    fn from(material: PublicMaterial) -> Self {
        Self::from(material.map_secret(|never| -> StatedSecret { match never {} }))
    }
}

/// A credential as a document: a member of `secrets`, `jwks`, `thumbprints` and the like. In a catalog a text alone is
/// one, too: the value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct CredentialShape {
    /// Of the hash of a generated secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<CredentialId>,
    /// The material: what the key is that it stands under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Beside a `jwks_url` the CAs, as PEM, that alone vouch for its server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// A name for people.
    #[serde(
        default,
        deserialize_with = "shape::label",
        skip_serializing_if = "Option::is_none"
    )]
    pub label: Option<String>,
    /// Not accepted before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_from: Option<Timestamp>,
    /// Not accepted from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Not accepted from here on, and its use raises an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
}

/// What a document says of a credential beside what it proves with.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Lifespan {
    /// A name for people.
    #[serde(
        deserialize_with = "shape::label",
        skip_serializing_if = "Option::is_none"
    )]
    pub label: Option<String>,
    /// Not accepted before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_from: Option<Timestamp>,
    /// Not accepted from here on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Not accepted from here on, and its use raises an alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
}

impl Serialize for CredentialShape {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for CredentialShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct("CredentialShape", TextOrTable)
    }
}

struct TextOrTable;

impl<'de> Visitor<'de> for TextOrTable {
    type Value = CredentialShape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a table")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CredentialShape, E> {
        Ok(CredentialShape {
            value: Some(text.to_owned()),
            ..CredentialShape::default()
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<CredentialShape, A::Error> {
        CredentialShape::deserialize(MapAccessDeserializer::new(table))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<CredentialShape, D::Error> {
        CredentialShape::deserialize(deserializer)
    }
}
