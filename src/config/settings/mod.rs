//! The server's settings: `config/grantd.toml`, with each key overridable by an environment variable.

mod environment;
mod keys;
mod listeners;
mod metadata;
mod proxy;
mod read;
mod service_links;
mod sqlite_path;

use std::path::{Path, PathBuf};

pub use listeners::{
    MutualListener, MutualTls, OperationsListener, PublicListener, Termination, TlsFiles,
};
pub use sqlite_path::sqlite_url;

use super::absent_secrets::AbsentSecrets;
use super::document::{self, Table};
use super::fault::{ConfigError, Fault, Place, Problem};
use super::file;
use crate::domain::issuer::Issuer;
use crate::domain::profile::Profile;
use crate::domain::proxy::TrustedProxies;
use crate::domain::secret_format::Secret;
use crate::domain::timestamp::Seconds;

/// The example file, in which every key is explained.
pub const EXAMPLE: &str = include_str!("../../../config/grantd.toml");

/// All settings of `grantd serve`; the defaults are those of `config/grantd.toml`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The security profile.
    pub profile: Profile,
    /// The issuer, and with it the base of every endpoint's URL.
    pub issuer: Issuer,
    /// Where the data lies: `postgres://…` with one host or several, `postgresql://…` or `sqlite:…`. It may hold a
    /// password.
    pub database_url: Secret,
    /// The listener that clients reach.
    pub public: PublicListener,
    /// How clients present certificates.
    pub mtls: Option<MutualTls>,
    /// The proxies in front that are trusted to say whose request they pass on.
    pub proxy: Option<TrustedProxies>,
    /// The listener for health and metrics.
    pub operations: OperationsListener,
    /// The key-encryption keys of the signing keys.
    pub sealing: Sealing,
    /// Bounds of tokens.
    pub tokens: Tokens,
    /// Client assertions.
    pub assertions: Assertions,
    /// Proof of possession of a key.
    pub dpop: Dpop,
    /// The work that client secrets may cost.
    pub hashing: Hashing,
    /// The most entries of each cache.
    pub cache: Cache,
    /// How changes of other replicas are followed.
    pub feed: Feed,
    /// The pool of database connections.
    pub database: Database,
    /// What one connection and one request may take.
    pub limits: Limits,
    /// What the discovery document says.
    pub metadata: Metadata,
    /// The signing keys.
    pub keys: Keys,
    /// The log.
    pub log: Log,
    /// Variables that begin like ours and come from Kubernetes: nothing of them is read.
    pub service_links: Vec<String>,
}

/// The table `[sealing]`: what seals the signing keys in the database.
#[derive(Clone, Debug, Default)]
pub struct Sealing {
    /// Seals and opens; a command that needs it and finds none says so.
    pub key: Option<SealingKey>,
    /// Only open.
    pub old_key_files: Vec<PathBuf>,
}

/// Where a sealing key comes from: 32 raw bytes, or 43 or 44 characters base64.
#[derive(Clone, Debug)]
pub enum SealingKey {
    /// From a file, which may hold either form.
    File(PathBuf),
    /// From the settings themselves, in base64.
    Inline(Secret),
}

/// The table `[tokens]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// No token lives longer, whatever audience and policy say.
    pub max_lifetime: Seconds,
}

/// The table `[assertions]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertions {
    /// How far the clocks of clients may differ from ours.
    pub leeway: Seconds,
}

/// The table `[dpop]`, RFC 9449.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dpop {
    /// Whether a proof must hold a nonce of ours (section 8).
    pub require_nonce: bool,
}

/// The table `[hashing]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashing {
    /// Threads that hash; none: half of the cores, at least one.
    pub threads: Option<usize>,
    /// How many secrets of the generated form may wait.
    pub generated_queue: usize,
    /// How many other secrets may wait.
    pub imported_queue: usize,
}

