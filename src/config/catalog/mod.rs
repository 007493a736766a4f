//! The catalog: audiences, clients and policies as an operator writes them (`config/catalog.toml`).

mod check;
mod credentials;
mod files;
mod identity;
mod issuer;
mod of_json;
pub mod public_material;
mod read;
mod secret;
mod subject;
pub mod token_line;
pub mod write;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use super::absent_secrets::AbsentSecrets;
use super::fault::{ConfigError, Faults, Place};
use super::shaped::{Section, keys_of};
use crate::domain::audience::Audience;
use crate::domain::client::{AuthMethod, Client};
use crate::domain::credential::{CredentialMaterial, StatedCredential, StatedSecret};
use crate::domain::policy::Policy;
use crate::domain::profile::Profile;
use crate::domain::secret_format::{MIN_IMPORTED_LENGTH, Secret};
use crate::domain::trusted_issuer::TrustedIssuer;
pub use files::STANDARD_INPUT;
use files::{Document, Files};

/// The built-in catalog of `grantd dev`.
pub const DEMO: &str = include_str!("../../../config/catalog.toml");
/// The name of [`DEMO`] in errors and listings.
pub const DEMO_NAME: &str = "config/catalog.toml";

/// Everything that the files of one catalog state.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// The audiences, in the order of the files.
    pub audiences: Vec<Placed<Audience>>,
    /// The trusted issuers, in the order of the files.
    pub issuers: Vec<Placed<TrustedIssuer>>,
    /// The clients, in the order of the files.
    pub clients: Vec<CatalogClient>,
}

/// What a catalog states, and where.
#[derive(Clone, Debug)]
pub struct Placed<T> {
    /// What it states.
    pub value: T,
    /// Where it stands.
    pub place: Place,
    /// Where each of its keys stands.
    keys: BTreeMap<String, Place>,
}

impl<T> Placed<T> {
    /// At a place that has no keys of its own.
    pub const fn at(place: Place, value: T) -> Self {
        Self {
            value,
            place,
            keys: BTreeMap::new(),
        }
    }

    /// Read from this table.
    fn of(table: &Section<'_>, value: T) -> Self {
        Self {
            value,
            place: table.place().clone(),
            keys: table.places(),
        }
    }

    /// Where `key` stands, or all of it where the key is absent.
    pub fn place_of(&self, key: &str) -> &Place {
        self.keys.get(key).unwrap_or(&self.place)
    }
}

impl Placed<StatedCredential> {
    /// What `grantd dev` made for a client whose catalog states nothing of the kind.
    #[must_use]
    pub fn made_by_dev(credential: impl Into<StatedCredential>) -> Self {
        let credential = StatedCredential {
            label: Some("made by grantd dev".to_owned()),
            ..credential.into()
        };
        Self::at(Place::Nowhere, credential)
    }
}

impl<T> Deref for Placed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A client as the catalog states it.
#[derive(Clone, Debug)]
pub struct CatalogClient {
    /// The client; what only the database knows of it is empty.
    pub client: Client,
    /// Whether its status is stated. Else `apply` leaves it as it is; a new client is active.
    pub states_status: bool,
    /// What it proves itself with.
    pub credentials: Vec<Placed<StatedCredential>>,
    /// What it may get, at most one per audience.
    pub policies: Vec<Placed<Policy>>,
    /// Where it stands.
    pub place: Place,
}

impl CatalogClient {
    /// A client of that status on the command line, of which nothing else is stated.
    #[must_use]
    pub const fn bare(client: Client) -> Self {
        Self {
            client,
            states_status: true,
            credentials: Vec::new(),
            policies: Vec::new(),
            place: Place::Command,
        }
    }

    /// The keys of a `[[client]]`.
    #[must_use]
    pub fn keys() -> Vec<&'static str> {
        let shapes = [keys_of::<Client>(), keys_of::<credentials::Proofs>()];
        let tables = ["identity", "policy"];
        shapes.into_iter().flatten().chain(tables).collect()
    }

    /// Whether anything is stated that tells whose assertion is the client's: a key, a URL of keys, an identity.
    #[must_use]
    pub fn states_assertion_proof(&self) -> bool {
        let mut kinds = self.credentials.iter().map(|it| it.material.kind());
        kinds.any(|it| it.serves(AuthMethod::PrivateKeyJwt) || it.serves(AuthMethod::Federated))
    }

    /// Its secret, where one is stated in clear that is not retired: the one that lasts, where there are several.
    #[must_use]
    pub fn clear_secret(&self) -> Option<&Secret> {
        let in_force = self.credentials.iter().filter(|it| it.retired_at.is_none());
        let clear = in_force.filter_map(|it| match &it.material {
            CredentialMaterial::Secret(StatedSecret::Clear(secret)) => {
                Some((it.expires_at, secret))
            }
            _ => None,
        });
        // None is later than any instant.
        let lasting = clear.rev().max_by_key(|(end, _)| (end.is_none(), *end));
        lasting.map(|(_, secret)| secret)
    }
}

