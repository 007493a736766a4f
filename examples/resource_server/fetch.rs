//! Reads JSON documents over HTTP(S): no redirects, bounded in size and time.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::body::Body;
use axum::http::{HeaderValue, Request, header};
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
        self.answer(Request::get(url).body(Body::empty())?).await
    }

    /// As [`Self::json`], under this `Authorization`.
    pub(crate) async fn json_as<T: DeserializeOwned>(
        &self,
        url: &str,
        authorization: &HeaderValue,
    ) -> anyhow::Result<T> {
        let request = Request::get(url).header(header::AUTHORIZATION, authorization);
        self.answer(request.body(Body::empty())?).await
    }

    /// Sends a form under this `Authorization`.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        url: &str,
        authorization: &HeaderValue,
        form: String,
    ) -> anyhow::Result<T> {
        let request = Request::post(url)
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.answer(request.body(form.into())?).await
    }

    async fn answer<T: DeserializeOwned>(&self, request: Request<Body>) -> anyhow::Result<T> {
        let url = request.uri().to_string();
        let answer = tokio::time::timeout(PATIENCE, self.body(request));
        let body = answer.await.context("no answer in time").flatten();
        body.and_then(|body| Ok(serde_json::from_slice(&body)?))
            .context(url)
    }

    async fn body(&self, request: Request<Body>) -> anyhow::Result<Vec<u8>> {
        let answer = self.0.request(request).await?;
        ensure!(answer.status() == 200, "the answer is {}", answer.status());
        let body = Limited::new(answer.into_body(), MOST).collect().await;
        Ok(body.map_err(anyhow::Error::from_boxed)?.to_bytes().into())
    }
}
