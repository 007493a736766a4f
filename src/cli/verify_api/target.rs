//! The request that is sent again and again, with one token after the other.

use anyhow::{Context as _, bail};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use indexmap::IndexMap;

use super::battery::Entry;
use crate::clock::Clock;
use crate::crypto::dpop_proof;
use crate::crypto::jws::private_key::ClientPrivateKey;
use crate::domain::loopback::is_loopback;
use crate::domain::target_uri::TargetUri;

/// The header of a DPoP proof, RFC 9449 section 4.1.
const DPOP: &str = "DPoP";

/// One request to the API, without its token.
pub(super) struct Target {
    pub(super) url: Uri,
    pub(super) method: Method,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
}

impl Target {
    /// # Errors
    /// It is on another machine that was not allowed, or brings a token of its own.
    pub(super) fn check(&self, allowed: Option<&str>) -> anyhow::Result<()> {
        let host = self.url.host().unwrap_or_default();
        let is_allowed = allowed.is_some_and(|it| it.eq_ignore_ascii_case(host));
        if !is_loopback(host) && !is_allowed {
            bail!(
                "{host} is another machine: attack an API only where you may, and say so with --allow-host {host}"
            );
        }
        let own = |name: &HeaderName| *name == AUTHORIZATION || name.as_str() == "dpop";
        if self.headers.iter().any(|(name, _)| own(name)) {
            bail!("leave Authorization and DPoP out of --header: the tokens are sent there");
        }
        Ok(())
    }

    /// The URL without its query, as proofs have it.
    ///
    /// # Errors
    /// It is no http or https URL.
    pub(super) fn htu(&self) -> anyhow::Result<String> {
        let uri = TargetUri::parse(&self.url.to_string());
        let uri = uri.context("write the API's URL with http:// or https://")?;
        Ok(uri.as_str().to_owned())
    }

    /// The request with what `entry` sends.
    ///
    /// # Errors
    /// The entry has no header that can be sent.
    pub(super) fn request(
        &self,
        headers: &IndexMap<String, String>,
    ) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(self.url.clone());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        Ok(request.body(Full::new(self.body.clone()))?)
    }

    /// What `entry` sends, with a proof of its own where it has one: each is good once.
    ///
    /// # Errors
    /// The key of the proof cannot be used.
    pub(super) fn with_fresh_proof(
        &self,
        entry: &Entry,
    ) -> anyhow::Result<IndexMap<String, String>> {
        let mut headers = entry.headers.clone();
        if let Some(proof) = headers.get_mut(DPOP) {
            let key = entry.private_key_pem.as_deref().unwrap_or_default();
            *proof = self.proof(&ClientPrivateKey::parse(key, None)?, &entry.access_token)?;
        }
        Ok(headers)
    }

    fn proof(&self, key: &ClientPrivateKey, token: &str) -> anyhow::Result<String> {
        let url = self.htu()?;
        let now = Clock::system().now();
        let claims = dpop_proof::claims((self.method.as_str(), &url), Some(token), now);
        Ok(dpop_proof::signed(key, claims)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str, headers: &[&'static str]) -> Target {
        let header = |name: &&'static str| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static("x"))
        };
        Target {
            url: url.parse().unwrap(),
            method: Method::GET,
            headers: headers.iter().map(header).collect(),
            body: Bytes::new(),
        }
    }

    #[test]
    fn another_machine_is_attacked_only_where_that_is_said() {
        for own in [
            "http://localhost:8090/x",
            "http://LOCALHOST/x",
            "http://127.0.0.1/x",
            "https://127.1.2.3/x",
            "http://[::1]:80/x",
        ] {
            assert!(target(own, &[]).check(None).is_ok(), "{own}");
        }
        for other in [
            "https://api.example/x",
            "http://10.0.0.1/x",
            "http://localhost.example/x",
            "http://0.0.0.0/x",
        ] {
            let target = target(other, &[]);
            assert!(target.check(None).is_err(), "{other}");
            assert!(target.check(Some("other.example")).is_err(), "{other}");
            let host = target.url.host().unwrap();
            assert!(target.check(Some(host)).is_ok(), "{other}");
        }
    }

    #[test]
    fn the_places_of_tokens_are_not_for_headers_of_ones_own() {
        let own = |name| target("http://localhost/x", &[name]).check(None).is_err();
        assert!(own("authorization") && own("dpop") && !own("accept"));
    }

    #[test]
    fn a_proof_is_for_the_url_without_its_query() {
        let target = target("http://localhost:8090/documents?a=b", &[]);
        assert_eq!(target.htu().unwrap(), "http://localhost:8090/documents");
    }
}
