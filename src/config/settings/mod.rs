//! The server's settings: `config/grantd.toml`, with each key overridable by an environment variable.

mod declare;
mod environment;
mod example;
mod keys;
mod listeners;
mod metadata;
mod proxy;
mod read;
mod root;
mod sealing;
mod service_links;
mod sqlite_path;
mod tables;

use std::net::SocketAddr;
use std::path::Path;

pub use example::example;
pub use listeners::{
    MTLS, MutualTls, OPERATIONS, OperationsListener, PUBLIC, PublicListener, Termination, TlsFiles,
};
pub use metadata::Metadata;
pub use sealing::Sealing;
pub use sqlite_path::sqlite_url;
pub use tables::{
    Alerts, Assertions, Audit, Budget, Cache, Database, Dpop, Feed, Hashing, Keys, Limits, Log,
    LogFormat, LogLevel, Metrics, Tokens,
};

use super::absent_secrets::AbsentSecrets;
use super::fault::{ConfigError, Fault, Place, Problem};
use super::file;
use crate::crypto::secret_hash::HashCost;
use crate::domain::issuer::Issuer;
use crate::domain::profile::Profile;
use crate::domain::proxy::TrustedProxies;
use crate::domain::secret_format::Secret;
use crate::domain::signing_key::periods::KeyPeriods;

/// All settings of a replica.
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
    /// What strangers may try.
    pub budget: Budget,
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
    /// Metrics.
    pub metrics: Metrics,
    /// The log.
    pub log: Log,
    /// The audit log.
    pub audit: Audit,
    /// Alerts.
    pub alerts: Alerts,
    /// What hashing an imported secret costs: no key of the file, for only `dev` takes less.
    pub imported_cost: HashCost,
    /// Whether others' keys are fetched over http from loopback addresses: no key of the file, for only `dev` does.
    pub fetches_plain_keys: bool,
    /// Variables that begin like ours and come from Kubernetes: nothing of them is read.
    pub service_links: Vec<String>,
}

impl Settings {
    /// The defaults, for this issuer and the database at this URL.
    #[must_use]
    pub fn new(issuer: Issuer, database_url: Secret) -> Self {
        Self {
            profile: Profile::Default,
            issuer,
            database_url,
            public: PublicListener::default(),
            mtls: None,
            proxy: None,
            operations: OperationsListener::default(),
            sealing: Sealing::default(),
            tokens: Tokens::default(),
            assertions: Assertions::default(),
            dpop: Dpop::default(),
            hashing: Hashing::default(),
            budget: Budget::default(),
            cache: Cache::default(),
            feed: Feed::default(),
            database: Database::default(),
            limits: Limits::default(),
            metadata: Metadata::default(),
            keys: Keys::default(),
            metrics: Metrics::default(),
            log: Log::default(),
            audit: Audit::default(),
            alerts: Alerts::default(),
            imported_cost: HashCost::IMPORTED,
            fetches_plain_keys: false,
            service_links: Vec::new(),
        }
    }

    /// The listeners and their addresses.
    #[must_use]
    pub fn listeners(&self) -> Vec<(&'static str, SocketAddr)> {
        let mutual = self.mtls.as_ref().and_then(MutualTls::listen);
        let mut listeners = vec![(PUBLIC, self.public.listen)];
        listeners.extend(mutual.map(|listen| (MTLS, listen)));
        listeners.push((OPERATIONS, self.operations.listen));
        listeners
    }

    /// The URL of an endpoint where clients present certificates, where they can; `path` begins with a slash.
    #[must_use]
    pub fn mutual_endpoint(&self, path: &str) -> Option<String> {
        let origin = self.mtls.as_ref()?.origin(&self.issuer);
        Some(format!("{origin}{}{path}", self.issuer.path()))
    }

    /// How long signing keys are announced, sign, and stay.
    #[must_use]
    pub fn key_periods(&self) -> KeyPeriods {
        self.keys.periods(&self.feed, &self.tokens)
    }

    /// Whether `authorization_endpoint` and `response_types_supported` are published. The profile fapi2 publishes
    /// what there is, and nothing else.
    #[must_use]
    pub fn serves_strict_readers(&self) -> bool {
        self.metadata.for_strict_readers && self.profile == Profile::Default
    }

    /// Reads the settings file, where there is one, and lets `environment` override it. Where `absent` notes them, the
    /// secrets that the settings name may be absent.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn read(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        absent: Option<&AbsentSecrets>,
    ) -> Result<Self, ConfigError> {
        let Some(path) = file else {
            return read::settings(None, Path::new(""), environment, absent);
        };
        let name = path.display().to_string();
        let text = file::text(path, file::SMALL).map_err(|error| Fault {
            place: Place::start_of(&name),
            key: String::new(),
            problem: Problem::Unreadable(error.to_string()),
        })?;
        let base = path.parent().unwrap_or(Path::new(""));
        read::settings(Some((&name, &text)), base, environment, absent)
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
        read::settings(document, base, environment, None)
    }
}

#[cfg(test)]
mod tests;
