//! What a credential proves with, and which methods of authentication that serves.

use std::borrow::Cow;
use std::convert::Infallible;

use super::SubjectName;
use crate::domain::client::{AuthMethod, named};
use crate::domain::identity::Identity;
use crate::domain::key_source::KeySource;

/// What a credential proves with. Of a secret it has `S`: the hash that is kept, or what is stated and not yet hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialMaterial<S = SecretHash> {
    /// A secret.
    Secret(S),
    /// A public key as JWK (RFC 7517), compact JSON.
    Jwk(String),
    /// The `x5t#S256` of a certificate (RFC 8705 section 3.1).
    Certificate(String),
    /// A subject name (RFC 8705 section 2.1.2).
    Subject(SubjectName),
    /// The keys of a JWK set that the client publishes.
    KeySource(KeySource),
    /// A workload of a trusted issuer.
    Identity(Box<Identity>),
}

/// The hash of a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretHash {
    /// Where the secret came from; decides cost and salt.
    pub form: SecretForm,
    /// The argon2id hash in PHC string format.
    pub phc: String,
}

impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretHash")
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}

named! {
    /// Where a secret came from.
    SecretForm {
        /// Made by grantd: 256 random bits, so a cheap hash protects it.
        Generated = "generated",
        /// Brought in clear: hashed at full cost under the client's one salt.
        Imported = "imported",
        /// Brought as PHC string: judged at its own cost, alone, until success hashes it anew.
        Phc = "phc",
    }
}

named! {
    /// The kind of a credential in the database and in listings.
    CredentialKind {
        /// A secret.
        Secret = "secret",
        /// A public key.
        Jwk = "jwk",
        /// A certificate.
        Certificate = "certificate",
        /// A subject name.
        Subject = "subject",
        /// The URL of a JWK set.
        KeySource = "jwks_url",
        /// A workload of a trusted issuer.
        Identity = "identity",
    }
}

/// Material of a credential without a secret: anybody may see it.
pub type PublicMaterial = CredentialMaterial<Infallible>;

impl<S> CredentialMaterial<S> {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::Secret(_) => CredentialKind::Secret,
            Self::Jwk(_) => CredentialKind::Jwk,
            Self::Certificate(_) => CredentialKind::Certificate,
            Self::Subject(_) => CredentialKind::Subject,
            Self::KeySource(_) => CredentialKind::KeySource,
            Self::Identity(_) => CredentialKind::Identity,
        }
    }

    /// The key of the catalog under which it stands.
    #[must_use]
    pub const fn catalog_key(&self) -> &'static str {
        match self {
            Self::Secret(_) => "secrets",
            Self::Jwk(_) => "jwks",
            Self::Certificate(_) => "thumbprints",
            Self::Subject(name) => name.kind.as_str(),
            Self::KeySource(_) => CredentialKind::KeySource.as_str(),
            Self::Identity(_) => CredentialKind::Identity.as_str(),
        }
    }

    /// What anybody may see of it: all but a secret.
    #[must_use]
    pub fn public_value(&self) -> Option<Cow<'_, str>> {
        let value = match self {
            Self::Secret(_) => return None,
            Self::Jwk(value) | Self::Certificate(value) => value,
            Self::Subject(name) => &name.value,
            Self::KeySource(source) => source.url(),
            Self::Identity(identity) => return Some(identity.document().into()),
        };
        Some(value.into())
    }

    /// The workload, where it is one.
    #[must_use]
    pub const fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Identity(identity) => Some(identity),
            _ => None,
        }
    }

    /// The CAs, as PEM, that alone vouch for the server of its keys.
    #[must_use]
    pub fn ca(&self) -> Option<&str> {
        match self {
            Self::KeySource(source) => source.ca(),
            _ => None,
        }
    }

    /// The same with another state of its secret.
    #[must_use]
    pub fn map_secret<T>(self, secret: impl FnOnce(S) -> T) -> CredentialMaterial<T> {
        match self {
            Self::Secret(of) => CredentialMaterial::Secret(secret(of)),
            Self::Jwk(jwk) => CredentialMaterial::Jwk(jwk),
            Self::Certificate(thumbprint) => CredentialMaterial::Certificate(thumbprint),
            Self::Subject(name) => CredentialMaterial::Subject(name),
            Self::KeySource(source) => CredentialMaterial::KeySource(source),
            Self::Identity(identity) => CredentialMaterial::Identity(identity),
        }
    }
}

impl CredentialKind {
    /// Whether a credential of this kind serves `method`.
    #[must_use]
    pub fn serves(self, method: AuthMethod) -> bool {
        match method {
            AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => self == Self::Secret,
            AuthMethod::PrivateKeyJwt => matches!(self, Self::Jwk | Self::KeySource),
            AuthMethod::TlsClientAuth => self == Self::Subject,
            AuthMethod::SelfSignedTlsClientAuth => self == Self::Certificate,
            AuthMethod::Federated => self == Self::Identity,
        }
    }

    /// A method that a client registers to use a credential of this kind, for advice.
    #[must_use]
    pub const fn example(self) -> AuthMethod {
        match self {
            Self::Secret => AuthMethod::ClientSecretBasic,
            Self::Jwk | Self::KeySource | Self::Identity => AuthMethod::PrivateKeyJwt,
            Self::Certificate => AuthMethod::SelfSignedTlsClientAuth,
            Self::Subject => AuthMethod::TlsClientAuth,
        }
    }
}