/// It is that client, with what else a catalog says of it.
impl Deref for CatalogClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// How a catalog is read.
pub struct CatalogOptions<'e> {
    /// Whether a secret may stand in the catalog in clear: in `grantd dev` only.
    pub allow_literal_secrets: bool,
    /// Whether keys may be fetched by http from this machine: in `grantd dev` only.
    pub allow_plain_http: bool,
    /// The fewest characters of a secret in clear.
    pub min_secret_length: usize,
    /// What paths in the catalog are relative to.
    pub base: PathBuf,
    /// Looks an environment variable up, for `env:NAME`.
    pub environment: &'e dyn Fn(&str) -> Option<String>,
    /// Notes the secrets that are absent, where they may be; a stand-in takes their place.
    pub absent: Option<&'e AbsentSecrets>,
}

impl<'e> CatalogOptions<'e> {
    /// As `grantd apply` reads: no secrets in clear in the file.
    #[must_use]
    pub fn strict(environment: &'e dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            allow_literal_secrets: false,
            allow_plain_http: false,
            min_secret_length: MIN_IMPORTED_LENGTH,
            base: PathBuf::new(),
            environment,
            absent: None,
        }
    }

    /// As `grantd dev` reads: secrets in clear, from one character.
    #[must_use]
    pub fn dev(environment: &'e dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            allow_literal_secrets: true,
            allow_plain_http: true,
            min_secret_length: 1,
            ..Self::strict(environment)
        }
    }

    /// The same, for a file in the folder `base`.
    fn at(&self, base: &Path) -> Self {
        Self {
            base: base.to_owned(),
            ..*self
        }
    }
}

impl Catalog {
    /// Reads files, folders (every `*.toml` in them) and `-` (standard input), with what they include, as one catalog.
    /// Paths in a file are relative to it, whatever `options` say. A file that is named twice counts once.
    ///
    /// # Errors
    /// Everything that is wrong, each with file and line.
    pub fn read(paths: &[PathBuf], options: &CatalogOptions<'_>) -> Result<Self, ConfigError> {
        let faults = Faults::default();
        let mut files = Files::new(&faults);
        for path in paths {
            files.read(path);
        }
        let catalog = Self::of(&files.documents(), options, &faults);
        faults.or(Some(catalog))
    }

    /// Reads `text`, whose name in errors is `file`; paths in it are relative to the base of `options`.
    ///
    /// # Errors
    /// Everything that is wrong, each with file and line.
    pub fn parse(
        file: &str,
        text: &str,
        options: &CatalogOptions<'_>,
    ) -> Result<Self, ConfigError> {
        let faults = Faults::default();
        let mut files = Files::new(&faults);
        files.read_text(file, Ok(text.to_owned()), &options.base);
        let catalog = Self::of(&files.documents(), options, &faults);
        faults.or(Some(catalog))
    }

    /// What all documents state together.
    fn of(documents: &[Document], options: &CatalogOptions<'_>, faults: &Faults) -> Self {
        let mut catalog = Self::default();
        let mut clients = Vec::new();
        for document in documents {
            let at = (&document.place, &document.table);
            let mut root = Section::new(String::new(), at, faults);
            // Taken out before; so it is a known key.
            root.tables("include");
            let audiences = root.tables("audience").into_iter();
            let audiences = audiences.filter_map(|table| read::audience(table, faults));
            catalog.audiences.extend(audiences);
            let options = options.at(&document.base);
            let issuers = root.tables("issuer").into_iter();
            let issuers = issuers.filter_map(|table| issuer::read(table, (&options, faults)));
            catalog.issuers.extend(issuers);
            clients.push((root.tables("client"), options));
            root.finish();
        }
        for (tables, options) in clients {
            let clients = tables.into_iter();
            let clients = clients
                .filter_map(|table| read::client(table, &catalog.audiences, (&options, faults)));
            catalog.clients.extend(clients);
        }
        check::whole(&catalog, faults);
        catalog
    }

    /// Whether it trusts nobody who calls himself as `ours`, the issuer of a server, does.
    ///
    /// # Errors
    /// The issuer that does, with its place.
    pub fn check_issuer(&self, ours: &str) -> Result<(), ConfigError> {
        match ConfigError::of(check::not_ourselves(self, ours)) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Whether it fits the security profile of a server.
    ///
    /// # Errors
    /// Every contradiction, with its place.
    pub fn check_profile(&self, profile: Profile) -> Result<(), ConfigError> {
        if profile == Profile::Default {
            return Ok(());
        }
        match ConfigError::of(check::profile(self, profile)) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
