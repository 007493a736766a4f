//! The certificates of `grantd dev`: a throw-away CA, the server's, and one for each client that proves itself by
//! one (RFC 8705). They lie in the data directory and outlive the process where that does.

use std::path::PathBuf;

use anyhow::Context as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::data_directory::DataDirectory;
use crate::config::catalog::{Catalog, CatalogClient, Placed};
use crate::crypto::certificates::made::{CertificateKey, ThrowAwayCa};
use crate::crypto::digest::certificate_thumbprint;
use crate::domain::client::AuthMethod;
use crate::domain::credential::{CredentialMaterial, PublicMaterial};
use crate::domain::identifier::ClientId;
use crate::domain::timestamp::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// What of a client's id is escaped in the name of a file.
const IN_FILE_NAMES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');
/// What the server is reached by.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Where everything lies.
#[derive(Debug)]
pub(super) struct DevCertificates {
    pub(super) ca: PathBuf,
    pub(super) ca_key: PathBuf,
    pub(super) server: PathBuf,
    pub(super) server_key: PathBuf,
    pub(super) clients: Vec<DevClient>,
}

/// The certificate of one client.
#[derive(Debug)]
pub(super) struct DevClient {
    pub(super) id: ClientId,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    /// Where the certificate itself is what is registered: its `x5t#S256`.
    thumbprint: Option<String>,
}

impl DevCertificates {
    /// Makes what is not there yet, for a server that is called `host`, too. With a client CA of somebody else, clients of
    /// `tls_client_auth` bring theirs.
    pub(super) fn make(
        data: &DataDirectory,
        catalog: &Catalog,
        (host, own_client_ca): (&str, bool),
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let ca = ThrowAwayCa::new(key(data, "ca.key")?);
        data.put_new("ca.pem", ca.certificate(now)?.as_bytes())?;
        let server_key = key(data, "server.key")?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let also = (!NAMES.contains(&host)).then_some(host);
        let names: Vec<&str> = NAMES.into_iter().chain(also).collect();
        data.put(
            "server.pem",
            ca.server(&server_key, &names, now)?.as_bytes(),
        )?;
        let mut clients = Vec::new();
        for client in &catalog.clients {
            let made = if client
                .auth_methods
                .contains(&AuthMethod::SelfSignedTlsClientAuth)
            {
                Some(self_signed(data, client, now)?)
            } else if own_client_ca {
                of_ca(data, client, &ca, now)
            } else {
                None
            };
            clients.extend(made);
        }
        let path = |name| data.path().join(name);
        Ok(Self {
            ca: path("ca.pem"),
            ca_key: path("ca.key"),
            server: path("server.pem"),
            server_key: path("server.key"),
            clients,
        })
    }

    /// Registers the self-signed ones beside what the catalog states.
    pub(super) fn register(&self, catalog: &mut Catalog) {
        for made in &self.clients {
            let Some(thumbprint) = &made.thumbprint else {
                continue;
            };
            let credential = Placed::made_by_dev(PublicMaterial::Certificate(thumbprint.clone()));
            if let Some(client) = catalog
                .clients
                .iter_mut()
                .find(|client| client.id == made.id)
            {
                client.credentials.push(credential);
            }
        }
    }

    /// Of self-signed ones those stay that `catalog` has registered: others would prove nothing.
    pub(super) fn keep_registered(&mut self, catalog: &Catalog) {
        let is_registered = |made: &DevClient, thumbprint: &str| {
            let clients = catalog.clients.iter().filter(|it| it.id == made.id);
            clients.flat_map(|it| &it.credentials).any(
                |it| matches!(&it.material, CredentialMaterial::Certificate(known) if known == thumbprint),
            )
        };
        self.clients.retain(|made| match &made.thumbprint {
            Some(thumbprint) => is_registered(made, thumbprint),
            None => true,
        });
    }

    /// The files of one client.
    pub(super) fn of(&self, id: &ClientId) -> Option<&DevClient> {
        self.clients.iter().find(|client| client.id == *id)
    }
}

/// The key in the file `name`, made where there is none.
fn key(data: &DataDirectory, name: &str) -> anyhow::Result<CertificateKey> {
    let make = || Ok(CertificateKey::generate()?.to_pem());
    data.kept(name, make, |pem| Ok(CertificateKey::from_pem(pem)?))
}

fn self_signed(
    data: &DataDirectory,
    client: &CatalogClient,
    now: Timestamp,
) -> anyhow::Result<DevClient> {
    let mut made = files(data, client);
    let certificate = key(data, &name(client, "key"))?.self_signed(client.id.as_str(), now)?;
    data.put_new(&name(client, "pem"), certificate.as_bytes())?;
    let der = CertificateDer::from_pem_file(&made.certificate)
        .with_context(|| format!("{} cannot be used", made.certificate.display()))?;
    made.thumbprint = Some(certificate_thumbprint(&der));
    Ok(made)
}

/// None where no subject is registered, or one that no certificate can be made for, which is said.
fn of_ca(
    data: &DataDirectory,
    client: &CatalogClient,
    ca: &ThrowAwayCa,
    now: Timestamp,
) -> Option<DevClient> {
    let subject = client
        .credentials
        .iter()
        .find_map(|credential| match &credential.material {
            CredentialMaterial::Subject(subject) if credential.retired_at.is_none() => {
                Some(subject)
            }
            _ => None,
        })?;
    let make = || -> anyhow::Result<DevClient> {
        let certificate = ca.client(&key(data, &name(client, "key"))?, subject, now)?;
        data.put(&name(client, "pem"), certificate.as_bytes())?;
        Ok(files(data, client))
    };
    make()
        .inspect_err(|error| tracing::warn!(client = %client.id, "{error}"))
        .ok()
}

fn files(data: &DataDirectory, client: &CatalogClient) -> DevClient {
    DevClient {
        id: client.id.clone(),
        certificate: data.path().join(name(client, "pem")),
        key: data.path().join(name(client, "key")),
        thumbprint: None,
    }
}

/// A name that no client id can lead elsewhere: what is not plain becomes `%` and two digits.
pub(super) fn name(client: &CatalogClient, ending: &str) -> String {
    let id = utf8_percent_encode(client.id.as_str(), IN_FILE_NAMES);
    format!("client-{id}.{ending}")
}
