//! The one rule book for the credentials of a client, whoever states them: a catalog, or a command.

use std::fmt;

use super::{
    Credential, CredentialKind, CredentialMaterial, CredentialState, StatedCredential,
    StatedSecret, SubjectName,
};
use crate::domain::accepted_algorithm::AcceptedAlgorithm;
use crate::domain::client::{AuthMethod, Client};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::identity::Identity;
use crate::domain::key_source::KeySource;
use crate::domain::profile::{Contradiction, Profile};
use crate::domain::timestamp::Timestamp;

/// What the rules look at of a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// Its `kid`, or else its thumbprint.
    pub name: String,
    /// The thumbprint of RFC 7638: equal for equal keys, whatever else their JWKs say.
    pub thumbprint: String,
    /// What it is registered for.
    pub algorithms: Vec<AcceptedAlgorithm>,
}

/// Why a client may not have a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialFault {
    /// The client could not use it.
    #[error(
        "{client} has no method that uses {one}: add {example} to its auth in the catalog",
        one = .kind.one(),
        example = .kind.example()
    )]
    NoMethod {
        /// The client.
        client: ClientId,
        /// What kind of credential it is.
        kind: CredentialKind,
    },
    /// A life that ends before it begins.
    #[error(
        "{} would expire before it becomes active: give a later expires_at, or an earlier active_from",
        .0.one()
    )]
    EmptyLife(CredentialKind),
    /// The profile of the server forbids it.
    #[error(transparent)]
    Profile(#[from] Contradiction),
    /// A `kid` that another key has or had (RFC 7517 section 4.5).
    #[error("another key of {client} has the kid {kid:?}{other}: give each a kid of its own{}", .other.or_prune())]
    KidTaken {
        /// The client.
        client: ClientId,
        /// The name.
        kid: String,
        /// The key that has it.
        other: Other,
    },
    /// A credential that is there already.
    #[error("{client} has this {kind} already{other}: {}", .other.instead())]
    Known {
        /// The client.
        client: ClientId,
        /// What kind of credential it is.
        kind: CredentialKind,
        /// The one that is there.
        other: Other,
    },
    /// A credential that was retired: one that leaked must not come back by mistake.
    #[error(
        "{client} had this {kind} as credential {id}, which was retired and stays so: register another one; \
         only `grantd apply --prune` of a catalog without it forgets it"
    )]
    Retired {
        /// The client.
        client: ClientId,
        /// What kind of credential it is.
        kind: CredentialKind,
        /// The retired one.
        id: CredentialId,
    },
    /// A credential whose secret is not the one that is stated under its id.
    #[error(
        "the credential {0} of {1} has another secret: leave the id out, or state the secret that it has"
    )]
    OtherSecret(CredentialId, ClientId),
    /// A credential whose id another client's has.
    #[error("the credential {id} is one of {owner}: a secret made by grantd is one client's")]
    OtherOwner {
        /// The id.
        id: CredentialId,
        /// Whose it is.
        owner: ClientId,
    },
    /// A second place of keys, or keys beside it: whose keys count must be plain.
    #[error(
        "{client} has {}{other}, and beside a jwks_url no other key counts: {}",
        .kind.beside_keys(),
        .other.away()
    )]
    BesideKeySource {
        /// The client.
        client: ClientId,
        /// What kind of credential the other one is.
        kind: CredentialKind,
        /// The other one.
        other: Other,
    },
    /// A second subject (RFC 8705 section 2.1.2).
    #[error(
        "{client} has another subject in force{other}, and exactly one of subject_dn, san_dns, san_uri, san_ip, \
         san_email may be (RFC 8705 section 2.1.2): {}",
        .other.away()
    )]
    SecondSubject {
        /// The client.
        client: ClientId,
        /// The first.
        other: Other,
    },
}

/// The credential that another one collides with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Other {
    /// One of the database.
    Stored(CredentialId),
    /// One that is stated beside it.
    Beside,
}

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored(id) => write!(f, ", as credential {id}"),
            Self::Beside => f.write_str(", stated beside it"),
        }
    }
}

