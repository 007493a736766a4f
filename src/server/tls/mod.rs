//! TLS of a listener: certificate and key from files, read again when they change (RFC 9325).

mod suites;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::any_certificate::AnyCertificate;
use super::file_fault::FileFault;
use super::reload::Reload;
use super::watched::{Content, Watched, What};
use crate::config::settings::TlsFiles;
use crate::crypto::certificates::{CertificateChain, first_expiry};
use crate::domain::profile::Profile;
use crate::domain::timestamp::Timestamp;
use crate::http::connection::Connection;
use crate::operations::caller::ClientCertificate;
use crate::operations::reloads::{Reloadable, Reloads};

const WHAT: What = What {
    file: "TLS file",
    made: "TLS certificate and key",
    counted: Reloadable::Certificate,
};

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
    clients: ClientCertificates,
    config: Arc<Watched<Loaded>>,
}

/// What is made of the files.
struct Loaded {
    config: Arc<ServerConfig>,
    /// When the first of the certificates ends.
    expires_at: Option<Timestamp>,
}

impl Tls {
    /// Reads the files; clients are never asked for a certificate, and the profile says with which suites they may
    /// come.
    ///
    /// # Errors
    /// They cannot be read, hold something else, or do not belong together.
    pub fn load(files: TlsFiles, profile: Profile) -> Result<Arc<Self>, FileFault> {
        Self::new(files, ClientCertificates::NeverAsked, profile)
    }

    /// Reads the files of a listener that asks each client for a certificate (RFC 8705 section 2).
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_mutual(files: TlsFiles, profile: Profile) -> Result<Arc<Self>, FileFault> {
        Self::new(files, ClientCertificates::Asked, profile)
    }

    fn new(
        files: TlsFiles,
        clients: ClientCertificates,
        profile: Profile,
    ) -> Result<Arc<Self>, FileFault> {
        let paths = vec![files.certificate.clone(), files.key.clone()];
        let make = move |contents: &[Content], _| configure(&files, clients, profile, contents);
        let config = Watched::load(WHAT, paths, make)?;
        Ok(Arc::new(Self { clients, config }))
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
        TlsAcceptor::from(Arc::clone(&self.config.current().config))
            .accept(stream)
            .await
    }

    /// When the first of the certificates in use ends.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        self.config.current().expires_at
    }

    /// Looks at the files for ever, and takes them when they change.
    pub(super) async fn keep_fresh(self: Arc<Self>, reloads: Arc<Reloads>) {
        Arc::clone(&self.config).keep_fresh(reloads).await;
    }

    /// What reads the files again at once.
    pub(super) fn reload(&self) -> Arc<dyn Reload> {
        Arc::clone(&self.config) as Arc<dyn Reload>
    }
}

/// TLS 1.2 and 1.3; rustls takes the newer one wherever a client can.
fn configure(
    files: &TlsFiles,
    clients: ClientCertificates,
    profile: Profile,
    contents: &[Content],
) -> Result<Loaded, FileFault> {
    let [certificate, key] = contents else {
        return Err(FileFault::NoKey(files.key.clone()));
    };
    let chain = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| FileFault::NoCertificate(files.certificate.clone()))?;
    let key =
        PrivateKeyDer::from_pem_slice(key).map_err(|_| FileFault::NoKey(files.key.clone()))?;
    let unusable = |source| FileFault::Unusable {
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
    let expires_at = first_expiry(&chain);
    let mut config = builder.with_single_cert(chain, key).map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    if clients == ClientCertificates::Asked {
        forget_sessions(&mut config);
    }
    Ok(Loaded {
        config: Arc::new(config),
        expires_at,
    })
}

/// A resumed session would bring back a certificate without a proof that its key is still held.
fn forget_sessions(config: &mut ServerConfig) {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
}

#[cfg(test)]
mod tests;
