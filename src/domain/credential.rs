//! A credential: one way for a client to prove itself.

use std::net::IpAddr;

use super::client::{AuthMethod, named};
use super::distinguished_name::DistinguishedName;
use super::identifier::CredentialId;
use super::timestamp::{Seconds, Timestamp};

/// After this no token of now is alive: none lives longer than a day, and clocks may differ.
const LAST_TOKEN_EXPIRED: Seconds = Seconds::new(25 * 3600);

/// One credential of a client. What it proves never changes; a new secret is a new credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The public name.
    pub id: CredentialId,
    /// A name for people.
    pub label: Option<String>,
    /// What it proves with.
    pub material: CredentialMaterial,
    /// Not accepted before.
    pub active_from: Option<Timestamp>,
    /// Not accepted from here on.
    pub expires_at: Option<Timestamp>,
    /// Not accepted from here on, and its use raises an alert.
    pub retired_at: Option<Timestamp>,
    /// Tokens issued for it up to and including this second are dead: it was compromised.
    pub tokens_not_before: Timestamp,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last used; written in batches, so up to a minute late.
    pub last_used_at: Option<Timestamp>,
}

/// What a credential proves with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialMaterial {
    /// The hash of a secret.
    Secret(SecretHash),
    /// A public key as JWK (RFC 7517), compact JSON.
    Jwk(String),
    /// The `x5t#S256` of a certificate (RFC 8705 section 3.1).
    Certificate(String),
    /// A subject name (RFC 8705 section 2.1.2).
    Subject(SubjectName),
}

/// What a credential without a secret proves with: anybody may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicMaterial {
    /// A public key as JWK (RFC 7517), compact JSON.
    Jwk(String),
    /// The `x5t#S256` of a certificate (RFC 8705 section 3.1).
    Certificate(String),
    /// A subject name (RFC 8705 section 2.1.2).
    Subject(SubjectName),
}

impl From<PublicMaterial> for CredentialMaterial {
    fn from(material: PublicMaterial) -> Self {
        match material {
            PublicMaterial::Jwk(jwk) => Self::Jwk(jwk),
            PublicMaterial::Certificate(thumbprint) => Self::Certificate(thumbprint),
            PublicMaterial::Subject(name) => Self::Subject(name),
        }
    }
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

/// One registered subject attribute of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectName {
    /// Which attribute.
    pub kind: SubjectKind,
    /// Its value as registered.
    pub value: String,
}

impl SubjectName {
    /// Whether both mean the same certificates, however they are written.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let (one, two) = (self.value.as_str(), other.value.as_str());
        self.kind == other.kind
            && match self.kind {
                SubjectKind::Dn => DistinguishedName::parse(one)
                    .is_ok_and(|one| DistinguishedName::parse(two) == Ok(one)),
                SubjectKind::Dns => one.eq_ignore_ascii_case(two),
                SubjectKind::Uri => one == two,
                SubjectKind::Ip => one
                    .parse::<IpAddr>()
                    .is_ok_and(|one| two.parse() == Ok(one)),
                SubjectKind::Email => is_same_mailbox(one, two),
            }
    }
}

impl SubjectName {
    /// What an operator should know of a name that is registered.
    #[must_use]
    pub fn warning(&self) -> Option<&'static str> {
        let name = DistinguishedName::parse(&self.value).ok()?;
        (self.kind == SubjectKind::Dn && name.seems_reversed()).then_some(
            "this subject_dn begins with C=, the most general part: RFC 4514 begins with the most particular one, as \
             `openssl x509 -noout -subject -nameopt RFC2253` prints it; without that option the order is the other one",
        )
    }
}

/// The domain of a mailbox has no case, what stands before it does (RFC 5280 section 7.5).
#[must_use]
pub fn is_same_mailbox(one: &str, other: &str) -> bool {
    match (one.rsplit_once('@'), other.rsplit_once('@')) {
        (Some((local, domain)), Some((other_local, other_domain))) => {
            local == other_local && domain.eq_ignore_ascii_case(other_domain)
        }
        _ => false,
    }
}

