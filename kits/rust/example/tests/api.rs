use grantd_test::{Case, Grantd, check_all};
use prices::api::router;
use reqwest::Response;
use reqwest::header::HeaderMap;
use tokio::net::TcpListener;

/// The API that trusts this grantd, on a free port.
async fn serve(grantd: &Grantd) -> String {
    let api = router(grantd.issuer(), grantd.endpoint("jwks_uri"), "pricing-api");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prices", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, api).await.unwrap() });
    url
}

async fn get(url: &str, headers: HeaderMap) -> Response {
    let request = reqwest::Client::new().get(url).headers(headers);
    request.send().await.unwrap()
}

#[tokio::test]
async fn it_takes_good_tokens_and_no_others() {
    let grantd = Grantd::shared().await;
    let url = serve(&grantd).await;
    let scope = [("scope", "pricing:read")];
    let battery = grantd.battery("pricing-api", &scope).await;
    let send = async |token: &Case| get(&url, token.headers()).await.status().as_u16();
    check_all(&battery, send).await;
}

#[tokio::test]
async fn it_knows_who_calls() {
    let grantd = Grantd::shared().await;
    let orders = grantd.known_client("orders-service");
    let token = grantd.token(orders, "pricing-api", "pricing:read").await;
    let request = reqwest::Client::new().get(serve(&grantd).await);
    let answer = request.bearer_auth(token).send().await.unwrap();
    let body = answer.text().await.unwrap();
    assert!(body.contains("\"caller\":\"orders-service\""));
}
