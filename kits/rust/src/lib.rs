//! grantd for tests: real tokens, wrong ones, a clock and outages. Each method is a path of its control listener, which
//! `GET /_test` describes; what grantd refuses is a panic that says why.

mod case;
mod process;
mod steering;

pub use case::{Case, Verdict, check_all};
use process::Process;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Value, json};
pub use steering::{Fault, Request, Waste};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A running grantd, for one test: the HTTP client in it is of that test's runtime.
pub struct Grantd {
    control: String,
    http: reqwest::Client,
    page: Page,
    _process: Option<Process>,
}

#[derive(Deserialize)]
struct Page {
    issuer: String,
    endpoints: Value,
    clients: Vec<Client>,
}

/// A client with all that it proves itself with.
#[derive(Clone, Debug, Deserialize)]
pub struct Client {
    pub client_id: String,
    pub token_endpoint: String,
    pub client_secret: Option<String>,
    pub private_jwk: Option<Value>,
    pub certificate_pem: Option<String>,
    pub private_key_pem: Option<String>,
    pub curl: Option<String>,
}

impl Grantd {
    /// The one of this process: that of `GRANTD_CONTROL`, else one that the first who asks starts. It ends with the
    /// process. Tests beside each other don't meet if each has a client of its own.
    pub async fn shared() -> Self {
        Self::attach(process::shared().to_owned(), None).await
    }

    /// A new one, with these arguments of `grantd dev`; for a test that moves the clock. It ends when it is dropped.
    pub async fn start(arguments: &[&str]) -> Self {
        let process = Process::start(arguments);
        Self::attach(process.control.clone(), Some(process)).await
    }

    async fn attach(control: String, process: Option<Process>) -> Self {
        let http = reqwest::Client::builder().no_proxy();
        let http = http.build().expect("an HTTP client");
        let page = json_of(http.get(format!("{control}/_test"))).await;
        Self {
            control,
            http,
            page: serde_json::from_value(page).expect("the page of GET /_test"),
            _process: process,
        }
    }

    /// Its URL, for `GRANTD_CONTROL`.
    pub fn control(&self) -> &str {
        &self.control
    }

    /// What tokens have as `iss`.
    pub fn issuer(&self) -> &str {
        &self.page.issuer
    }

    /// For example `token_endpoint` or `jwks_uri`.
    pub fn endpoint(&self, name: &str) -> &str {
        let url = self.page.endpoints[name].as_str();
        url.unwrap_or_else(|| panic!("grantd has no {name}"))
    }

    /// One of the catalog, with what grantd knows of it.
    pub fn known_client(&self, id: &str) -> &Client {
        let known = self.page.clients.iter().find(|it| it.client_id == id);
        known.unwrap_or_else(|| panic!("grantd has no client {id}"))
    }

    /// An access token that the client, which has a secret or a key, gets from the token endpoint.
    pub async fn token(&self, client: &Client, audience: &str, scope: &str) -> String {
        let mut request = self.http.post(&client.token_endpoint);
        let mut form =
            json!({ "grant_type": "client_credentials", "audience": audience, "scope": scope });
        if client.private_jwk.is_some() {
            let members = json!({ "client_id": client.client_id });
            let mut made = self.call(Method::POST, "/assertions", members).await;
            form["client_assertion_type"] = ASSERTION_TYPE.into();
            form["client_assertion"] = made["client_assertion"].take();
        } else {
            let secret = client.client_secret.as_deref().unwrap_or_default();
            request = request.basic_auth(encoded(&client.client_id), Some(encoded(secret)));
        }
        text(&json_of(request.form(&form)).await["access_token"])
    }

    /// Any token, signed by grantd's keys and asking no policy: `claims`, `header`, `key`, `lifetime`, `flaw`, …
    pub async fn mint(&self, members: Value) -> String {
        text(&self.call(Method::POST, "/tokens", members).await["access_token"])
    }

    /// The tokens for an audience; the query may have client_id, scope, binding, method, url, introspects.
    pub async fn battery(&self, audience: &str, query: &[(&str, &str)]) -> Vec<Case> {
        let query = [&[("audience", audience)], query].concat();
        Case::all(self.get("/tokens", &query).await)
    }

    /// Moves the clock of every rule, and gives its Unix seconds: `{"advance": "61m"}`, `{"set": …}`,
    /// `{"freeze": true}`. It is one for the process: a test that moves it beside others starts its own.
    pub async fn clock(&self, to: Value) -> i64 {
        let clock = self.call(Method::PUT, "/clock", to).await;
        clock["unix"].as_i64().expect("Unix seconds")
    }

    /// Asks a path below `/_test`.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let url = format!("{}/_test{path}", self.control);
        json_of(self.http.get(url).query(query)).await
    }

    /// Sends JSON to a path below `/_test`, nothing where that is null.
    pub async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let url = format!("{}/_test{path}", self.control);
        let request = self.http.request(method, url);
        json_of(if body.is_null() {
            request
        } else {
            request.json(&body)
        })
        .await
    }
}

async fn json_of(request: reqwest::RequestBuilder) -> Value {
    let answer = request.send().await.expect("grantd answers");
    let (status, url) = (answer.status(), answer.url().clone());
    let body = answer.text().await.expect("the whole answer");
    assert!(status.is_success(), "{url}: {status}: {body}");
    let body = if body.is_empty() { "null" } else { &body };
    serde_json::from_str(body).expect("JSON")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// As in a form, RFC 6749 section 2.3.1.
fn encoded(text: &str) -> String {
    let url = Url::parse_with_params("x:", [("", text)]).expect("a URL");
    url.as_str()[4..].to_owned()
}
