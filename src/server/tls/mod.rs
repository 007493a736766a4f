//! TLS of a listener: certificate and key from files, read again when they change (RFC 9325).

mod suites;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use zeroize::Zeroizing;

use super::any_certificate::AnyCertificate;
use crate::config::file;
use crate::config::settings::TlsFiles;
use crate::crypto::certificates::CertificateChain;
use crate::domain::profile::Profile;
use crate::http::connection::Connection;
use crate::operations::caller::ClientCertificate;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Why TLS cannot be had from the files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read the TLS file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The certificate file holds no certificates.
    #[error("{} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", .0.display())]
    NoCertificate(PathBuf),
    /// The key file holds no private key.
    #[error("{} holds no unencrypted private key in PEM form (-----BEGIN PRIVATE KEY-----)", .0.display())]
    NoKey(PathBuf),
    /// The two do not fit, or a kind that is not supported.
    #[error("the certificate {} and the key {} cannot be used together: {source}", .files.certificate.display(), .files.key.display())]
    Unusable {
        /// The files.
        files: TlsFiles,
        /// The reason.
        #[source]
        source: rustls::Error,
    },
}

/// The content of both files.
#[derive(PartialEq, Eq)]
struct Content {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

/// Whether a listener asks for client certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientCertificates {
    /// It never does: a browser's user would be asked, too.
    NeverAsked,
    /// It does, and takes connections without one.
    Asked,
}

/// TLS with the newest good files.
pub struct Tls {
    files: TlsFiles,
    clients: ClientCertificates,
    profile: Profile,
    current: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads the files; clients are never asked for a certificate, and the profile says with which suites they may
    /// come.
    ///
    /// # Errors
    /// They cannot be read, hold something else, or do not belong together.
    pub fn load(files: TlsFiles, profile: Profile) -> Result<Arc<Self>, TlsError> {
        Self::new(files, ClientCertificates::NeverAsked, profile)
    }

    /// Reads the files of a listener that asks each client for a certificate (RFC 8705 section 2).
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_mutual(files: TlsFiles, profile: Profile) -> Result<Arc<Self>, TlsError> {
        Self::new(files, ClientCertificates::Asked, profile)
    }

    fn new(
        files: TlsFiles,
        clients: ClientCertificates,
        profile: Profile,
    ) -> Result<Arc<Self>, TlsError> {
        let config = configure(&files, clients, profile, &read(&files)?)?;
        Ok(Arc::new(Self {
            files,
            clients,
            profile,
            current: ArcSwap::from_pointee(config),
        }))
    }

    /// What a finished handshake says of the other side.
    pub(super) fn connection(&self, peer: SocketAddr, stream: &TlsStream<TcpStream>) -> Connection {
        let mut connection = Connection::new(peer);
        if self.clients == ClientCertificates::Asked {
            let (_, session) = stream.get_ref();
            let chain = session.peer_certificates().unwrap_or_default();
            connection.certificate = CertificateChain::new(chain)
                .ok()
                .map(|chain| ClientCertificate { chain });
            connection.bound_to_host = session.server_name().map(Into::into);
        }
        connection
    }

    /// Does the handshake; the caller bounds its time.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.current.load_full())
            .accept(stream)
            .await
    }

    /// Looks at the files for ever, and takes them when they change. The last good ones stay in use
    /// while the new ones are no good, which is said once for each change.
    pub(super) async fn keep_fresh(&self) {
        let mut seen = None;
        loop {
            self.look(&mut seen);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Contents are compared, not times: a certificate and its key are often replaced within one second. Two
    /// small files block a thread for less than handing the work over would.
    fn look(&self, seen: &mut Option<Result<Content, String>>) {
        let now = read(&self.files).map_err(|error| error.to_string());
        if seen.as_ref() == Some(&now) {
            return;
        }
        let taken = match &now {
            Ok(content) => configure(&self.files, self.clients, self.profile, content)
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.clone()),
        };
        match taken {
            Ok(config) => {
                self.current.store(Arc::new(config));
                if seen.is_some() {
                    tracing::info!(file = %self.files.certificate.display(), "TLS certificate read");
                }
            }
            Err(error) => {
                tracing::error!(error, "the TLS files changed, the ones before stay in use");
            }
        }
        *seen = Some(now);
    }
}

fn read(files: &TlsFiles) -> Result<Content, TlsError> {
    let read = |path: &Path| {
        file::read(path, file::SMALL).map_err(|source| TlsError::Read {
            path: path.to_owned(),
            source,
        })
    };
    Ok(Content {
        certificate: read(&files.certificate)?,
        key: Zeroizing::new(read(&files.key)?),
    })
}

/// TLS 1.2 and 1.3; rustls takes the newer one wherever a client can.
fn configure(
    files: &TlsFiles,
    clients: ClientCertificates,
    profile: Profile,
    content: &Content,
) -> Result<ServerConfig, TlsError> {
    let chain = CertificateDer::pem_slice_iter(&content.certificate)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| TlsError::NoCertificate(files.certificate.clone()))?;
    let key = PrivateKeyDer::from_pem_slice(&content.key)
        .map_err(|_| TlsError::NoKey(files.key.clone()))?;
    let unusable = |source| TlsError::Unusable {
        files: files.clone(),
        source,
    };
    let builder = ServerConfig::builder_with_provider(Arc::new(suites::provider(profile)))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let builder = match clients {
        ClientCertificates::NeverAsked => builder.with_no_client_auth(),
        ClientCertificates::Asked => builder.with_client_cert_verifier(AnyCertificate::new()),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    if clients == ClientCertificates::Asked {
        forget_sessions(&mut config);
    }
    Ok(config)
}

/// A resumed session would bring back a certificate without a proof that its key is still held.
fn forget_sessions(config: &mut ServerConfig) {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
}

#[cfg(test)]
mod tests;