/// The table `[cache]`: the most entries of each; 0 turns one off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// Clients with their credentials and policies.
    pub clients: u64,
    /// Audiences.
    pub audiences: u64,
    /// Secrets that were found right.
    pub verified_secrets: u64,
}

/// The table `[feed]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// How often the feed is read.
    pub poll_interval: std::time::Duration,
    /// Without the feed for this long, nothing is issued or introspected.
    pub max_staleness: Seconds,
}

/// The table `[database]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// The most connections of the pool.
    pub max_connections: u32,
    /// How long a request waits for a connection.
    pub acquire_timeout: Seconds,
    /// How long a statement may run.
    pub statement_timeout: Seconds,
    /// How long a statement waits for a lock.
    pub lock_timeout: Seconds,
    /// Whether statements keep a name on the server; not behind a pooler that shares one connection among clients.
    pub prepared_statements: bool,
}

/// The table `[limits]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a request's body.
    pub body_bytes: usize,
    /// The most bytes of a request's head.
    pub header_bytes: usize,
    /// The most header fields of a request.
    pub header_count: usize,
    /// HTTP/1.1: for a whole head, from the end of the answer before it.
    pub header_timeout: Seconds,
    /// From the head to the last byte of the body.
    pub body_timeout: Seconds,
    /// How long a connection may live without a finished request.
    pub idle_timeout: Seconds,
    /// The most connections at once.
    pub connections: usize,
    /// The most requests at once, until their answers were sent.
    pub requests: usize,
    /// How long running requests may take when the server stops.
    pub drain_timeout: Seconds,
    /// From accepting a connection to its first byte.
    pub first_byte_timeout: Seconds,
    /// How long a TLS handshake may take.
    pub tls_handshake_timeout: Seconds,
}

/// The table `[metadata]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Whether it names what some readers demand and a server without users does not have.
    pub for_strict_readers: bool,
    /// Further members, none of them ours.
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// The table `[keys]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// How long the JWKS may be cached.
    pub jwks_max_age: Seconds,
}

/// The table `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Its form.
    pub format: LogFormat,
    /// The least severe lines that are written.
    pub level: LogLevel,
}

crate::domain::client::named! {
    /// The form of the log.
    LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object per line.
        Json = "json",
    }
}

crate::domain::client::named! {
    /// The severity of log lines.
    LogLevel {
        /// What needs a person.
        Error = "error",
        /// What may need one.
        Warn = "warn",
        /// What happened.
        Info = "info",
        /// Why it happened.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

impl Settings {
    /// Reads the settings file, where there is one, and lets `environment` override it.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn read(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        Self::read_noting(file, environment, None)
    }

    /// As [`Self::read`]; where `absent` notes them, the secrets that the settings name may be absent.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn read_noting(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        absent: Option<&AbsentSecrets>,
    ) -> Result<Self, ConfigError> {
        let Some(path) = file else {
            let nothing = (Table::default(), Place::Nowhere);
            return read::settings(nothing, Path::new(""), environment, absent);
        };
        let name = path.display().to_string();
        let text = file::text(path, file::SMALL).map_err(|error| Fault {
            place: Place::File {
                file: name.as_str().into(),
                line: 1,
            },
            key: String::new(),
            problem: Problem::Unreadable(error.to_string()),
        })?;
        let base = path.parent().unwrap_or(Path::new(""));
        read::settings(located(&name, &text)?, base, environment, absent)
    }

    /// Reads settings from `document` (its name and its text); paths in it are relative to `base`.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn parse(
        document: Option<(&str, &str)>,
        base: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let document = match document {
            Some((name, text)) => located(name, text)?,
            None => (Table::default(), Place::Nowhere),
        };
        read::settings(document, base, environment, None)
    }
}

/// The tree of a document, and its place.
fn located(name: &str, text: &str) -> Result<(Table, Place), ConfigError> {
    let place = Place::File {
        file: name.into(),
        line: 1,
    };
    Ok((document::parse(name, text)?, place))
}

#[cfg(test)]
mod tests;