named! {
    /// The subject attributes of RFC 8705 section 2.1.2.
    SubjectKind {
        /// The distinguished name.
        Dn = "subject_dn",
        /// A DNS name among the alternative names.
        Dns = "san_dns",
        /// A URI among the alternative names.
        Uri = "san_uri",
        /// An IP address among the alternative names.
        Ip = "san_ip",
        /// An e-mail address among the alternative names.
        Email = "san_email",
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
    }
}

/// Where a credential stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialState {
    /// It is accepted.
    Live,
    /// Its `active_from` is ahead.
    NotYetActive,
    /// Its `expires_at` is past.
    Expired,
    /// It was retired: whoever still uses it should be found.
    Retired,
}

impl CredentialState {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::NotYetActive => "not active yet",
            Self::Expired => "expired",
            Self::Retired => "retired",
        }
    }
}

impl Credential {
    /// Where it stands at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> CredentialState {
        if self.retired_at.is_some_and(|at| at <= now) {
            CredentialState::Retired
        } else if self.expires_at.is_some_and(|at| at <= now) {
            CredentialState::Expired
        } else if self.active_from.is_some_and(|at| at > now) {
            CredentialState::NotYetActive
        } else {
            CredentialState::Live
        }
    }

    /// Whether tokens may still live at `now` that its `tokens_not_before` keeps dead.
    #[must_use]
    pub fn kills_tokens(&self, now: Timestamp) -> bool {
        self.tokens_not_before.plus(LAST_TOKEN_EXPIRED) > now
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> CredentialKind {
        self.material.kind()
    }

    /// Whether it counts as the one subject that may be in force (RFC 8705 section 2.1.2). One that expired does, until
    /// it is retired, so that a catalog says the same of it at any time.
    #[must_use]
    pub fn is_subject_in_force(&self) -> bool {
        self.kind() == CredentialKind::Subject && self.retired_at.is_none()
    }

    /// The hash, where it is a secret.
    #[must_use]
    pub fn secret(&self) -> Option<&SecretHash> {
        match &self.material {
            CredentialMaterial::Secret(hash) => Some(hash),
            _ => None,
        }
    }
}

impl CredentialMaterial {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::Secret(_) => CredentialKind::Secret,
            Self::Jwk(_) => CredentialKind::Jwk,
            Self::Certificate(_) => CredentialKind::Certificate,
            Self::Subject(_) => CredentialKind::Subject,
        }
    }
}

impl CredentialKind {
    /// Whether a credential of this kind serves `method`.
    #[must_use]
    pub fn serves(self, method: AuthMethod) -> bool {
        match method {
            AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => self == Self::Secret,
            AuthMethod::PrivateKeyJwt => self == Self::Jwk,
            AuthMethod::TlsClientAuth => self == Self::Subject,
            AuthMethod::SelfSignedTlsClientAuth => self == Self::Certificate,
        }
    }

    /// A method that a credential of this kind serves, for advice.
    #[must_use]
    pub const fn example(self) -> AuthMethod {
        match self {
            Self::Secret => AuthMethod::ClientSecretBasic,
            Self::Jwk => AuthMethod::PrivateKeyJwt,
            Self::Certificate => AuthMethod::SelfSignedTlsClientAuth,
            Self::Subject => AuthMethod::TlsClientAuth,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_lives_from_active_from_until_it_expires_or_retires() {
        let at = Timestamp::from_unix;
        let mut credential = Credential {
            id: CredentialId::parse("k3v9x0q2ma").unwrap(),
            label: None,
            material: CredentialMaterial::Jwk(String::new()),
            active_from: Some(at(10)),
            expires_at: Some(at(20)),
            retired_at: None,
            tokens_not_before: Timestamp::EPOCH,
            created_at: at(0),
            last_used_at: None,
        };
        assert_eq!(credential.state(at(9)), CredentialState::NotYetActive);
        assert_eq!(credential.state(at(10)), CredentialState::Live);
        assert_eq!(credential.state(at(19)), CredentialState::Live);
        assert_eq!(credential.state(at(20)), CredentialState::Expired);
        credential.retired_at = Some(at(15));
        assert_eq!(credential.state(at(14)), CredentialState::Live);
        assert_eq!(credential.state(at(15)), CredentialState::Retired);
        assert_eq!(credential.state(at(25)), CredentialState::Retired);
    }
}
