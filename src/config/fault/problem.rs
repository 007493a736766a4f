//! Everything that can be wrong with a value, in words that say what to do.

use super::Place;
use crate::crypto::certificates::registration::UnusableCertificate;
use crate::crypto::client_key::ClientKeyError;
use crate::crypto::secret_hash::SecretHashError;
use crate::domain::credential::rules::CredentialFault;
use crate::domain::database_url::DatabaseUrlFault;
use crate::domain::identity::IdentityFault;
use crate::domain::issuer::InvalidIssuer;
use crate::domain::key_source::KeySourceFault;
use crate::domain::policy::PolicyFault;
use crate::domain::profile::Contradiction;
use crate::domain::shown;
use crate::domain::shown::nearest;
use crate::domain::timestamp::Seconds;
use crate::domain::trusted_issuer::{IssuerFault, NameClash};

/// What is wrong. No variant ever holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not TOML.
    #[error("this is not TOML: {0}")]
    Syntax(String),
    /// The document cannot be read.
    #[error("cannot read the file: {0}")]
    Unreadable(String),
    /// A file that a value names cannot be read.
    #[error("cannot read the file {path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What the operating system says.
        reason: String,
    },
    /// The files of a catalog are too large together.
    #[error("all files of the catalog together are larger than {0} MiB")]
    LargeCatalog(u64),
    /// A folder without a catalog.
    #[error("the folder {0} holds no *.toml file")]
    EmptyFolder(String),
    /// A folder whose name no pattern can hold.
    #[error("the name of this folder is not valid UTF-8")]
    FolderName,
    /// An `include` that matches nothing: a typing error that would leave a file out.
    #[error(
        "include: no file is called \"{0}\", or matches it; it is relative to the folder of this file"
    )]
    IncludesNothing(String),
    /// An `include` that is not a valid pattern.
    #[error("include: not a valid file pattern: {0}")]
    Pattern(String),
    /// A file that includes itself, most often by another one.
    #[error("include: {0} includes this file; remove one of the two includes")]
    IncludeLoop(String),
    /// A file that is included by a file that is included, and so on.
    #[error("include: files are nested more than {0} deep here")]
    IncludeDepth(usize),
    /// A key that nobody reads.
    #[error("unknown key; the nearest known one is `{0}`")]
    UnknownKey(&'static str),
    /// An environment variable of our prefix that nobody reads.
    #[error("unknown setting; the nearest known variable is {0}")]
    UnknownVariable(String),
    /// Something that a later version will know.
    #[error("this version does not support {0}; remove it")]
    NotBuilt(&'static str),
    /// A required key is absent.
    #[error("this key is required and missing; {0}")]
    Missing(&'static str),
    /// A value of another type.
    #[error("expected {expected}, found {found}")]
    Type {
        /// What should stand here.
        expected: String,
        /// What stands here.
        found: &'static str,
    },
    /// What a type of the domain says of a value that it does not take.
    #[error("{0}")]
    Said(String),
    /// A text that is none of a few.
    #[error("{value:?} is not one of {known}; the nearest is {nearest:?}")]
    NotOneOf {
        /// What stands here, cut to a reasonable length.
        value: String,
        /// All that may stand here.
        known: String,
        /// The nearest of them.
        nearest: &'static str,
    },
    /// What is outside of its range.
    #[error("expected {what} from {least} to {most}")]
    Range {
        /// What belongs here.
        what: &'static str,
        /// As it is written.
        least: String,
        /// As it is written.
        most: String,
    },
    /// A value of the right type that does not fit.
    #[error("expected {0}")]
    Value(String),
    /// Something else that does not parse.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A database URL that cannot be used.
    #[error(transparent)]
    DatabaseUrl(#[from] DatabaseUrlFault),
    /// An empty list where one member is needed.
    #[error("the list is empty; {0}")]
    EmptyList(&'static str),
    /// Two keys that exclude each other.
    #[error("`{0}` is given as well; keep one of the two")]
    Both(&'static str),
    /// A key that needs another one.
    #[error("`{0}` is required as well")]
    Without(&'static str),
    /// The same name twice.
    #[error("the one at {0} already has this name; names must be unique")]
    Doubled(Place),
    /// An issuer that cannot be used.
    #[error(transparent)]
    Issuer(#[from] InvalidIssuer),

    /// A trusted issuer that contradicts itself.
    #[error(transparent)]
    TrustedIssuer(#[from] IssuerFault),
    /// A name that somebody else has.
    #[error(transparent)]
    Name(#[from] NameClash),
    /// An identity that its issuer could never say.
    #[error(transparent)]
    Identity(#[from] IdentityFault),

    /// TLS is missing on an address that other machines can reach.
    #[error(
        "{0} is reachable from other machines: give public.tls_certificate_file and \
         public.tls_key_file, or set public.allow_plain_http = true behind a proxy that speaks TLS"
    )]
    PlainHttp(std::net::SocketAddr),
    /// A listener where a proxy is to end TLS.
    #[error("with termination = \"proxy\" grantd has no such listener; remove it")]
    NoListener,
    /// Proxies that anybody on their network could impersonate.
    #[error(
        "off loopback the address of a proxy is no proof: set thumbprints (of its client certificate), or secret_header and secret_file"
    )]
    ProxyProof,
    /// Keys that would sign before every verifier knows them.
    #[error(
        "the shortest rotation is {0} (jwks_max_age + max_staleness + 1s): a verifier that caches the JWKS must know a \
         key before it signs; 0 turns rotation off"
    )]
    ShortRotation(Seconds),
    /// Two listeners on one address.
    #[error("another listener uses this address; give each listener a different one")]
    SameAddress,

    /// A claim, or a member of the metadata, that JSON cannot hold.
    #[error(
        "expected text, a whole number, a finite number, true or false, a list or a table; write a date as text"
    )]
    JsonType,
    /// A member of a list in JSON.
    #[error("null means nothing in a list; leave it out")]
    NullInList,
    /// A policy that its client may not have, or not there.
    #[error(transparent)]
    Policy(#[from] PolicyFault),
    /// A credential that its client may not have.
    #[error(transparent)]
    Credential(#[from] CredentialFault),
    /// What the profile of the server forbids.
    #[error(transparent)]
    Profile(#[from] Contradiction),

    /// A secret in clear outside `grantd dev`.
    #[error(
        "only `grantd dev` accepts a secret in clear text here; write env:NAME, file:PATH or \
         an argon2id PHC string"
    )]
    LiteralSecret,
    /// A hash of another kind.
    #[error(
        "this looks like a hash, but only argon2id PHC strings ($argon2id$…) are accepted; if this is the secret itself, write literal: in front of it"
    )]
    ForeignHash,
    /// A malformed PHC string.
    #[error(transparent)]
    Phc(#[from] SecretHashError),
    /// Too short, too long or not printable ASCII.
    #[error("a secret is {least} to {most} printable ASCII characters")]
    SecretForm {
        /// The fewest characters.
        least: usize,
        /// The most characters.
        most: usize,
    },
    /// A generated secret with a typo.
    #[error(
        "this looks like a secret that grantd generated, but its checksum is wrong; copy it again"
    )]
    SecretChecksum,
    /// An id beside material that takes none, or has another one.
    #[error(
        "an id belongs only beside the hash of a secret made by grantd, or must equal the id in it"
    )]
    SecretId,
    /// A name that an environment variable cannot have.
    #[error("env: must be followed by the name of an environment variable: letters, digits and _")]
    VariableName,
    /// An environment variable that is not set.
    #[error("the environment variable {0} is not set")]
    VariableUnset(String),

    /// A key that grantd does not verify with.
    #[error(transparent)]
    Key(#[from] ClientKeyError),
    /// What is no URL of keys.
    #[error(transparent)]
    KeySource(#[from] KeySourceFault),
    /// A certificate that no client could use.
    #[error(transparent)]
    UnusableCertificate(#[from] UnusableCertificate),
}

/// Words that people write, and what grantd calls them.
const SYNONYMS: [(&str, &str); 4] = [
    ("enabled", "active"),
    ("on", "active"),
    ("inactive", "disabled"),
    ("off", "disabled"),
];

impl Problem {
    /// What was meant, where something known is near.
    #[must_use]
    pub fn nearest(&self) -> Option<&str> {
        let nearest = match self {
            Self::UnknownKey(nearest) | Self::NotOneOf { nearest, .. } => *nearest,
            Self::UnknownVariable(nearest) => nearest,
            _ => return None,
        };
        Some(nearest).filter(|it| !it.is_empty())
    }

    /// Of a text that is none of `known`.
    pub(in crate::config) fn not_one_of(text: &str, known: &[&'static str]) -> Self {
        let names = || known.iter().copied();
        let synonym = SYNONYMS.iter().find(|(word, _)| *word == text);
        let meant = synonym.map(|(_, meant)| *meant);
        let meant = meant.filter(|meant| known.contains(meant));
        Self::NotOneOf {
            nearest: meant.or_else(|| nearest(text, names())).unwrap_or_default(),
            value: shown_word(text, names()),
            known: known.join(", "),
        }
    }
}

/// An unknown word as an error may repeat it: one that resembles no known word may be a secret.
pub(in crate::config) fn shown_word<'k>(
    word: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> String {
    let near = nearest(word, known).map_or(usize::MAX, |near| {
        strsim::damerau_levenshtein(&word.to_lowercase(), &near.to_lowercase())
    });
    if shown::may_be_secret(word) && near > word.chars().count() / 3 {
        shown::hidden(word)
    } else {
        shown::plain(word)
    }
}

/// As [`shown_word`], for the name of an environment variable, which has words of its own in capitals.
pub(in crate::config) fn shown_variable<'k>(
    name: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> String {
    let is_usual = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if name.bytes().all(is_usual) && !name.split('_').any(shown::may_be_secret) {
        return shown::plain(name);
    }
    shown_word(name, known)
}
