//! Reads a JSON document over HTTP(S): no redirects, bounded in size and time.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::body::Body;
use http_body_util::{BodyExt as _, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;

/// The most that an answer may have, in bytes.
const MOST: usize = 256 * 1024;
/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Fetcher(Client<HttpsConnector<HttpConnector>, Body>);

impl Fetcher {
    /// Trusts the CAs of the system; `SSL_CERT_FILE` names others. They may be missing where the issuer has no TLS.
    pub(crate) fn for_issuer(url: &str) -> anyhow::Result<Self> {
        let builder = HttpsConnectorBuilder::new();
        let roots = if url.starts_with("http:") {
            let nobody = ClientConfig::builder().with_root_certificates(RootCertStore::empty());
            builder.with_tls_config(nobody.with_no_client_auth())
        } else {
            builder.with_native_roots().context("the system's CAs")?
        };
        let connector = roots.https_or_http().enable_http1().build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    pub(crate) async fn json<T: DeserializeOwned>(&self, url: &str) -> anyhow::Result<T> {
        let answer = tokio::time::timeout(PATIENCE, self.get(url));
        let body = answer.await.context("no answer in time").flatten();
        body.and_then(|body| Ok(serde_json::from_slice(&body)?))
            .with_context(|| url.to_owned())
    }

    async fn get(&self, url: &str) -> anyhow::Result<Vec<u8>> {
        let answer = self.0.get(url.parse()?).await?;
        ensure!(answer.status() == 200, "the answer is {}", answer.status());
        let body = Limited::new(answer.into_body(), MOST).collect().await;
        Ok(body.map_err(anyhow::Error::from_boxed)?.to_bytes().into())
    }
}
