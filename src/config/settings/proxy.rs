//! Reads the table `[proxy]`: which proxies are trusted to say whose request they pass on.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;

use super::MutualTls;
use crate::config::document::Located;
use crate::config::fault::{Place, Problem};
use crate::config::section::Section;
use crate::config::value;
use crate::domain::issuer::Issuer;
use crate::domain::proxy::{AddressHeader, CertificateHeader, ProxySecret, TrustedProxies};
use crate::domain::secret_format::{MAX_LENGTH, MIN_IMPORTED_LENGTH, Secret};

/// The table `[proxy]`.
pub(super) fn proxy(
    table: &mut Section<'_>,
    base: &Path,
    mtls: Option<&MutualTls>,
) -> Option<TrustedProxies> {
    let networks = networks(table);
    let thumbprints = thumbprints(table, mtls);
    let has_secret = table.has("secret_header").is_some();
    let secret = secret(table, base);
    let certificate_header = certificate_header(table, mtls);
    let address = table.read(
        "client_address",
        value::one_of(AddressHeader::ALL, AddressHeader::as_str),
    );
    let address_header = address.unwrap_or(AddressHeader::None);
    let place = table.place().clone();
    if certificate_header == CertificateHeader::None && address_header == AddressHeader::None {
        let remedy =
            "say by client_certificate or client_address which header to read, or remove the table";
        table.fault(&place, "client_address", Problem::Missing(remedy));
    }
    let networks = networks?;
    if thumbprints.is_empty() && !has_secret && !networks.iter().all(is_loopback) {
        table.fault(&place, "networks", Problem::ProxyProof);
    }
    Some(TrustedProxies {
        networks,
        thumbprints,
        secret,
        certificate_header,
        address_header,
    })
}

fn networks(table: &mut Section<'_>) -> Option<Vec<IpNet>> {
    let key = "networks";
    let place = table.place_of(key);
    let networks = table.list(key, value::network);
    match &networks {
        Some(list) if list.is_empty() => {
            table.fault(
                &place,
                key,
                Problem::EmptyList("name the networks of the proxies"),
            );
        }
        // Then no hop is a stranger's, and the farthest one is what a client wrote.
        Some(list) if list.iter().any(|network| network.prefix_len() == 0) => {
            let expected =
                "the networks of the proxies alone: clients in them could say any address";
            table.fault(&place, key, Problem::Expected(expected));
        }
        None if place == *table.place() => {
            let remedy = "name the networks of the proxies, for example [\"10.0.0.5/32\"]";
            table.fault(&place, key, Problem::Missing(remedy));
        }
        _ => {}
    }
    networks
}

/// Whether all of a network is this machine.
fn is_loopback(network: &IpNet) -> bool {
    match (network.network(), network.broadcast()) {
        (IpAddr::V4(first), IpAddr::V4(last)) => first.is_loopback() && last.is_loopback(),
        (IpAddr::V6(first), IpAddr::V6(last)) => first.is_loopback() && last.is_loopback(),
        _ => false,
    }
}

/// Proxies can show a certificate only where grantd asks for one.
fn thumbprints(table: &mut Section<'_>, mtls: Option<&MutualTls>) -> Vec<String> {
    let key = "thumbprints";
    let place = table.place_of(key);
    let thumbprints = table.list(key, value::thumbprint).unwrap_or_default();
    if !thumbprints.is_empty() && mtls.is_none_or(|mtls| mtls.listener.is_none()) {
        table.fault(&place, key, Problem::Without("[mtls] with a listener"));
    }
    thumbprints
}

/// Header and value come together, the value as a file or as it is.
fn secret(table: &mut Section<'_>, base: &Path) -> Option<ProxySecret> {
    let [header_at, file_at, secret_at] =
        ["secret_header", "secret_file", "secret"].map(|key| table.has(key));
    let header = table.read("secret_header", header_name);
    let file = table.secret_file("secret_file", base, |_, text| secret_value(text));
    let inline = table.read("secret", |located| secret_value(value::text(located)?));
    if let (Some(_), Some(_), Some(place)) = (&file, &inline, &secret_at) {
        table.fault(place, "secret", Problem::Both("secret_file"));
    }
    match (&header_at, &file_at, &secret_at) {
        (Some(place), None, None) => match table.faults().absent() {
            Some(absent) => absent.note("proxy.secret"),
            None => table.fault(place, "secret_header", Problem::Without("secret_file")),
        },
        (None, Some(place), _) => {
            table.fault(place, "secret_file", Problem::Without("secret_header"));
        }
        (None, None, Some(place)) => {
            table.fault(place, "secret", Problem::Without("secret_header"));
        }
        _ => {}
    }
    Some(ProxySecret {
        header: header?,
        value: file.or(inline)?,
    })
}

/// As long as an imported secret of a client: it can be tried as often.
fn secret_value(text: String) -> Result<Secret, Problem> {
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
fn header_name(located: Located) -> Result<String, Problem> {
    let text = value::text(located)?.to_ascii_lowercase();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let fits = !text.is_empty() && text.bytes().all(is_token) && !TAKEN.contains(&text.as_str());
    let expected = "the name of a header that has no other use, for example \"x-grantd-proxy\"";
    if fits {
        Ok(text)
    } else {
        Err(Problem::Expected(expected))
    }
}

/// A certificate is of use only where the metadata says how to present one.
fn certificate_header(table: &mut Section<'_>, mtls: Option<&MutualTls>) -> CertificateHeader {
    let key = "client_certificate";
    let place = table.place_of(key);
    let one = value::one_of(CertificateHeader::ALL, CertificateHeader::as_str);
    let header = table.read(key, one).unwrap_or(CertificateHeader::None);
    if header != CertificateHeader::None && mtls.is_none() {
        let needed =
            "[mtls] (with termination = \"proxy\" where only proxies ask for certificates)";
        table.fault(&place, key, Problem::Without(needed));
    }
    header
}

/// Where only proxies ask for certificates they must pass them on, at a URL that clients know.
pub(super) fn check_termination(
    root: &Section<'_>,
    place: &Place,
    (mtls, proxy, issuer): (&MutualTls, Option<&TrustedProxies>, Option<&Issuer>),
) {
    if mtls.listener.is_some() {
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
