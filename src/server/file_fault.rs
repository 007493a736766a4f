//! Why the files of TLS and of client CAs cannot be used.

use std::io;
use std::path::PathBuf;

use crate::config::settings::TlsFiles;
use crate::crypto::certificates::authorities::InvalidCas;

/// Why files cannot be used.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    #[error("cannot read the {what} {}: {source}", path.display())]
    Read {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", .0.display())]
    NoCertificate(PathBuf),
    #[error("{} holds no unencrypted private key in PEM form (-----BEGIN PRIVATE KEY-----)", .0.display())]
    NoKey(PathBuf),
    /// A certificate and a key do not fit, or are of a kind that is not supported.
    #[error("the certificate {} and the key {} cannot be used together: {source}", .files.certificate.display(), .files.key.display())]
    Unusable {
        files: TlsFiles,
        #[source]
        source: rustls::Error,
    },
    #[error("the client CA file {} holds {source}", path.display())]
    NoCas {
        path: PathBuf,
        #[source]
        source: InvalidCas,
    },
}
