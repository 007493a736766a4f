//! Documents that other servers publish, such as JWK sets: one GET each, over a connection of its own, bounded in size
//! and time, through the proxy that the environment names.
//!
//! Nothing that an answer says leads anywhere else: no redirect is followed, no cookie kept, no encoding undone.

pub mod causes;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Request, StatusCode, Uri};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioExecutor;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ConfigBuilder, InvalidMessage, RootCertStore, WantsVerifier};
use tokio::sync::OnceCell;

use crate::domain::key_source::KeySource;
use causes::innermost;

/// The longest document, in bytes.
const MOST: usize = 1 << 20;
/// From the connection to the last byte.
const PATIENCE: Duration = Duration::from_secs(5);

/// Fetches.
pub struct Fetcher {
    /// Whether it fetches over http, which only loopback addresses have (`KeySource::parse`).
    may_be_plain: bool,
    proxies: Matcher,
    /// Trusts the CAs of the system, which are read once.
    of_system: OnceCell<ClientConfig>,
}

/// A document, and what its server says of its age.
#[derive(Debug)]
pub struct Fetched {
    /// The document.
    pub body: Vec<u8>,
    /// How long it is good without asking again, by `Cache-Control` (RFC 9111 section 5.2.2); zero where it must not be
    /// kept.
    pub max_age: Option<Duration>,
}

/// Why there is no document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFault {
    /// No CAs to trust.
    #[error("this machine has no CAs ({0}); install them, or name those of the server in ca_file")]
    NoRoots(String),
    /// The CAs of the source hold no certificate that can be trusted.
    #[error("the CA certificates cannot be read")]
    Ca,
    /// The token that goes with the request cannot be had.
    #[error("the token in bearer_token_file cannot be read: {0}")]
    Token(String),
    /// Without TLS, where that is not taken.
    #[error(
        "its URL begins with http://, which only `grantd dev` fetches: write an https one in the catalog"
    )]
    Plain,
    /// What no HTTP client can ask for.
    #[error("the URL cannot be asked for")]
    Url,
    /// Slower than it may be.
    #[error("no whole answer within {PATIENCE:?}")]
    Slow,
    /// No connection, none that can be trusted, or one that broke.
    #[error("{0}")]
    Broken(String),
    /// An answer that leads elsewhere.
    #[error("it answered {0}, and redirects are not followed: name the URL where the keys are")]
    Redirect(u16),
    /// Any other answer than the document.
    #[error("it answered {0}")]
    Status(u16),
    /// Longer than it may be.
    #[error("the answer is larger than 1 MiB")]
    Large,
}

impl Fetcher {
    /// One that goes through the proxies that `HTTPS_PROXY` and `NO_PROXY` name. Whatever a database says, only one that
    /// `may_be_plain` fetches over http.
    #[must_use]
    pub fn of_environment(may_be_plain: bool) -> Self {
        Self::by(Matcher::from_env(), may_be_plain)
    }

    fn by(proxies: Matcher, may_be_plain: bool) -> Self {
        Self {
            may_be_plain,
            proxies,
            of_system: OnceCell::new(),
        }
    }

    /// The document at `source`, within 5 s. How many are fetched at once is the caller's to bound.
    ///
    /// # Errors
    /// See [`FetchFault`].
    pub async fn fetch(&self, source: &KeySource) -> Result<Fetched, FetchFault> {
        if source.is_plain() && !self.may_be_plain {
            return Err(FetchFault::Plain);
        }
        let url: Uri = source.url().parse().map_err(|_| FetchFault::Url)?;
        let tls = self.tls(source).await?;
        let request = request(source, &url).await?;
        let answer = async {
            match self.proxies.intercept(&url).filter(|_| !source.is_plain()) {
                Some(proxy) => get(through(&proxy, tls), request).await,
                None => get(https(tls).build(), request).await,
            }
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        answer.unwrap_or(Err(FetchFault::Slow))
    }

    async fn tls(&self, source: &KeySource) -> Result<ClientConfig, FetchFault> {
        match source.ca() {
            Some(pem) => Ok(builder()?
                .with_root_certificates(roots(pem)?)
                .with_no_client_auth()),
            None if source.is_plain() => Ok(builder()?
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth()),
            None => self.of_system.get_or_try_init(of_system).await.cloned(),
        }
    }
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").finish_non_exhaustive()
    }
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, FetchFault> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| FetchFault::Broken(error.to_string()))
}

