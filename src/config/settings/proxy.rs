//! Reads the table `[proxy]`: which proxies are trusted to say whose request they pass on.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use super::MutualTls;
use super::declare::{Declared as _, path, section};
use crate::config::fault::{Place, Problem};
use crate::config::shaped::Section;
use crate::config::value;
use crate::domain::issuer::Issuer;
use crate::domain::proxy::{AddressHeader, CertificateHeader, ProxySecret, TrustedProxies};
use crate::domain::secret_format::{MAX_LENGTH, MIN_IMPORTED_LENGTH, Secret};
use crate::domain::shape::Network;

section! {
    /// The proxies that are trusted to forward the client's address and certificate. Without this table no proxy is
    /// trusted, and such headers are ignored.
    pub(super) struct ProxyTable = "proxy" {
        /// The networks that proxies, and no clients, connect from: a client in them could claim any address. On
        /// loopback the network is enough; elsewhere a proxy also needs one of the two proofs below.
        networks: Vec<IpNet>, by networks, written "[\"10.0.0.5/32\"]";
        /// The proxy's own client certificate on the `[mtls]` listener, as `x5t#S256`. List several while you replace
        /// one.
        thumbprints: Vec<String>, by thumbprints, written "[\"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0\"]";
        /// Or a secret of 16 to 1024 characters in a header of each request, where the proxy replaces whatever clients
        /// send: the name of the header, which must have no other use, and a file with the secret.
        secret_header: Option<String>, by header_name, shown "\"x-grantd-proxy\"";
        secret_file: Option<PathBuf>, by path, shown "\"proxy.secret\"";
        /// The secret itself, instead of a file; best set with `GRANTD_PROXY__SECRET`.
        secret: Option<Secret>, by secret_value, shown "\"…\"";
        /// The header with the client's certificate: `client-cert` (RFC 9440; also reads `client-cert-chain`) or
        /// `x-forwarded-client-cert` (Envoy). The proxy must set or drop it on every request. Other headers are
        /// ignored.
        client_certificate: CertificateHeader = CertificateHeader::None;
        /// The header to which the proxy appends the client's address: `x-forwarded-for` or `forwarded` (RFC 7239). The
        /// source of a request is the last address in it that is outside `networks`; a request without the header is
        /// refused.
        client_address: AddressHeader = AddressHeader::None, written "\"x-forwarded-for\"";
    }
}

/// The table `[proxy]`.
pub(super) fn proxy(
    table: &mut Section<'_>,
    base: &Path,
    mtls: Option<&MutualTls>,
) -> TrustedProxies {
    let proxy = ProxyTable::read(table, base);
    check_networks(table, &proxy.networks);
    check_certificates(table, &proxy, mtls);
    check_secret(table, &proxy);
    if proxy.client_certificate == CertificateHeader::None
        && proxy.client_address == AddressHeader::None
    {
        let remedy = "name the header to read with client_certificate or client_address, or remove the table";
        table.fault(table.place(), "client_address", Problem::Missing(remedy));
    }
    let needs_proof = !proxy.networks.iter().all(is_loopback);
    if needs_proof && proxy.thumbprints.is_empty() && table.has("secret_header").is_none() {
        table.fault(table.place(), "networks", Problem::ProxyProof);
    }
    let of_file = |path: PathBuf| table.secret_file("secret_file", &path, fitting_secret);
    let secret = proxy.secret_file.and_then(of_file).or(proxy.secret);
    let secret = proxy.secret_header.zip(secret);
    TrustedProxies {
        networks: proxy.networks,
        thumbprints: proxy.thumbprints,
        secret: secret.map(|(header, value)| ProxySecret { header, value }),
        certificate_header: proxy.client_certificate,
        address_header: proxy.client_address,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "others of its kind can fail")]
fn networks(networks: Vec<Network>, _: &Path) -> Result<Vec<IpNet>, Problem> {
    Ok(networks.into_iter().map(|network| network.0).collect())
}

fn thumbprints(texts: Vec<String>, _: &Path) -> Result<Vec<String>, Problem> {
    texts.into_iter().map(value::thumbprint).collect()
}

