//! Demands exactly one usable host per request (RFC 9112 section 3.2, RFC 9113 section 8.3.1).

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderValue, Version};

use super::super::connection::Connection;
use crate::domain::refusal::RequestFault;

/// Checks `Host` or `:authority`. Which host it names changes nothing: the issuer is a constant.
pub(super) fn check(request: &Request) -> Result<(), RequestFault> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(RequestFault::Host);
    }
    let host = host.map(parse).transpose()?;
    let authority = request.uri().authority();
    let fits = match request.version() {
        Version::HTTP_2 => match (&host, authority) {
            (Some(host), Some(authority)) => host == authority,
            (None, Some(authority)) => is_usable(authority),
            (host, None) => host.is_some(),
        },
        Version::HTTP_11 => host.is_some(),
        _ => true,
    };
    if fits {
        Ok(())
    } else {
        Err(RequestFault::Host)
    }
}

/// Checks that a request is for the host that its connection was opened for, where a client chose a certificate for
/// that host and no other (RFC 9110 section 7.4). What [`check`] let pass comes here.
pub(in crate::http) fn check_opened_for(
    connection: &Connection,
    request: &Request,
) -> Result<(), RequestFault> {
    let Some(opened_for) = connection.bound_to_host.as_deref() else {
        return Ok(());
    };
    let host = request.headers().get(HOST).map(parse).transpose()?;
    let named = host
        .as_ref()
        .or(request.uri().authority())
        .map_or("", Authority::host);
    if same_host(opened_for, named) {
        Ok(())
    } else {
        Err(RequestFault::Misdirected)
    }
}

fn same_host(one: &str, other: &str) -> bool {
    bare(one) == bare(other)
}

/// A host name as it is compared: it has no case, and may end in the root's dot.
#[must_use]
pub fn bare(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn parse(value: &HeaderValue) -> Result<Authority, RequestFault> {
    let authority = Authority::try_from(value.as_bytes()).map_err(|_| RequestFault::Host)?;
    if is_usable(&authority) {
        Ok(authority)
    } else {
        Err(RequestFault::Host)
    }
}

/// No user before the host, and a port that can be one.
fn is_usable(authority: &Authority) -> bool {
    let text = authority.as_str();
    let after_host = text.strip_prefix(authority.host()).unwrap_or("@");
    let port_fits = match after_host.strip_prefix(':') {
        None => after_host.is_empty(),
        Some(port) => port.is_empty() || port.parse::<u16>().is_ok(),
    };
    port_fits && !authority.host().is_empty()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn judge(version: Version, uri: &str, hosts: &[&str]) -> bool {
        let mut request = Request::builder().version(version).uri(uri);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        check(&request.body(Body::empty()).unwrap()).is_ok()
    }

    #[test]
    fn http_1_1_needs_exactly_one_valid_host() {
        for good in [
            "localhost",
            "a.example:8080",
            "[::1]:8080",
            "127.0.0.1",
            "a.example:",
        ] {
            assert!(judge(Version::HTTP_11, "/", &[good]), "{good}");
        }
        for wrong in [
            "", "a b", "u@a", "a:b", "a:99999", "a/b", "a,b c", "[::1", ":80", "a%zz", "a:1:2",
        ] {
            assert!(!judge(Version::HTTP_11, "/", &[wrong]), "{wrong}");
        }
        assert!(!judge(Version::HTTP_11, "/", &[]));
        assert!(!judge(Version::HTTP_11, "/", &["a", "a"]));
        assert!(judge(Version::HTTP_10, "/", &[]));
    }

    /// B-H02: the authority of an absolute form is allowed and means nothing.
    #[test]
    fn the_absolute_form_still_needs_a_host() {
        assert!(judge(Version::HTTP_11, "http://other.example/", &["a"]));
        assert!(!judge(Version::HTTP_11, "http://other.example/", &[]));
    }

    /// B-M07.
    #[test]
    fn a_connection_with_client_certificates_serves_one_host() {
        let judge = |opened_for: Option<&str>, host: &str| {
            let request = Request::builder().uri("/").header(HOST, host);
            let mut connection = Connection::new("127.0.0.1:1".parse().unwrap());
            connection.bound_to_host = opened_for.map(Into::into);
            check_opened_for(&connection, &request.body(Body::empty()).unwrap())
        };
        for host in ["a.example", "A.example:8444", "a.example."] {
            assert_eq!(judge(Some("a.example"), host), Ok(()), "{host}");
        }
        for host in ["b.example", "a.example.b", "127.0.0.1", "xa.example"] {
            let fault = Err(RequestFault::Misdirected);
            assert_eq!(judge(Some("a.example"), host), fault, "{host}");
        }
        assert_eq!(judge(None, "b.example"), Ok(()));
    }

    #[test]
    fn http_2_needs_an_authority_that_no_host_contradicts() {
        assert!(judge(Version::HTTP_2, "http://a/", &[]));
        assert!(judge(Version::HTTP_2, "http://a/", &["A"]));
        assert!(judge(Version::HTTP_2, "/", &["a"]));
        assert!(!judge(Version::HTTP_2, "http://a/", &["b"]));
        assert!(!judge(Version::HTTP_2, "http://u@a/", &[]));
        assert!(!judge(Version::HTTP_2, "/", &[]));
    }
}