/// Reading the CAs of the system takes a while.
async fn of_system() -> Result<ClientConfig, FetchFault> {
    let builder = builder()?;
    let read = tokio::task::spawn_blocking(|| builder.with_native_roots()).await;
    let read = read.map_err(|error| FetchFault::NoRoots(error.to_string()))?;
    let read = read.map_err(|error| FetchFault::NoRoots(error.to_string()))?;
    Ok(read.with_no_client_auth())
}

/// The certificates of a PEM text as the only CAs.
///
/// # Errors
/// None in it, or one that cannot be trusted.
fn roots(pem: &str) -> Result<RootCertStore, FetchFault> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| FetchFault::Ca)?;
        roots.add(certificate).map_err(|_| FetchFault::Ca)?;
    }
    if roots.is_empty() {
        return Err(FetchFault::Ca);
    }
    Ok(roots)
}

fn https(tls: ClientConfig) -> HttpsBuilder {
    HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
}

type HttpsBuilder =
    hyper_rustls::HttpsConnectorBuilder<hyper_rustls::builderstates::WantsProtocols2>;

/// Through a tunnel: the proxy sees the name of the host and no more.
fn through(
    proxy: &Intercept,
    tls: ClientConfig,
) -> HttpsConnector<Tunnel<HttpsConnector<HttpConnector>>> {
    let mut tunnel = Tunnel::new(proxy.uri().clone(), https(tls.clone()).build());
    if let Some(credentials) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(credentials.clone());
    }
    https(tls).wrap_connector(tunnel)
}

/// Whoever holds the file replaces it from time to time, as a kubelet does.
async fn request(source: &KeySource, url: &Uri) -> Result<Request<Empty<Bytes>>, FetchFault> {
    let mut request = Request::get(url)
        .header(ACCEPT, "application/jwk-set+json, application/json")
        .header(USER_AGENT, concat!("grantd/", env!("CARGO_PKG_VERSION")));
    if let Some(file) = source.bearer_token_file() {
        let token = tokio::fs::read_to_string(file).await;
        let token = token.map_err(|error| FetchFault::Token(error.kind().to_string()))?;
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.trim()))
            .map_err(|_| FetchFault::Token("it is no token".to_owned()))?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    request.body(Empty::new()).map_err(|_| FetchFault::Url)
}

async fn get<C>(connector: C, request: Request<Empty<Bytes>>) -> Result<Fetched, FetchFault>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let client = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .retry_canceled_requests(false)
        .build::<_, Empty<Bytes>>(connector);
    let answer = client.request(request).await;
    let answer = answer.map_err(|error| broken(&error))?;
    let status = answer.status();
    if status.is_redirection() {
        return Err(FetchFault::Redirect(status.as_u16()));
    }
    if status != StatusCode::OK {
        return Err(FetchFault::Status(status.as_u16()));
    }
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, MOST).collect().await;
    let body = body.map_err(|error| {
        if error.is::<LengthLimitError>() {
            FetchFault::Large
        } else {
            broken(error.as_ref())
        }
    })?;
    Ok(Fetched {
        body: body.to_bytes().to_vec(),
        max_age: max_age(&head.headers),
    })
}

/// Whoever answers a greeting of TLS by something else speaks another protocol, most often plain HTTP.
fn broken(error: &(dyn Error + 'static)) -> FetchFault {
    let cause = innermost(error);
    let of_tls = cause.downcast_ref::<rustls::Error>();
    FetchFault::Broken(match of_tls {
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            "what answers there does not speak TLS: is it http, or another port?".to_owned()
        }
        _ => cause.to_string(),
    })
}

/// What forbids keeping wins over how long.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(CACHE_CONTROL).into_iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let directives: Vec<String> = values
        .flat_map(|value| value.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase())
        .collect();
    let is_fleeting = |it: &String| it == "no-store" || it == "no-cache";
    if directives.iter().any(is_fleeting) {
        return Some(Duration::ZERO);
    }
    let age = directives.iter().find_map(|it| it.strip_prefix("max-age="));
    let age = age?.trim_matches('"').parse().ok()?;
    Some(Duration::from_secs(age))
}

#[cfg(test)]
mod tests;
