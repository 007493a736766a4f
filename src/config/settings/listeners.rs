//! The tables of the listeners, `[public]`, `[mtls]` and `[operations]`, and how they are read.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::declare::{Declared as _, names, section};
use crate::config::document::Located;
use crate::config::fault::Problem;
use crate::config::section::Section;
use crate::config::value;
use crate::domain::client::named;
use crate::domain::issuer::Issuer;

/// The name of the listener that clients reach.
pub const PUBLIC: &str = "public";
/// The name of the listener that asks for client certificates.
pub const MTLS: &str = "mtls";
/// The name of the listener for health.
pub const OPERATIONS: &str = "operations";

section! {
    /// The listener for clients.
    pub(super) struct PublicTable = "public" {
        /// IP address and port.
        listen: SocketAddr = SocketAddr::from(([0, 0, 0, 0], 8443));
        /// Certificate chain and private key in PEM form; both or neither. Reloaded when they change.
        tls_certificate_file: Option<PathBuf>, written "\"tls/server.pem\"";
        tls_key_file: Option<PathBuf>, written "\"tls/server.key\"";
        /// true if a proxy in front handles TLS. Plain HTTP is always allowed on loopback.
        allow_plain_http: bool = false;
    }
}

section! {
    /// A separate listener that asks for client certificates (RFC 8705). Without this table no client can authenticate
    /// with a certificate. The metadata publishes it as `mtls_endpoint_aliases`.
    pub(super) struct MutualTable = "mtls" {
        /// Where the TLS of these clients ends: at this `listener`, or at a `proxy` that asks for certificates and
        /// passes them on as `[proxy]` says. With `proxy` there is no listener: only `client_ca_files` and `url` belong
        /// here.
        termination: Termination = Termination::Listener;
        /// IP address and port.
        listen: SocketAddr = SocketAddr::from(([0, 0, 0, 0], 8444));
        /// Certificate chain and private key in PEM form. Default: those of `[public]`.
        tls_certificate_file: Option<PathBuf>, shown "\"tls/mtls.pem\"";
        tls_key_file: Option<PathBuf>, shown "\"tls/mtls.key\"";
        /// The CAs that `tls_client_auth` trusts; without any, that method is off. Reloaded when they change.
        /// `self_signed_tls_client_auth` needs none.
        client_ca_files: Vec<PathBuf>;
        /// Scheme, host and port that clients connect to. Default: the issuer's host with the port of `listen`, or the
        /// issuer's own scheme, host and port if a proxy asks for certificates.
        url: Option<String>, by origin, shown "\"https://auth.internal.example:8444\"";
    }
}

section! {
    /// Health checks; do not expose this listener to clients.
    pub struct OperationsListener = "operations" {
        /// IP address and port.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 9090));
    }
}

/// The listener that clients reach.
#[derive(Clone, Debug)]
pub struct PublicListener {
    /// The address.
    pub listen: SocketAddr,
    /// None: plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Whether plain HTTP is allowed beyond loopback.
    pub allow_plain_http: bool,
}

impl Default for PublicListener {
    fn default() -> Self {
        PublicTable::default().with(None)
    }
}

impl PublicTable {
    fn with(self, tls: Option<TlsFiles>) -> PublicListener {
        PublicListener {
            listen: self.listen,
            tls,
            allow_plain_http: self.allow_plain_http,
        }
    }
}

/// Two PEM files, read again when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// How clients present certificates.
#[derive(Clone, Debug)]
pub struct MutualTls {
    /// The listener that asks for client certificates; none: proxies ask, and pass them on.
    pub listener: Option<MutualListener>,
    /// PEM files with the CAs of `tls_client_auth`.
    pub client_ca_files: Vec<PathBuf>,
    /// Scheme, host and port under which clients present certificates; none: the issuer's host with the port of the
    /// listener, or without a listener the issuer's own.
    pub url: Option<String>,
}

impl MutualTls {
    /// Scheme, host and port where clients find certificates asked for: as the settings say, else at the listener,
    /// else at the proxy that has the issuer's name.
    #[must_use]
    pub fn origin(&self, issuer: &Issuer) -> String {
        let port = self.listener.as_ref().map(|it| it.listen.port());
        let default = || match port {
            None => issuer.origin().to_owned(),
            Some(443) => format!("https://{}", issuer.host()),
            Some(port) => format!("https://{}:{port}", issuer.host()),
        };
        self.url.clone().unwrap_or_else(default)
    }
}

