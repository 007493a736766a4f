//! How a client should behave when its token expires or is refused, or when it cannot have one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use grantd_test::{Client, Grantd};
use prices::api::router;
use prices::client::ApiClient;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A client of its own for each test, so that tests beside each other don't meet, and an API that counts its calls.
struct Shop {
    grantd: Grantd,
    client: Client,
    http: Arc<ApiClient>,
    url: String,
    calls: Arc<AtomicUsize>,
}

impl Shop {
    async fn new() -> Self {
        let grantd = Grantd::shared().await;
        let api = router(grantd.issuer(), grantd.endpoint("jwks_uri"), "pricing-api");
        Self::at(grantd, api).await
    }

    async fn at(grantd: Grantd, api: Router) -> Self {
        let policy = json!([{ "audience": "pricing-api", "scopes": ["pricing:read"] }]);
        let client = grantd.client(json!({ "policy": policy })).await;
        let http = ApiClient::new(
            client.token_endpoint.clone(),
            client.client_id.clone(),
            client.client_secret.clone().unwrap(),
            "pricing:read",
        );
        let calls = Arc::new(AtomicUsize::new(0));
        Self {
            url: serve(api, Arc::clone(&calls)).await,
            http: Arc::new(http.unwrap()),
            grantd,
            client,
            calls,
        }
    }

    /// The status of the API's answer, if there is one.
    async fn get(&self) -> Option<u16> {
        let answer = self.http.get(&self.url).await;
        answer.ok().map(|it| it.status().as_u16())
    }

    /// What the client gets next is a token with these members, which is said to expire in so many seconds.
    async fn next_token(&self, mut members: Value, seconds: u32) {
        members["client_id"] = json!(self.client.client_id);
        members["audience"] = json!("pricing-api");
        members["scope"] = json!("pricing:read");
        let token = self.grantd.mint(members).await;
        let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": seconds });
        self.fault(json!({ "status": 200, "times": 1, "body": body }))
            .await;
    }

    async fn fault(&self, mut rule: Value) -> u64 {
        rule["endpoint"] = json!("token");
        rule["client_id"] = json!(self.client.client_id);
        self.grantd.add_fault(rule).await
    }

    /// How often the API was called, and what became of each request for a token.
    async fn seen(&self) -> (usize, Vec<String>) {
        let which = [("endpoint", "token"), ("client_id", &self.client.client_id)];
        let requests = self.grantd.requests(&which).await;
        let outcomes = requests.into_iter().map(|it| it.outcome).collect();
        (self.calls.load(Ordering::Relaxed), outcomes)
    }
}

async fn serve(api: Router, calls: Arc<AtomicUsize>) -> String {
    let api = api.layer(from_fn(move |request: Request, next: Next| {
        calls.fetch_add(1, Ordering::Relaxed);
        next.run(request)
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prices", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, api).await.unwrap() });
    url
}

fn outcomes(all: &[&str]) -> Vec<String> {
    all.iter().map(|&it| it.to_owned()).collect()
}

#[tokio::test]
async fn a_token_is_used_while_the_token_endpoint_is_down() {
    let shop = Shop::new().await;
    assert_eq!(shop.get().await, Some(200));
    shop.fault(json!({ "status": 503 })).await;
    assert_eq!(shop.get().await, Some(200));
    assert_eq!(shop.seen().await, (2, outcomes(&["issued"])));
    assert_eq!(shop.grantd.waste(&shop.client).await.wasted, 0);
}

#[tokio::test]
async fn without_a_token_it_does_not_call() {
    let shop = Shop::new().await;
    let fault = shop.fault(json!({ "status": 503 })).await;
    assert_eq!(shop.get().await, None);
    assert_eq!(shop.seen().await, (0, outcomes(&["fault"])));
    shop.grantd.remove_fault(fault).await;
    assert_eq!(shop.get().await, Some(200));
}

#[tokio::test]
async fn a_hundred_callers_at_expiry_ask_for_one_token() {
    let shop = Arc::new(Shop::new().await);
    shop.next_token(json!({}), 30).await;
    assert_eq!(shop.get().await, Some(200));
    let callers: JoinSet<Option<u16>> = (0..100)
        .map(|_| {
            let shop = Arc::clone(&shop);
            async move { shop.get().await }
        })
        .collect();
    assert_eq!(callers.join_all().await, [Some(200); 100]);
    assert_eq!(shop.seen().await, (101, outcomes(&["fault", "issued"])));
}

#[tokio::test]
async fn after_a_401_it_tries_once_more_with_a_fresh_token() {
    let shop = Shop::new().await;
    shop.next_token(json!({ "issuer": "staging" }), 300).await;
    assert_eq!(shop.get().await, Some(200));
    assert_eq!(shop.seen().await, (2, outcomes(&["fault", "issued"])));
}

#[tokio::test]
async fn an_api_that_always_refuses_is_asked_twice() {
    let strict = Router::new().route("/prices", get(|| async { StatusCode::UNAUTHORIZED }));
    let shop = Shop::at(Grantd::shared().await, strict).await;
    assert_eq!(shop.get().await, Some(401));
    assert_eq!(shop.seen().await, (2, outcomes(&["issued", "issued"])));
}