impl CredentialKind {
    fn one(self) -> String {
        match self {
            Self::Identity => format!("an {self}"),
            _ => format!("a {self}"),
        }
    }

    const fn beside_keys(self) -> &'static str {
        match self {
            Self::KeySource => "another jwks_url in force",
            _ => "a registered key in force",
        }
    }
}

impl Other {
    const fn or_prune(&self) -> &'static str {
        match self {
            Self::Stored(_) => {
                ", or remove the other by `grantd apply --prune` of a catalog without it"
            }
            Self::Beside => "",
        }
    }

    const fn instead(&self) -> &'static str {
        match self {
            Self::Stored(_) => "change its label and times in the catalog",
            Self::Beside => "leave one of the two out",
        }
    }

    fn away(&self) -> String {
        match self {
            Self::Stored(id) => format!(
                "retire it by `grantd credential retire {id}`, or remove it by `grantd apply --prune`"
            ),
            Self::Beside => "leave one of the two out, or give it a retired_at".to_owned(),
        }
    }
}

/// A credential as the rules see it.
#[derive(Debug)]
pub struct Held<'a> {
    other: Other,
    proof: Proof<'a>,
    kind: CredentialKind,
    /// Of a stored one: whether it was retired by now.
    is_retired: bool,
    /// Whether nobody has said when it retires.
    is_in_force: bool,
    begins: Timestamp,
    ends: Option<Timestamp>,
    is_leaving: bool,
}

