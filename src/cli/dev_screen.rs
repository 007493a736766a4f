//! What `grantd dev` tells when it is ready: a screen for people, a file for programs.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;
use tempfile::NamedTempFile;

use super::color::bold;
use super::data_directory::DataDirectory;
use super::dev_certificates::DevCertificates;
use super::dev_keys::DevKeys;
use super::dev_words::FilesAsWords;
use super::output::say;
use crate::config::catalog::token_line::{Line, Lines, Words, quoted};
use crate::config::catalog::{Catalog, CatalogOptions, DEMO, DEMO_NAME};
use crate::config::settings::Settings;
use crate::domain::credential::{CredentialMaterial, StatedSecret};
use crate::domain::identifier::ClientId;
use crate::domain::issuer::Issuer;
use crate::domain::secret_format::Secret;

/// So many clients are shown; a catalog may have thousands.
const MOST_CLIENTS: usize = 20;

/// The ready file: where everything is.
#[derive(Debug, Serialize)]
pub(super) struct ReadyFile {
    issuer: String,
    token_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    jwks_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtls_token_endpoint: Option<String>,
    operations: String,
    /// The URL of the control listener; its paths begin with `/_test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    control: Option<String>,
    /// What to trust for grantd's own TLS.
    ca_file: PathBuf,
    /// The CA whose client certificates are accepted.
    client_ca_file: PathBuf,
    /// Its key, where grantd has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_ca_key_file: Option<PathBuf>,
    data_dir: PathBuf,
    pid: u32,
}

impl ReadyFile {
    /// `client_ca` is one that somebody brought.
    pub(super) fn new(
        settings: &Settings,
        data: &Path,
        certificates: &DevCertificates,
        (client_ca, control): (Option<&PathBuf>, Option<&Issuer>),
    ) -> Self {
        let issuer = &settings.issuer;
        Self {
            issuer: issuer.as_str().to_owned(),
            token_endpoint: issuer.endpoint("/oauth2/token"),
            introspection_endpoint: issuer.endpoint("/oauth2/introspect"),
            revocation_endpoint: issuer.endpoint("/oauth2/revoke"),
            jwks_uri: issuer.endpoint("/oauth2/jwks"),
            mtls_token_endpoint: settings.mutual_endpoint("/oauth2/token"),
            operations: format!("http://{}", settings.operations.listen),
            control: control.map(Issuer::to_string),
            ca_file: certificates.ca.clone(),
            client_ca_file: client_ca.unwrap_or(&certificates.ca).clone(),
            client_ca_key_file: client_ca.is_none().then(|| certificates.ca_key.clone()),
            data_dir: data.to_owned(),
            pid: std::process::id(),
        }
    }

    /// Removes the file of an earlier run, which a waiting program must not read.
    pub(super) fn forget(path: &Path) -> anyhow::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error)
                .with_context(|| format!("cannot remove the old ready file {}", path.display())),
            _ => Ok(()),
        }
    }

    /// Writes it whole before it gets its name: once visible, it is complete.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let written = || -> anyhow::Result<()> {
            let mut file = NamedTempFile::new_in(directory)?;
            file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
            file.persist(path)?;
            Ok(())
        };
        written().with_context(|| format!("cannot write the ready file {}", path.display()))
    }
}

/// The screen.
pub(super) struct Screen<'a> {
    pub(super) ready: &'a ReadyFile,
    pub(super) catalog: &'a Catalog,
    /// Whether there are no other clients than those of `catalog`.
    pub(super) is_whole: bool,
    /// Whether clients speak TLS with it, and not with a proxy in front.
    pub(super) has_tls: bool,
    pub(super) certificates: &'a DevCertificates,
    pub(super) keys: &'a DevKeys,
    pub(super) data: &'a DataDirectory,
}

impl Screen<'_> {
    /// # Errors
    /// Standard output cannot be written.
    pub(super) fn print(&self) -> io::Result<()> {
        self.print_places()?;
        say!("")?;
        say!("{}", bold("Get a token:"))?;
        let (demo, words) = (demo_secrets(), self.words());
        let lines = self.lines(&demo, &words);
        for client in self.catalog.clients.iter().take(MOST_CLIENTS) {
            say!("")?;
            match lines.of(client) {
                Ok(Line { text, note }) => {
                    let note = note.map(|note| format!(" ({note})")).unwrap_or_default();
                    say!("  # {}{note}", client.id)?;
                    say!("  {text}")?;
                }
                Err(why) => say!("  # {} {why}", client.id)?,
            }
        }
        let more = self.catalog.clients.len().saturating_sub(MOST_CLIENTS);
        if more > 0 {
            say!("")?;
            let data = quoted(self.data.path().display());
            let more = if self.is_whole {
                more.to_string()
            } else {
                "many".to_owned()
            };
            say!("  # {more} more: grantd client list --data {data}")?;
        }
        say!("")?;
        say!("Press Ctrl-C to stop.")
    }

    /// What clients prove themselves with.
    pub(super) fn words(&self) -> FilesAsWords<'_> {
        FilesAsWords {
            issuer: &self.ready.issuer,
            certificates: self.certificates,
            keys: self.keys,
        }
    }

    /// What gets a token for each client; `demo` are the secrets that everybody knows.
    pub(super) fn lines<'l>(
        &'l self,
        demo: &'l [(ClientId, Secret)],
        words: &'l dyn Words,
    ) -> Lines<'l> {
        Lines {
            endpoint: &self.ready.token_endpoint,
            mutual_endpoint: self.ready.mtls_token_endpoint.as_deref(),
            ca: &self.certificates.ca,
            words,
            audiences: self.catalog.audiences.iter().map(|it| &it.value).collect(),
            demo,
            shows_secrets: false,
            has_tls: self.has_tls,
        }
    }

    fn print_places(&self) -> io::Result<()> {
        let kept = if self.data.is_temporary() {
            "deleted when this process ends; keep them with --data DIR"
        } else {
            "kept"
        };
        say!(
            "{}",
            bold(&format!("grantd dev, issuer {}", self.ready.issuer))
        )?;
        say!("")?;
        say!("  token          {}", self.ready.token_endpoint)?;
        say!("  introspection  {}", self.ready.introspection_endpoint)?;
        say!("  keys           {}", self.ready.jwks_uri)?;
        if let Some(endpoint) = &self.ready.mtls_token_endpoint {
            say!("  mutual TLS     {endpoint}")?;
        }
        say!("  CA to trust    {}", self.ready.ca_file.display())?;
        say!("  health         {}/readyz", self.ready.operations)?;
        if let Some(control) = &self.ready.control {
            say!("  for tests      {control}/_test")?;
        }
        say!("  data           {} ({kept})", self.data.path().display())
    }
}

/// What everybody can read in `config/catalog.toml`.
pub(super) fn demo_secrets() -> Vec<(ClientId, Secret)> {
    let none = |_: &str| None;
    let Ok(demo) = Catalog::parse(DEMO_NAME, DEMO, &CatalogOptions::dev(&none)) else {
        return Vec::new();
    };
    let secrets = demo.clients.iter().filter_map(|client| {
        let mut credentials = client.credentials.iter();
        credentials.find_map(|it| match &it.material {
            CredentialMaterial::Secret(StatedSecret::Clear(secret)) => {
                Some((client.id.clone(), secret.clone()))
            }
            _ => None,
        })
    });
    secrets.collect()
}
