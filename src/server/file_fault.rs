//! Why the files of TLS and of client CAs cannot be used.

use std::io;
use std::path::PathBuf;

use crate::config::settings::TlsFiles;
use crate::crypto::certificates::authorities::InvalidCas;

/// Why files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// A file cannot be read.
    #[error("cannot read the {what} {}: {source}", path.display())]
    Read {
        /// `TLS file` or `client CA file`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A certificate file holds no certificates.
    #[error("{} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", .0.display())]
    NoCertificate(PathBuf),
    /// A key file holds no private key.
    #[error("{} holds no unencrypted private key in PEM form (-----BEGIN PRIVATE KEY-----)", .0.display())]
    NoKey(PathBuf),
    /// A certificate and a key do not fit, or are of a kind that is not supported.
    #[error("the certificate {} and the key {} cannot be used together: {source}", .files.certificate.display(), .files.key.display())]
    Unusable {
        /// The files.
        files: TlsFiles,
        /// The reason.
        #[source]
        source: rustls::Error,
    },
    /// A file holds something else than client CAs.
    #[error("the client CA file {} holds {source}", path.display())]
    NoCas {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: InvalidCas,
    },
}
