//! The tables of the listeners, `[public]`, `[mtls]` and `[operations]`, and how they are read.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::declare::{Declared as _, address, path, paths, section};
use crate::config::fault::Problem;
use crate::config::shaped::Section;
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
    pub struct PublicListener = "public" {
        /// IP address and port.
        listen: SocketAddr = SocketAddr::from(([0, 0, 0, 0], 8443)), by address;
        /// Certificate chain and private key in PEM form; both or neither. Reloaded when they change.
        tls_certificate_file: Option<PathBuf>, by path, written "\"tls/server.pem\"";
        tls_key_file: Option<PathBuf>, by path, written "\"tls/server.key\"";
        /// true if a proxy in front handles TLS. Plain HTTP is always allowed on loopback.
        allow_plain_http: bool = false;
    }
}

section! {
    /// A separate listener that asks for client certificates (RFC 8705). Without this table no client can authenticate
    /// with a certificate. The metadata publishes it as `mtls_endpoint_aliases`.
    pub struct MutualTls = "mtls" {
        /// Where the TLS of these clients ends: at this `listener`, or at a `proxy` that asks for certificates and
        /// passes them on as `[proxy]` says. With `proxy` there is no listener: only `client_ca_files` and `url` belong
        /// here.
        termination: Termination = Termination::Listener;
        /// IP address and port.
        listen: SocketAddr = SocketAddr::from(([0, 0, 0, 0], 8444)), by address;
        /// Certificate chain and private key in PEM form. Default: those of `[public]`.
        tls_certificate_file: Option<PathBuf>, by path, shown "\"tls/mtls.pem\"";
        tls_key_file: Option<PathBuf>, by path, shown "\"tls/mtls.key\"";
        /// The CAs that `tls_client_auth` trusts. Without any, that method is for the SPIFFE IDs of trusted issuers alone,
        /// whose bundles have their CAs. Reloaded when they change. `self_signed_tls_client_auth` needs none.
        client_ca_files: Vec<PathBuf>, by paths;
        /// Scheme, host and port that clients connect to. Default: the issuer's host with the port of `listen`, or the
        /// issuer's own scheme, host and port if a proxy asks for certificates.
        url: Option<String>, by origin, shown "\"https://auth.internal.example:8444\"";
    }
}

section! {
    /// Health checks; do not expose this listener to clients.
    pub struct OperationsListener = "operations" {
        /// IP address and port.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 9090)), by address;
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

impl TlsFiles {
    fn both(certificate: Option<&PathBuf>, key: Option<&PathBuf>) -> Option<Self> {
        Some(Self {
            certificate: certificate?.clone(),
            key: key?.clone(),
        })
    }
}

impl PublicListener {
    /// None: plain HTTP.
    #[must_use]
    pub fn tls(&self) -> Option<TlsFiles> {
        TlsFiles::both(
            self.tls_certificate_file.as_ref(),
            self.tls_key_file.as_ref(),
        )
    }
}

impl MutualTls {
    /// Clients present certificates to proxies, which pass them on.
    #[must_use]
    pub fn at_proxies(client_ca_files: Vec<PathBuf>, url: Option<String>) -> Self {
        Self {
            termination: Termination::Proxy,
            client_ca_files,
            url,
            ..Self::default()
        }
    }

    /// The listener's own certificate chain and private key, or those of `[public]`; none without a listener.
    #[must_use]
    pub fn tls(&self) -> Option<TlsFiles> {
        self.listen()?;
        TlsFiles::both(
            self.tls_certificate_file.as_ref(),
            self.tls_key_file.as_ref(),
        )
    }

    /// The address of the listener; none where only proxies ask for certificates.
    #[must_use]
    pub fn listen(&self) -> Option<SocketAddr> {
        (self.termination == Termination::Listener).then_some(self.listen)
    }

    /// Scheme, host and port where clients find certificates asked for: as the settings say, else at the listener,
    /// else at the proxy that has the issuer's name.
    #[must_use]
    pub fn origin(&self, issuer: &Issuer) -> String {
        let default = || match self.listen().map(|it| it.port()) {
            None => issuer.origin().to_owned(),
            Some(443) => format!("https://{}", issuer.host()),
            Some(port) => format!("https://{}:{port}", issuer.host()),
        };
        self.url.clone().unwrap_or_else(default)
    }
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

/// The table `[public]`.
pub(super) fn public(table: &mut Section<'_>, base: &Path) -> PublicListener {
    let public = PublicListener::read(table, base);
    check_pair(table);
    let has_no_tls = table.has(CERTIFICATE).is_none() && table.has(KEY).is_none();
    if has_no_tls && !public.allow_plain_http && !public.listen.ip().is_loopback() {
        table.fault_of("listen", Problem::PlainHttp(public.listen));
    }
    public
}

const CERTIFICATE: &str = "tls_certificate_file";
const KEY: &str = "tls_key_file";

/// Both files or neither.
fn check_pair(table: &Section<'_>) {
    for (given, needed) in [(CERTIFICATE, KEY), (KEY, CERTIFICATE)] {
        if table.has(given).is_some() && table.has(needed).is_none() {
            table.fault_of(given, Problem::Without(needed));
        }
    }
}

/// The table `[mtls]`: a listener with TLS files of its own or those of `public`, or none where proxies ask.
pub(super) fn mutual(table: &mut Section<'_>, base: &Path, public: &PublicListener) -> MutualTls {
    let mut mutual = MutualTls::read(table, base);
    let Some(listen) = mutual.listen() else {
        for key in ["listen", CERTIFICATE, KEY] {
            if table.has(key).is_some() {
                table.fault_of(key, Problem::NoListener);
            }
        }
        return mutual;
    };
    check_address(table, listen, [Some(public.listen), None]);
    check_pair(table);
    if table.has(CERTIFICATE).is_none() && table.has(KEY).is_none() {
        let (certificate, key) = (&public.tls_certificate_file, &public.tls_key_file);
        (mutual.tls_certificate_file, mutual.tls_key_file) = (certificate.clone(), key.clone());
        if certificate.is_none() && key.is_none() {
            let remedy = "write tls_certificate_file and tls_key_file here or in [public]";
            table.fault_of(CERTIFICATE, Problem::Missing(remedy));
        }
    }
    mutual
}

/// Listeners have different addresses; with port 0 the system sees to it.
fn check_address(table: &Section<'_>, listen: SocketAddr, others: [Option<SocketAddr>; 2]) {
    if listen.port() != 0 && others.contains(&Some(listen)) {
        table.fault_of("listen", Problem::SameAddress);
    }
}

/// `https://host` with an optional port, and nothing behind it: the issuer's path is appended.
fn origin(text: String, _: &Path) -> Result<Option<String>, Problem> {
    match Issuer::parse(&text, false) {
        Ok(url) if url.is_https() && url.path().is_empty() => Ok(Some(text)),
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
    check_address(table, operations.listen, others);
    operations
}
