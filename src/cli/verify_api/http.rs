//! The client: one request at a time, each over a connection of its own, no redirects, bounded in size and time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::fetch::causes;

/// The longest answer that is read, in bytes; of a longer one the beginning counts.
const MOST: usize = 8 * 1024 * 1024;

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why nothing came back.
#[derive(Debug)]
pub(super) enum Silence {
    /// Nothing within the time that was given.
    Timeout(Duration),
    /// The other side ended the TLS session with an alert: it does not take what we showed, or did not show.
    TlsAlert(String),
    /// No connection, or one that ended without a whole answer.
    Broken(String),
}

impl std::fmt::Display for Silence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Timeout(limit) => write!(f, "no answer within {limit:?}"),
            Self::TlsAlert(alert) => write!(f, "the TLS session was refused: {alert}"),
            Self::Broken(reason) => f.write_str(reason),
        }
    }
}

/// A certificate to show, with its private key, both as PEM.
pub(super) type Identity<'a> = Option<(&'a str, &'a str)>;

/// Whom it trusts, and how long it waits.
pub(super) struct Http {
    roots: Roots,
    patience: Duration,
}

/// Which CAs may have signed a server's certificate.
enum Roots {
    OfTheSystem,
    These(RootCertStore),
}

impl Http {
    /// Trusts the CAs in `ca_file` alone, or those of the system.
    ///
    /// # Errors
    /// The file holds no certificates.
    pub(super) fn new(ca_file: Option<&Path>, patience: Duration) -> anyhow::Result<Self> {
        let roots = match ca_file {
            None => Roots::OfTheSystem,
            Some(path) => {
                let shown = || format!("--ca-file {}", path.display());
                Roots::These(certificates(path).with_context(shown)?)
            }
        };
        Ok(Self { roots, patience })
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// Where there is none; and, as the outer error, where the request could not be made.
    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        identity: Identity<'_>,
    ) -> anyhow::Result<Result<Answer, Silence>> {
        let is_https = request.uri().scheme_str() == Some("https");
        let client = self.client(is_https, identity)?;
        let exchange = async {
            let answer = client
                .request(request)
                .await
                .map_err(|error| broken(&error))?;
            let (head, body) = answer.into_parts();
            let mut body = Limited::new(body, MOST);
            let mut read = Vec::new();
            // What is longer is of no interest; what breaks off is no answer.
            while let Some(frame) = body.frame().await {
                match frame {
                    Ok(frame) => read.extend(frame.into_data().unwrap_or_default()),
                    Err(error) if error.is::<http_body_util::LengthLimitError>() => break,
                    Err(error) => return Err(broken(error.as_ref())),
                }
            }
            Ok(Answer {
                status: head.status,
                headers: head.headers,
                body: read.into(),
            })
        };
        let answer = tokio::time::timeout(self.patience, exchange).await;
        Ok(answer.unwrap_or(Err(Silence::Timeout(self.patience))))
    }

    fn client(
        &self,
        is_https: bool,
        identity: Identity<'_>,
    ) -> anyhow::Result<Client<HttpsConnector<HttpConnector>, Full<Bytes>>> {
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?;
        let builder = match &self.roots {
            Roots::These(roots) => builder.with_root_certificates(roots.clone()),
            Roots::OfTheSystem if is_https => builder
                .with_native_roots()
                .context("this machine has no CAs; name those to trust with --ca-file")?,
            Roots::OfTheSystem => builder.with_root_certificates(RootCertStore::empty()),
        };
        let tls = match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder.with_client_auth_cert(
                CertificateDer::pem_slice_iter(certificate.as_bytes()).collect::<Result<_, _>>()?,
                PrivateKeyDer::from_pem_slice(key.as_bytes())?,
            )?,
        };
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .build(connector))
    }
}

fn certificates(path: &Path) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path)? {
        roots.add(certificate?)?;
    }
    if roots.is_empty() {
        return Err(anyhow!("no certificates in PEM form"));
    }
    Ok(roots)
}

fn broken(error: &(dyn std::error::Error + 'static)) -> Silence {
    let alert = causes::of(error).find_map(|cause| match cause.downcast_ref() {
        Some(rustls::Error::AlertReceived(alert)) => Some(alert),
        _ => None,
    });
    match alert {
        Some(alert) => Silence::TlsAlert(format!("{alert:?}")),
        None => Silence::Broken(causes::innermost(error).to_string()),
    }
}
