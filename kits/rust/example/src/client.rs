//! A client of the API that asks for a token as seldom as it can, and never calls without one. The crate `oauth2` gets
//! tokens; to keep them, and all else here, is left to its user.

use std::error::Error;
use std::time::{Duration, Instant};

use oauth2::basic::BasicClient;
use oauth2::{ClientId, ClientSecret, EndpointNotSet, EndpointSet, Scope, TokenResponse, TokenUrl};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use tokio::sync::Mutex;

/// A token is renewed so long before it expires.
const EARLY: Duration = Duration::from_secs(60);

type Settings =
    BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;
type Failure = Box<dyn Error + Send + Sync>;

pub struct ApiClient {
    settings: Settings,
    scope: Scope,
    http: reqwest::Client,
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    token: String,
    fresh_until: Instant,
}

impl ApiClient {
    pub fn new(
        token_endpoint: String,
        client_id: String,
        secret: String,
        scope: &str,
    ) -> Result<Self, Failure> {
        let settings = BasicClient::new(ClientId::new(client_id))
            .set_client_secret(ClientSecret::new(secret))
            .set_token_uri(TokenUrl::new(token_endpoint)?);
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .timeout(Duration::from_secs(10));
        Ok(Self {
            settings,
            scope: Scope::new(scope.to_owned()),
            http: http.build()?,
            kept: Mutex::new(None),
        })
    }

    /// Calls the API, and once more after a 401: the key of the token may have been retired.
    pub async fn get(&self, url: &str) -> Result<Response, Failure> {
        let token = self.token(None).await?;
        let answer = self.http.get(url).bearer_auth(&token).send().await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let fresh = self.token(Some(token)).await?;
        Ok(self.http.get(url).bearer_auth(fresh).send().await?)
    }

    async fn token(&self, refused: Option<String>) -> Result<String, Failure> {
        // Of many callers at expiry one asks, and the others then find what it got.
        let mut kept = self.kept.lock().await;
        let is_fresh = |it: &&Kept| Instant::now() < it.fresh_until;
        if let Some(it) = kept.as_ref().filter(is_fresh)
            && refused.as_ref() != Some(&it.token)
        {
            return Ok(it.token.clone());
        }
        let ask = self.settings.exchange_client_credentials();
        let ask = ask.add_scope(self.scope.clone());
        let answer = ask.request_async(&self.http).await?;
        let lifetime = answer.expires_in().unwrap_or_default();
        let fresh_until = Instant::now() + lifetime.saturating_sub(EARLY);
        let token = answer.access_token().secret().clone();
        *kept = Some(Kept {
            token: token.clone(),
            fresh_until,
        });
        Ok(token)
    }
}
