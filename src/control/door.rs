//! Keeps web pages out: whoever browses the web while `grantd dev` runs must not have it steered by a page, be it by
//! a request from that page or by a name that its owner resolves to loopback (DNS rebinding).

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue};

use super::fault::Fault;
use crate::domain::loopback::is_loopback;
use crate::http::layers::host::bare;

/// What a browser says of where a request comes from (W3C Fetch Metadata).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What it says where a person typed the address, or where the page is our own.
const HARMLESS_SITES: [&str; 2] = ["none", "same-origin"];

/// Who may come in.
#[derive(Clone, Debug)]
pub(super) struct Door {
    /// Whether the listener is reached from this machine alone.
    pub(super) is_loopback: bool,
    /// The host of `--control-url`, which may be another name: whoever starts grantd vouches for it.
    pub(super) known_as: Option<String>,
}

impl Door {
    /// # Errors
    /// A web page sends it, or it is for another host.
    pub(super) fn check(&self, request: &Request) -> Result<(), Fault> {
        let headers = request.headers();
        let harmless = |site: &HeaderValue| HARMLESS_SITES.iter().any(|it| site == it);
        let of_a_page =
            headers.contains_key(ORIGIN) || !headers.get_all(SEC_FETCH_SITE).iter().all(harmless);
        if of_a_page {
            return Err(Fault::forbidden(
                "no web page may steer grantd: send the request from a test, or with curl",
            ));
        }
        match host(request) {
            Some(host) if self.is_loopback && !self.knows(&host) => Err(Fault::misdirected(
                "this listener is for this machine alone: call it localhost or 127.0.0.1 (--control ADDR listens \
                 elsewhere, --control-url URL gives it another name)",
            )),
            _ => Ok(()),
        }
    }

    fn knows(&self, host: &str) -> bool {
        is_loopback(host) || host.ends_with(".localhost") || self.known_as.as_deref() == Some(host)
    }
}

/// The host that a request names, as it is compared; no browser leaves it out.
fn host(request: &Request) -> Option<String> {
    let named = request.headers().get(HOST);
    let named = named.and_then(|value| Authority::try_from(value.as_bytes()).ok());
    let host = named.as_ref().or(request.uri().authority())?.host();
    Some(bare(host))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn status(door: &Door, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().uri("/_test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let judged = door.check(&request.body(Body::empty()).unwrap());
        judged.map_or_else(|fault| fault.status.as_u16(), |()| 200)
    }

    const LOOPBACK: Door = Door {
        is_loopback: true,
        known_as: None,
    };

    #[test]
    fn a_web_page_is_kept_out() {
        let from = |name, value| status(&LOOPBACK, &[("host", "localhost"), (name, value)]);
        for site in ["cross-site", "same-site", "x", ""] {
            assert_eq!(from("sec-fetch-site", site), 403, "{site}");
        }
        for site in HARMLESS_SITES {
            assert_eq!(from("sec-fetch-site", site), 200, "{site}");
        }
        for origin in ["https://evil.example", "null", "http://localhost", ""] {
            assert_eq!(from("origin", origin), 403, "{origin}");
        }
        let twice = [("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")];
        assert_eq!(status(&LOOPBACK, &twice), 403);
    }

    #[test]
    fn on_loopback_another_host_is_misdirected() {
        let host = |door: &Door, host| status(door, &[("host", host)]);
        for good in [
            "localhost",
            "LOCALHOST:1234",
            "localhost.",
            "grantd.localhost:1",
            "127.0.0.1:1234",
            "127.8.9.1",
            "[::1]:1234",
            "[::ffff:127.0.0.1]",
        ] {
            assert_eq!(host(&LOOPBACK, good), 200, "{good}");
        }
        for foreign in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "0.0.0.0",
            "notlocalhost",
            "[::2]",
        ] {
            assert_eq!(host(&LOOPBACK, foreign), 421, "{foreign}");
        }
        let open = Door {
            is_loopback: false,
            known_as: None,
        };
        assert_eq!(host(&open, "grantd:9000"), 200);
        let named = Door {
            known_as: Some("ci.example".to_owned()),
            ..LOOPBACK
        };
        assert_eq!(host(&named, "CI.example:1"), 200);
        assert_eq!(host(&named, "evil.example"), 421);
    }
}
