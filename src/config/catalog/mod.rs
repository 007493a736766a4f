//! The catalog: audiences, clients and policies as an operator writes them (`config/catalog.toml`).

mod audience;
mod certificate;
mod check;
mod claims;
mod client;
mod credentials;
mod jwk;
mod policy;
pub mod public_material;
mod secret;
mod subject;
pub mod write;

use std::fmt;
use std::path::{Path, PathBuf};

use super::absent_secrets::AbsentSecrets;
use super::document;
use super::fault::{ConfigError, Fault, Faults, Place, Problem};
use super::file;
use super::section::Section;
use crate::domain::audience::Audience;
use crate::domain::client::{AssertionAudience, AuthMethod, ClientStatus, GrantType};
use crate::domain::credential::SubjectName;
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::policy::Policy;
use crate::domain::secret_format::{MIN_IMPORTED_LENGTH, Secret};
use crate::domain::timestamp::{Seconds, Timestamp};

/// The built-in catalog of `grantd dev`.
pub const DEMO: &str = include_str!("../../../config/catalog.toml");
/// The name of [`DEMO`] in errors and listings.
pub const DEMO_NAME: &str = "config/catalog.toml";

/// Everything that one catalog file states.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// The audiences, in the order of the file.
    pub audiences: Vec<CatalogAudience>,
    /// The clients, in the order of the file.
    pub clients: Vec<CatalogClient>,
}

/// An audience and where it stands.
#[derive(Clone, Debug)]
pub struct CatalogAudience {
    /// The audience.
    pub audience: Audience,
    /// Where it stands.
    pub place: Place,
}

/// A client as the catalog states it.
#[derive(Clone, Debug)]
pub struct CatalogClient {
    /// The public name.
    pub id: ClientId,
    /// A name for people.
    pub name: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The environment it runs in.
    pub environment: Option<String>,
    /// The tenant it works for.
    pub tenant: Option<String>,
    /// None: `apply` leaves it as it is (a new client is active). Never `Deleted`.
    pub status: Option<ClientStatus>,
    /// The grants that it may use.
    pub grants: Vec<GrantType>,
    /// The methods that it may authenticate with; never empty.
    pub auth_methods: Vec<AuthMethod>,
    /// What it may write into an assertion's `aud`.
    pub assertion_audience: AssertionAudience,
    /// How long its assertions may live.
    pub max_assertion_lifetime: Option<Seconds>,
    /// `dpop_bound_access_tokens`.
    pub dpop_bound_access_tokens: bool,
    /// `tls_client_certificate_bound_access_tokens`.
    pub certificate_bound_access_tokens: bool,
    /// Extra claims of its tokens.
    pub claims: serde_json::Map<String, serde_json::Value>,
    /// What it proves itself with.
    pub credentials: Vec<CatalogCredential>,
    /// What it may get, at most one per audience.
    pub policies: Vec<CatalogPolicy>,
    /// Where it stands.
    pub place: Place,
}

/// A credential as the catalog states it.
#[derive(Clone, Debug)]
pub struct CatalogCredential {
    /// Known for a generated secret alone: stated beside its hash, or read from the secret itself.
    pub id: Option<CredentialId>,
    /// A name for people.
    pub label: Option<String>,
    /// What it proves with.
    pub material: CatalogMaterial,
    /// Not accepted before.
    pub active_from: Option<Timestamp>,
    /// Not accepted from here on.
    pub expires_at: Option<Timestamp>,
    /// Not accepted from here on, and its use raises an alert.
    pub retired_at: Option<Timestamp>,
    /// Where it stands.
    pub place: Place,
}

/// What a credential proves with.
#[derive(Clone)]
pub enum CatalogMaterial {
    /// A secret in clear, still to be hashed.
    Secret(Secret),
    /// An argon2id PHC string; only its beginning is checked here.
    Phc(String),
    /// A public key as compact JSON.
    Jwk(String),
    /// The `x5t#S256` of a certificate.
    Certificate(String),
    /// A subject name.
    Subject(SubjectName),
}

impl fmt::Debug for CatalogMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(_) => f.write_str("Secret(hidden)"),
            Self::Phc(_) => f.write_str("Phc(hidden)"),
            Self::Jwk(jwk) => f.debug_tuple("Jwk").field(jwk).finish(),
            Self::Certificate(print) => f.debug_tuple("Certificate").field(print).finish(),
            Self::Subject(name) => f.debug_tuple("Subject").field(name).finish(),
        }
    }
}

/// A policy and where it stands.
#[derive(Clone, Debug)]
pub struct CatalogPolicy {
    /// The policy.
    pub policy: Policy,
    /// Where it stands.
    pub place: Place,
}

/// How a catalog is read.
pub struct CatalogOptions<'e> {
    /// Whether a secret may stand in the catalog in clear: in `grantd dev` only.
    pub allow_literal_secrets: bool,
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
            min_secret_length: 1,
            ..Self::strict(environment)
        }
    }
}

const TOP: &[&str] = &["audience", "client"];

impl Catalog {
    /// Reads the file at `path`; paths in it are relative to it, whatever `options` say.
    ///
    /// # Errors
    /// Everything that is wrong, each with file and line.
    pub fn read(path: &Path, options: &CatalogOptions<'_>) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let text = file::text(path, file::LARGE).map_err(|error| Fault {
            place: Place::File {
                file: name.as_str().into(),
                line: 1,
            },
            key: String::new(),
            problem: Problem::Unreadable(error.to_string()),
        })?;
        let base = path.parent().unwrap_or(Path::new("")).to_owned();
        Self::parse(&name, &text, &CatalogOptions { base, ..*options })
    }

    /// Reads `text`, whose name in errors is `file`.
    ///
    /// # Errors
    /// Everything that is wrong, each with file and line.
    pub fn parse(
        file: &str,
        text: &str,
        options: &CatalogOptions<'_>,
    ) -> Result<Self, ConfigError> {
        let table = document::parse(file, text)?;
        let faults = Faults::default();
        let place = Place::File {
            file: file.into(),
            line: 1,
        };
        let mut root = Section::new(String::new(), (place, table), TOP, &faults);
        let audiences: Vec<CatalogAudience> = root
            .tables("audience")
            .into_iter()
            .filter_map(|table| audience::read(table, &faults))
            .collect();
        let clients: Vec<CatalogClient> = root
            .tables("client")
            .into_iter()
            .filter_map(|table| client::read(table, &audiences, options, &faults))
            .collect();
        let catalog = Self { audiences, clients };
        check::whole(&catalog, &faults);
        faults.or(Some(catalog))
    }
}

#[cfg(test)]
mod tests;
