//! An API that calls the next one for its caller (RFC 8693): both see who asks and for whom.

use serde_json::{Value, json};

use super::{Answer, Api};
use crate::place::{Dev, Place, post};
use crate::source_tree::root;

/// The catalog of the page on it.
fn catalog() -> String {
    let page = std::fs::read_to_string(root().join("docs/token-exchange.md")).unwrap();
    let (_, rest) = page.split_once("```toml\n").unwrap();
    rest.split("```").next().unwrap().to_owned()
}

fn api(dev: &Dev, audience: &str, (scope, secret): (&str, &str), more: &[&str]) -> Api {
    let usual = [
        "--issuer",
        dev.url("issuer"),
        "--audience",
        audience,
        "--scope",
        scope,
        "--introspect-as",
        audience,
        "--introspection-secret",
        secret,
    ];
    Api::start(&[&usual, more].concat())
}

fn callers(api: &Api, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    api.call("GET /callers", &[("Authorization", &bearer)], "")
}

#[test]
fn both_apis_see_who_asks_and_for_whom() {
    let place = Place::new();
    place.write("exchange.toml", &catalog());
    let dev = place.dev(&["--catalog", "exchange.toml"]);
    let stock = api(&dev, "stock-api", ("stock:read", "stock-demo-secret"), &[]);
    let next = [
        "--next-url",
        &stock.origin(),
        "--next-audience",
        "stock-api",
    ];
    let orders = api(
        &dev,
        "orders-api",
        ("orders:read", "orders-demo-secret"),
        &next,
    );

    let token = dev.token("web-shop", "web-shop-demo-secret");
    let answer = callers(&orders, &token);
    assert_eq!(answer.status, 200, "{answer:?}");
    let told: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        told,
        json!({
            "api": "orders-api", "subject": "web-shop", "client": "web-shop", "actors": [],
            "next": {
                "api": "stock-api", "subject": "web-shop", "client": "orders-api", "actors": ["orders-api"],
                "next": null,
            },
        })
    );
    let log = stock.server.log();
    assert!(
        log.contains("client=\"orders-api\" subject=\"web-shop\""),
        "{log}"
    );

    // The service's own work: nobody stands behind it. And a caller's token is none for the next API.
    let own = dev.token("orders-api", "orders-demo-secret");
    let told: Value = serde_json::from_str(&callers(&stock, &own).body).unwrap();
    let expected = json!(["orders-api", "orders-api", []]);
    assert_eq!(
        json!([told["subject"], told["client"], told["actors"]]),
        expected
    );
    stock.assert_invalid(&callers(&stock, &token), "another audience");

    // Who is stopped is stopped for all that act for it.
    let revoked = format!("token={token}");
    let web_shop = ("web-shop", "web-shop-demo-secret");
    let url = format!("{}/oauth2/revoke", dev.url("issuer"));
    assert_eq!(post(&url, web_shop, &revoked).0, 200);
    assert_eq!(callers(&orders, &token).status, 401);
    for api in [&orders, &stock] {
        api.assert_secret(&[&token, &own]);
    }
}
