//! Asks the issuer at each request whether a token still holds (RFC 7662): one that was revoked, and those of a client
//! that was stopped, are refused at once and not only when they expire.

use anyhow::Context as _;
use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::answer::Fault;
use crate::fetch::Fetcher;
use crate::metadata::Metadata;
use crate::settings::Settings;

pub(crate) struct Introspection {
    issuer: String,
    /// Id and secret of the client that we are to the issuer.
    authorization: HeaderValue,
    fetcher: Fetcher,
    /// Known once the issuer answered.
    endpoint: OnceCell<String>,
}

/// What we need of the answer: the claims we have checked ourselves.
#[derive(Deserialize)]
struct Answer {
    active: bool,
}

impl Introspection {
    /// Nothing where the operator wants tokens checked here alone.
    pub(crate) fn new(settings: &Settings) -> anyhow::Result<Option<Self>> {
        let (Some(client), Some(secret)) =
            (&settings.introspect_as, &settings.introspection_secret)
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            issuer: settings.issuer.clone(),
            authorization: basic(client, secret).context("--introspect-as")?,
            fetcher: Fetcher::for_issuer(&settings.issuer)?,
            endpoint: OnceCell::new(),
        }))
    }

    /// Call it when all else about the token is right: the issuer is not asked about what strangers make up.
    pub(crate) async fn check(&self, token: &str) -> Result<(), Fault> {
        match self.ask(token).await {
            Ok(Answer { active: true }) => Ok(()),
            Ok(Answer { active: false }) => Err(Fault::Token("not active")),
            Err(error) => {
                tracing::warn!("the issuer cannot be asked about a token: {error:#}");
                Err(Fault::IssuerAway)
            }
        }
    }

    async fn ask(&self, token: &str) -> anyhow::Result<Answer> {
        let endpoint = self.endpoint.get_or_try_init(|| self.discover()).await?;
        let form = format!("token={}", encoded(token));
        self.fetcher.post(endpoint, &self.authorization, form).await
    }

    async fn discover(&self) -> anyhow::Result<String> {
        let metadata = Metadata::read(&self.fetcher, &self.issuer).await?;
        metadata
            .introspection_endpoint
            .context("the issuer has no introspection endpoint")
    }
}

/// RFC 6749 section 2.3.1.
pub(crate) fn basic(client: &str, secret: &str) -> anyhow::Result<HeaderValue> {
    let pair = format!("{}:{}", encoded(client), encoded(secret));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)))?;
    value.set_sensitive(true);
    Ok(value)
}

pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