fn check_networks(table: &Section<'_>, networks: &[IpNet]) {
    let key = "networks";
    let problem = if table.is_wrong(key) {
        return;
    } else if table.has(key).is_none() {
        Problem::Missing("name the networks of the proxies, for example [\"10.0.0.5/32\"]")
    } else if networks.is_empty() {
        Problem::EmptyList("name the networks of the proxies")
    } else if networks.iter().any(|network| network.prefix_len() == 0) {
        // Then no hop is a stranger's, and the farthest one is what a client wrote.
        Problem::Expected("only the proxies' networks: a client in them could claim any address")
    } else {
        return;
    };
    table.fault_of(key, problem);
}

/// Whether all of a network is this machine.
fn is_loopback(network: &IpNet) -> bool {
    match (network.network(), network.broadcast()) {
        (IpAddr::V4(first), IpAddr::V4(last)) => first.is_loopback() && last.is_loopback(),
        (IpAddr::V6(first), IpAddr::V6(last)) => first.is_loopback() && last.is_loopback(),
        _ => false,
    }
}

/// Proxies can show a certificate only where grantd asks for one, and pass one on only where the metadata says how
/// clients present theirs.
fn check_certificates(table: &Section<'_>, proxy: &ProxyTable, mtls: Option<&MutualTls>) {
    let fault = |key, needed| table.fault_of(key, Problem::Without(needed));
    if !proxy.thumbprints.is_empty() && mtls.is_none_or(|mtls| mtls.listen().is_none()) {
        fault("thumbprints", "[mtls] with a listener");
    }
    if proxy.client_certificate != CertificateHeader::None && mtls.is_none() {
        let needed =
            "[mtls] (with termination = \"proxy\" where only proxies ask for certificates)";
        fault("client_certificate", needed);
    }
}

/// Header and value come together, the value as a file or as it is.
fn check_secret(table: &Section<'_>, proxy: &ProxyTable) {
    let fault = |key, problem: Problem| table.fault_of(key, problem);
    if proxy.secret_file.is_some() && proxy.secret.is_some() {
        fault("secret", Problem::Both("secret_file"));
    }
    let given = ["secret_header", "secret_file", "secret"].map(|key| table.has(key).is_some());
    match given {
        [true, false, false] => match table.faults().absent() {
            Some(absent) => absent.note("proxy.secret"),
            None => fault("secret_header", Problem::Without("secret_file")),
        },
        [false, true, _] => fault("secret_file", Problem::Without("secret_header")),
        [false, false, true] => fault("secret", Problem::Without("secret_header")),
        _ => {}
    }
}

fn secret_value(text: String, _: &Path) -> Result<Option<Secret>, Problem> {
    fitting_secret(text).map(Some)
}

/// As long as an imported secret of a client: it can be tried as often.
fn fitting_secret(text: String) -> Result<Secret, Problem> {
    let (least, most) = (MIN_IMPORTED_LENGTH, MAX_LENGTH);
    let fits = (least..=most).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_graphic());
    if fits {
        Ok(Secret::new(text))
    } else {
        Err(Problem::SecretForm { least, most })
    }
}

/// Headers that say something else in requests; a secret in one would be lost, or change what it says.
const TAKEN: [&str; 15] = [
    "authorization",
    "client-cert",
    "client-cert-chain",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "dpop",
    "expect",
    "forwarded",
    "host",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-client-cert",
    "x-forwarded-for",
];

/// A field name (RFC 9110 section 5.1) that has no other use, in small letters.
fn header_name(mut text: String, _: &Path) -> Result<Option<String>, Problem> {
    text.make_ascii_lowercase();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let fits = !text.is_empty() && text.bytes().all(is_token) && !TAKEN.contains(&text.as_str());
    let expected = "the name of a header that has no other use, for example \"x-grantd-proxy\"";
    if fits {
        Ok(Some(text))
    } else {
        Err(Problem::Expected(expected))
    }
}

/// Where only proxies ask for certificates they must pass them on, at a URL that clients know.
pub(super) fn check_termination(
    root: &Section<'_>,
    place: &Place,
    mtls: &MutualTls,
    (proxy, issuer): (Option<&TrustedProxies>, Option<&Issuer>),
) {
    if mtls.listen().is_some() {
        return;
    }
    if proxy.is_none_or(|proxy| proxy.certificate_header == CertificateHeader::None) {
        root.fault(
            place,
            "mtls.termination",
            Problem::Without("client_certificate in [proxy]"),
        );
    }
    if mtls.url.is_none() && issuer.is_some_and(|issuer| !issuer.is_https()) {
        let remedy = "write the https URL at which the proxies ask for certificates";
        root.fault(place, "mtls.url", Problem::Missing(remedy));
    }
}