#[derive(Debug)]
enum Proof<'a> {
    /// A secret of the database, which cannot be compared here.
    Hash,
    Secret(&'a StatedSecret),
    Key(Option<KeyFacts>),
    Certificate(&'a str),
    Subject(&'a SubjectName),
    KeySource(&'a KeySource),
    Identity(&'a Identity),
}

/// Reads the facts of a JWK; `None` if grantd cannot verify with it.
pub type ReadKey = fn(&str) -> Option<KeyFacts>;

impl<'a> Held<'a> {
    /// A credential of the database, at `now`.
    #[must_use]
    pub fn stored(credential: &'a Credential, now: Timestamp, read_key: ReadKey) -> Self {
        Self {
            other: Other::Stored(credential.id.clone()),
            proof: proof(&credential.material, |_| Proof::Hash, read_key),
            kind: credential.kind(),
            is_retired: credential.state(now) == CredentialState::Retired,
            is_in_force: credential.retired_at.is_none(),
            begins: credential.active_from.unwrap_or(Timestamp::EPOCH),
            ends: credential.expires_at,
            is_leaving: false,
        }
    }

    /// One that is removed now: only that a retired one does not come back is held against others.
    #[must_use]
    pub fn leaving(self) -> Self {
        Self {
            is_leaving: true,
            ..self
        }
    }

    /// A credential that is stated.
    #[must_use]
    pub fn stated(credential: &'a StatedCredential, read_key: ReadKey) -> Self {
        Self {
            other: Other::Beside,
            proof: proof(&credential.material, Proof::Secret, read_key),
            kind: credential.material.kind(),
            is_retired: false,
            is_in_force: credential.retired_at.is_none(),
            begins: credential.active_from.unwrap_or(Timestamp::EPOCH),
            ends: credential.expires_at,
            is_leaving: false,
        }
    }

    /// One that is stated and there already: it retires when `at` says.
    #[must_use]
    pub fn retiring(self, at: Option<Timestamp>) -> Self {
        Self {
            is_in_force: at.is_none(),
            ..self
        }
    }

    /// The facts of its key, where it is one.
    #[must_use]
    pub const fn key(&self) -> Option<&KeyFacts> {
        match &self.proof {
            Proof::Key(Some(facts)) => Some(facts),
            _ => None,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        match (&self.proof, &other.proof) {
            (Proof::Secret(one), Proof::Secret(other)) => is_same_secret(one, other),
            (Proof::Key(Some(one)), Proof::Key(Some(other))) => one.thumbprint == other.thumbprint,
            (Proof::Certificate(one), Proof::Certificate(other)) => one == other,
            (Proof::Subject(one), Proof::Subject(other)) => one.is_same(other),
            (Proof::KeySource(one), Proof::KeySource(other)) => one == other,
            (Proof::Identity(one), Proof::Identity(other)) => one == other,
            _ => false,
        }
    }
}

fn proof<'a, S>(
    material: &'a CredentialMaterial<S>,
    secret: fn(&'a S) -> Proof<'a>,
    read_key: ReadKey,
) -> Proof<'a> {
    match material {
        CredentialMaterial::Secret(of) => secret(of),
        CredentialMaterial::Jwk(jwk) => Proof::Key(read_key(jwk)),
        CredentialMaterial::Certificate(thumbprint) => Proof::Certificate(thumbprint),
        CredentialMaterial::Subject(name) => Proof::Subject(name),
        CredentialMaterial::KeySource(source) => Proof::KeySource(source),
        CredentialMaterial::Identity(identity) => Proof::Identity(identity),
    }
}

/// Both stand in one catalog of the operator's, who may know how long the comparison takes.
fn is_same_secret(one: &StatedSecret, other: &StatedSecret) -> bool {
    match (one, other) {
        (StatedSecret::Clear(one), StatedSecret::Clear(other)) => one.expose() == other.expose(),
        (StatedSecret::Phc(one), StatedSecret::Phc(other)) => one == other,
        _ => false,
    }
}

/// Whether `client` may have `new` beside `others`: those of the database that `new` is none of, and those that are
/// stated before it.
///
/// # Errors
/// The first rule that it breaks.
pub fn judge(
    client: &Client,
    profile: Profile,
    new: &Held<'_>,
    others: &[Held<'_>],
) -> Result<(), CredentialFault> {
    let (id, kind) = (&client.id, new.kind);
    let mut served = AuthMethod::ALL.iter().filter(|it| kind.serves(**it));
    if !served.any(|it| client.may_use(*it)) {
        let client = id.clone();
        return Err(CredentialFault::NoMethod { client, kind });
    }
    if new.ends.is_some_and(|end| end <= new.begins) {
        return Err(CredentialFault::EmptyLife(kind));
    }
    let key = new.key().filter(|_| new.is_in_force);
    if let Some(contradiction) =
        key.and_then(|key| profile.contradiction_of_key(id, &key.name, &key.algorithms))
    {
        return Err(contradiction.into());
    }
    others.iter().try_for_each(|old| collide(id, old, new))
}

fn collide(client: &ClientId, old: &Held<'_>, new: &Held<'_>) -> Result<(), CredentialFault> {
    let (client, kind, other) = (client.clone(), new.kind, old.other.clone());
    if old.is_same(new) {
        return match other {
            Other::Stored(id) if old.is_retired => {
                Err(CredentialFault::Retired { client, kind, id })
            }
            _ if old.is_leaving => Ok(()),
            other => Err(CredentialFault::Known {
                client,
                kind,
                other,
            }),
        };
    }
    if old.is_leaving {
        return Ok(());
    }
    let names = old.key().zip(new.key());
    if names.is_some_and(|(old, new)| old.name == new.name) {
        let name = new.key().map_or_else(String::new, |key| key.name.clone());
        return Err(CredentialFault::KidTaken {
            client,
            kid: name,
            other,
        });
    }
    let is_subject = |held: &Held<'_>| held.kind == CredentialKind::Subject && held.is_in_force;
    if is_subject(old) && is_subject(new) {
        return Err(CredentialFault::SecondSubject { client, other });
    }
    let counts = |held: &Held<'_>| held.kind.serves(AuthMethod::PrivateKeyJwt) && held.is_in_force;
    let by_url = [old.kind, new.kind].contains(&CredentialKind::KeySource);
    if by_url && counts(old) && counts(new) {
        let kind = old.kind;
        return Err(CredentialFault::BesideKeySource {
            client,
            kind,
            other,
        });
    }
    Ok(())
}
