//! The tables of the listeners, `[public]`, `[mtls]` and `[operations]`, and how they are read.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::config::document::Located;
use crate::config::fault::Problem;
use crate::config::section::Section;
use crate::config::value;
use crate::domain::issuer::Issuer;

/// The table `[public]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicListener {
    /// The address.
    pub listen: SocketAddr,
    /// Certificate chain and private key; none: plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Whether plain HTTP is allowed beyond loopback.
    pub allow_plain_http: bool,
}

/// Two PEM files, read again when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// The table `[mtls]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutualTls {
    /// The listener that asks for client certificates; none: proxies ask, and pass them on.
    pub listener: Option<MutualListener>,
    /// PEM files with the CAs of `tls_client_auth`.
    pub client_ca_files: Vec<PathBuf>,
    /// Scheme, host and port under which clients present certificates; none: the issuer's host with the port of the
    /// listener, or without a listener the issuer's own.
    pub url: Option<String>,
}

/// Where grantd itself asks for client certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutualListener {
    /// The address.
    pub listen: SocketAddr,
    /// Certificate chain and private key: its own, or those of `[public]`.
    pub tls: TlsFiles,
}

crate::domain::client::named! {
    /// Where the TLS of clients with certificates ends.
    Termination {
        /// At a listener of grantd's own.
        Listener = "listener",
        /// At a proxy.
        Proxy = "proxy",
    }
}

/// The table `[operations]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationsListener {
    /// The address.
    pub listen: SocketAddr,
}

/// The table `[public]`; none where its TLS files are incomplete.
pub(super) fn public(table: &mut Section<'_>, base: &Path) -> Option<PublicListener> {
    let place = table.place_of("listen");
    let listen = address(table, SocketAddr::from(([0, 0, 0, 0], 8443)));
    let allow_plain_http = table
        .read("allow_plain_http", value::boolean)
        .unwrap_or(false);
    let tls = tls_files(table, base).ok()?;
    if tls.is_none() && !allow_plain_http && !listen.ip().is_loopback() {
        table.fault(&place, "listen", Problem::PlainHttp(listen));
    }
    Some(PublicListener {
        listen,
        tls,
        allow_plain_http,
    })
}

/// A fault that stands in the list already.
struct Reported;

/// Both files or neither; it is a fault where one is missing.
fn tls_files(table: &mut Section<'_>, base: &Path) -> Result<Option<TlsFiles>, Reported> {
    let certificate_at = table.place_of("tls_certificate_file");
    let key_at = table.place_of("tls_key_file");
    let certificate = table.read("tls_certificate_file", value::path(base));
    let key = table.read("tls_key_file", value::path(base));
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (None, None) => Ok(None),
        (Some(_), None) => {
            table.fault(
                &certificate_at,
                "tls_certificate_file",
                Problem::Without("tls_key_file"),
            );
            Err(Reported)
        }
        (None, Some(_)) => {
            table.fault(
                &key_at,
                "tls_key_file",
                Problem::Without("tls_certificate_file"),
            );
            Err(Reported)
        }
    }
}

/// The table `[mtls]`: a listener with TLS files of its own or those of `public`, or none where proxies ask.
pub(super) fn mutual(
    table: &mut Section<'_>,
    (base, public): (&Path, Option<&PublicListener>),
) -> Option<MutualTls> {
    let one = value::one_of(Termination::ALL, Termination::as_str);
    let termination = table
        .read("termination", one)
        .unwrap_or(Termination::Listener);
    let client_ca_files = table
        .list("client_ca_files", value::path(base))
        .unwrap_or_default();
    let url = table.read("url", origin);
    let listener = match termination {
        Termination::Listener => Some(mutual_listener(table, (base, public))?),
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
        client_ca_files,
        url,
    })
}

fn mutual_listener(
    table: &mut Section<'_>,
    (base, public): (&Path, Option<&PublicListener>),
) -> Option<MutualListener> {
    let place = table.place_of("listen");
    let listen = address(table, SocketAddr::from(([0, 0, 0, 0], 8444)));
    if listen.port() != 0 && public.is_some_and(|public| public.listen == listen) {
        table.fault(&place, "listen", Problem::SameAddress);
    }
    let own = tls_files(table, base).ok()?;
    let Some(tls) = own.or_else(|| public.and_then(|public| public.tls.clone())) else {
        let remedy = "write tls_certificate_file and tls_key_file here or in [public]";
        table.fault(
            &table.place().clone(),
            "tls_certificate_file",
            Problem::Missing(remedy),
        );
        return None;
    };
    Some(MutualListener { listen, tls })
}

/// `https://host` with an optional port, and nothing behind it: the issuer's path is appended.
fn origin(located: Located) -> Result<String, Problem> {
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
    public: Option<&PublicListener>,
    mtls: Option<&MutualTls>,
) -> OperationsListener {
    let place = table.place_of("listen");
    let listen = address(table, SocketAddr::from(([127, 0, 0, 1], 9090)));
    let mutual = mtls
        .and_then(|mtls| mtls.listener.as_ref())
        .map(|listener| listener.listen);
    let others = [public.map(|public| public.listen), mutual];
    if listen.port() != 0 && others.contains(&Some(listen)) {
        table.fault(&place, "listen", Problem::SameAddress);
    }
    OperationsListener { listen }
}

fn address(table: &mut Section<'_>, default: SocketAddr) -> SocketAddr {
    let parse = |text: &str| {
        text.parse().map_err(|_| {
            Problem::Expected("an IP address and a port, for example 127.0.0.1:8080 or [::1]:8080")
        })
    };
    table
        .read("listen", value::parsed_by(parse))
        .unwrap_or(default)
}
