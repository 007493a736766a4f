//! Calls the next API for whoever called this one: by a token of our own, in exchange for theirs (RFC 8693). Their token is
//! never passed on: it is for us.

use anyhow::Context as _;
use axum::http::HeaderValue;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::fetch::Fetcher;
use crate::introspection::{basic, encoded};
use crate::metadata::Metadata;
use crate::settings::Settings;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

pub(crate) struct Next {
    url: String,
    audience: String,
    issuer: String,
    /// Id and secret of the client that we are to the issuer.
    authorization: HeaderValue,
    to_issuer: Fetcher,
    to_api: Fetcher,
    /// Known once the issuer answered.
    endpoint: OnceCell<String>,
}

#[derive(Deserialize)]
struct Exchanged {
    access_token: String,
}

impl Next {
    /// Nothing where there is no next API.
    pub(crate) fn new(settings: &Settings) -> anyhow::Result<Option<Self>> {
        let (Some(url), Some(audience)) = (&settings.next_url, &settings.next_audience) else {
            return Ok(None);
        };
        let client = settings.introspect_as.as_deref();
        let secret = settings.introspection_secret.as_deref();
        let (client, secret) = client.zip(secret).context("--introspect-as")?;
        Ok(Some(Self {
            url: format!("{}/callers", url.trim_end_matches('/')),
            audience: audience.clone(),
            issuer: settings.issuer.clone(),
            authorization: basic(client, secret).context("--introspect-as")?,
            to_issuer: Fetcher::for_issuer(&settings.issuer)?,
            to_api: Fetcher::for_issuer(url)?,
            endpoint: OnceCell::new(),
        }))
    }

    /// What it answers to a call for whom `token` is.
    pub(crate) async fn ask(&self, token: &str) -> anyhow::Result<Value> {
        let endpoint = self.endpoint.get_or_try_init(|| self.discover()).await?;
        let form = format!(
            "grant_type={}&subject_token={}&subject_token_type={}&audience={}",
            encoded(GRANT),
            encoded(token),
            encoded(ACCESS_TOKEN),
            encoded(&self.audience)
        );
        let exchanged = self.to_issuer.post(endpoint, &self.authorization, form);
        let Exchanged { access_token } = exchanged.await?;
        let mut bearer = HeaderValue::try_from(format!("Bearer {access_token}"))?;
        bearer.set_sensitive(true);
        self.to_api.json_as(&self.url, &bearer).await
    }

    async fn discover(&self) -> anyhow::Result<String> {
        let metadata = Metadata::read(&self.to_issuer, &self.issuer).await?;
        metadata
            .token_endpoint
            .context("the issuer has no token endpoint")
    }
}