/// Where grantd itself asks for client certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutualListener {
    /// The address.
    pub listen: SocketAddr,
    /// Certificate chain and private key: its own, or those of `[public]`.
    pub tls: TlsFiles,
}

named! {
    /// Where the TLS of clients with certificates ends.
    Termination {
        /// At a listener of grantd's own.
        Listener = "listener",
        /// At a proxy.
        Proxy = "proxy",
    }
}
names!(Termination);

/// None where the TLS files of `[public]` are incomplete.
pub(super) fn public(table: &mut Section<'_>, base: &Path) -> Option<PublicListener> {
    let public = PublicTable::read(table, base);
    let files = (
        public.tls_certificate_file.clone(),
        public.tls_key_file.clone(),
    );
    let tls = tls_files(table, files).ok()?;
    if tls.is_none() && !public.allow_plain_http && !public.listen.ip().is_loopback() {
        let place = table.place_of("listen");
        table.fault(&place, "listen", Problem::PlainHttp(public.listen));
    }
    Some(public.with(tls))
}

/// A fault that stands in the list already.
struct Reported;

/// Both files or neither; it is a fault where one is missing.
fn tls_files(
    table: &Section<'_>,
    files: (Option<PathBuf>, Option<PathBuf>),
) -> Result<Option<TlsFiles>, Reported> {
    let (given, missing) = match files {
        (Some(certificate), Some(key)) => return Ok(Some(TlsFiles { certificate, key })),
        (None, None) => return Ok(None),
        (Some(_), None) => ("tls_certificate_file", "tls_key_file"),
        (None, Some(_)) => ("tls_key_file", "tls_certificate_file"),
    };
    table.fault(&table.place_of(given), given, Problem::Without(missing));
    Err(Reported)
}

/// The table `[mtls]`: a listener with TLS files of its own or those of `public`, or none where proxies ask.
pub(super) fn mutual(
    table: &mut Section<'_>,
    base: &Path,
    public: Option<&PublicListener>,
) -> Option<MutualTls> {
    let mutual = MutualTable::read(table, base);
    let listener = match mutual.termination {
        Termination::Listener => Some(mutual_listener(table, &mutual, public)?),
        Termination::Proxy => {
            for key in ["listen", "tls_certificate_file", "tls_key_file"] {
                if let Some(place) = table.has(key) {
                    table.fault(&place, key, Problem::NoListener);
                }
            }
            None
        }
    };
    Some(MutualTls {
        listener,
        client_ca_files: mutual.client_ca_files,
        url: mutual.url,
    })
}

fn mutual_listener(
    table: &Section<'_>,
    mutual: &MutualTable,
    public: Option<&PublicListener>,
) -> Option<MutualListener> {
    let listen = mutual.listen;
    if listen.port() != 0 && public.is_some_and(|public| public.listen == listen) {
        table.fault(&table.place_of("listen"), "listen", Problem::SameAddress);
    }
    let files = (
        mutual.tls_certificate_file.clone(),
        mutual.tls_key_file.clone(),
    );
    let own = tls_files(table, files).ok()?;
    let Some(tls) = own.or_else(|| public.and_then(|public| public.tls.clone())) else {
        let remedy = "write tls_certificate_file and tls_key_file here or in [public]";
        table.fault(
            table.place(),
            "tls_certificate_file",
            Problem::Missing(remedy),
        );
        return None;
    };
    Some(MutualListener { listen, tls })
}

/// `https://host` with an optional port, and nothing behind it: the issuer's path is appended.
fn origin(located: Located, _: &Path) -> Result<String, Problem> {
    let text = value::text(located)?;
    match Issuer::parse(&text, false) {
        Ok(url) if url.is_https() && url.path().is_empty() => Ok(text),
        _ => Err(Problem::Expected(
            "https://, a host and a port, for example \"https://auth.internal.example:8444\"",
        )),
    }
}

/// The table `[operations]`, whose address must be none of the others.
pub(super) fn operations(
    table: &mut Section<'_>,
    base: &Path,
    others: [Option<SocketAddr>; 2],
) -> OperationsListener {
    let operations = OperationsListener::read(table, base);
    if operations.listen.port() != 0 && others.contains(&Some(operations.listen)) {
        table.fault(&table.place_of("listen"), "listen", Problem::SameAddress);
    }
    operations
}
