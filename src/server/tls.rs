//! TLS of a listener: certificate and key from files, read again when they change (RFC 9325).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use zeroize::Zeroizing;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The PEM files of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those between it and its CA, in this order.
    pub certificate: PathBuf,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
}

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

/// TLS with the newest good files.
pub struct Tls {
    files: TlsFiles,
    current: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// They cannot be read, hold something else, or do not belong together.
    pub fn load(files: TlsFiles) -> Result<Arc<Self>, TlsError> {
        let config = configure(&files, &read(&files)?)?;
        Ok(Arc::new(Self { files, current: ArcSwap::from_pointee(config) }))
    }

    /// Does the handshake; the caller bounds its time.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.current.load_full()).accept(stream).await
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
            Ok(content) => configure(&self.files, content).map_err(|error| error.to_string()),
            Err(error) => Err(error.clone()),
        };
        match taken {
            Ok(config) => {
                self.current.store(Arc::new(config));
                tracing::info!(file = %self.files.certificate.display(), "TLS certificate read");
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
        fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })
    };
    Ok(Content { certificate: read(&files.certificate)?, key: Zeroizing::new(read(&files.key)?) })
}

/// TLS 1.2 and 1.3 with rustls's suites, which all have forward secrecy and authenticated encryption.
fn configure(files: &TlsFiles, content: &Content) -> Result<ServerConfig, TlsError> {
    let chain = CertificateDer::pem_slice_iter(&content.certificate)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| TlsError::NoCertificate(files.certificate.clone()))?;
    let key = PrivateKeyDer::from_pem_slice(&content.key)
        .map_err(|_| TlsError::NoKey(files.key.clone()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|source| TlsError::Unusable { files: files.clone(), source })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests;
