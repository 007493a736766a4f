use grantd_test::{Grantd, check_all};
use prices::api::router;
use tokio::net::TcpListener;

/// The API that trusts this grantd, on a free port.
async fn serve(grantd: &Grantd) -> String {
    let api = router(grantd.issuer(), grantd.endpoint("jwks_uri"), "pricing-api");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prices", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, api).await.unwrap() });
    url
}

#[tokio::test]
async fn it_takes_good_tokens_and_no_others() {
    let grantd = Grantd::shared().await;
    let url = serve(&grantd).await;
    let query = [("scope", "pricing:read")];
    let battery = grantd.battery("pricing-api", &query).await;
    check_all(&battery, async |token| {
        let request = reqwest::Client::new().get(&url).headers(token.headers());
        request.send().await.unwrap().status().as_u16()
    })
    .await;
}

#[tokio::test]
async fn it_knows_who_calls() {
    let grantd = Grantd::shared().await;
    let url = serve(&grantd).await;
    let token = grantd
        .token(
            grantd.known_client("orders-service"),
            "pricing-api",
            "pricing:read",
        )
        .await;
    let answer = reqwest::Client::new()
        .get(url)
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert!(
        answer
            .text()
            .await
            .unwrap()
            .contains("\"caller\":\"orders-service\"")
    );
}
