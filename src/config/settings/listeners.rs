//! Reads the tables of the two listeners, `[public]` and `[operations]`.

use std::net::SocketAddr;
use std::path::Path;

use super::{OperationsListener, PublicListener, TlsFiles};
use crate::config::fault::Problem;
use crate::config::section::Section;
use crate::config::value;

/// The table `[public]`; none where its TLS files are incomplete.
pub(super) fn public(table: &mut Section<'_>, base: &Path) -> Option<PublicListener> {
    let place = table.place_of("listen");
    let listen = address(table, SocketAddr::from(([0, 0, 0, 0], 8443)));
    let allow_plain_http = table.read("allow_plain_http", value::boolean).unwrap_or(false);
    let certificate_at = table.place_of("tls_certificate_file");
    let key_at = table.place_of("tls_key_file");
    let certificate = table.read("tls_certificate_file", value::path(base));
    let key = table.read("tls_key_file", value::path(base));
    let tls = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
        (None, None) => None,
        (Some(_), None) => {
            table.fault(&certificate_at, "tls_certificate_file", Problem::Without("tls_key_file"));
            return None;
        }
        (None, Some(_)) => {
            table.fault(&key_at, "tls_key_file", Problem::Without("tls_certificate_file"));
            return None;
        }
    };
    if tls.is_none() && !allow_plain_http && !listen.ip().is_loopback() {
        table.fault(&place, "listen", Problem::PlainHttp(listen));
    }
    Some(PublicListener { listen, tls, allow_plain_http })
}

/// The table `[operations]`, whose address must not be that of `public`.
pub(super) fn operations(
    table: &mut Section<'_>,
    public: Option<&PublicListener>,
) -> OperationsListener {
    let place = table.place_of("listen");
    let listen = address(table, SocketAddr::from(([127, 0, 0, 1], 9090)));
    if listen.port() != 0 && public.is_some_and(|public| public.listen == listen) {
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
    table.read("listen", value::parsed_by(parse)).unwrap_or(default)
}
