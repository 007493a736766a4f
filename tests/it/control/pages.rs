//! `grantd dev --cors`: which web pages may ask what.

use super::*;
use crate::place::{Dev, Place};

const PAGE: &str = "http://localhost:3000";
const ASKED: [(&str, &str); 5] = [
    ("POST", "/oauth2/token"),
    ("GET", "/oauth2/jwks"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/.well-known/openid-configuration"),
];
const NOT_ASKED: [(&str, &str); 4] = [
    ("POST", "/oauth2/introspect"),
    ("POST", "/oauth2/revoke"),
    ("GET", "/oauth2/authorize"),
    ("GET", "/nowhere"),
];

/// Status and headers, in lower case, of what a page of `origin` asks.
fn ask(dev: &Dev, line: &str, origin: &str, more: &str) -> (u16, String) {
    let lines =
        format!("Origin: {origin}\r\nContent-Type: application/x-www-form-urlencoded\r\n{more}");
    let form = "grant_type=client_credentials&client_id=archival-service&client_secret=archival-demo-secret";
    let (status, head, _) = request(dev.url("issuer"), line, &lines, form);
    (status, head.to_lowercase())
}

/// As a browser asks before it lets a page send a request.
fn ask_before(dev: &Dev, (method, path): (&str, &str), origin: &str) -> (u16, String) {
    let more = format!(
        "Access-Control-Request-Method: {method}\r\nAccess-Control-Request-Headers: authorization,dpop\r\n"
    );
    ask(dev, &format!("OPTIONS {path}"), origin, &more)
}

fn allows(head: &str, origin: &str) -> bool {
    head.contains(&format!("access-control-allow-origin: {origin}\r\n"))
        || head.ends_with(&format!("access-control-allow-origin: {origin}"))
}

#[test]
fn a_page_of_that_origin_may_ask_for_tokens_metadata_and_keys() {
    let place = Place::new();
    let dev = place.dev(&["--cors", PAGE, "--cors", "https://second.example"]);
    for origin in [PAGE, "https://second.example"] {
        for (method, path) in ASKED {
            let (status, head) = ask_before(&dev, (method, path), origin);
            assert_eq!(status, 200, "{path}: {head}");
            assert!(allows(&head, origin), "{path}: {head}");
            assert!(
                head.contains("access-control-allow-methods: get,post"),
                "{head}"
            );
            assert!(
                head.contains("access-control-allow-headers: authorization,content-type,dpop"),
                "{head}"
            );
            let (status, head) = ask(&dev, &format!("{method} {path}"), origin, "");
            assert_eq!(status, 200, "{path}: {head}");
            assert!(allows(&head, origin), "{path}: {head}");
            assert!(
                head.contains("access-control-expose-headers: dpop-nonce"),
                "{head}"
            );
            assert!(!head.contains("access-control-allow-credentials"), "{head}");
        }
    }
    // What caches keep is for one origin, whoever asked first.
    let (_, head, _) = request(dev.url("issuer"), "GET /oauth2/jwks", "", "");
    assert!(head.to_lowercase().contains("vary: origin"), "{head}");
}

#[test]
fn no_other_page_learns_anything_and_that_one_nothing_else() {
    let place = Place::new();
    let dev = place.dev(&["--cors", PAGE]);
    for origin in [
        "https://evil.example",
        "null",
        "http://localhost:3001",
        "http://localhost:30000",
    ] {
        for (method, path) in ASKED {
            let (status, head) = ask_before(&dev, (method, path), origin);
            assert_eq!(status, 405, "{path}: {head}");
            assert!(
                !head.contains("access-control-allow-origin"),
                "{path}: {head}"
            );
            let (_, head) = ask(&dev, &format!("{method} {path}"), origin, "");
            assert!(
                !head.contains("access-control-allow-origin"),
                "{path}: {head}"
            );
        }
    }
    for (method, path) in NOT_ASKED {
        let (status, head) = ask_before(&dev, (method, path), PAGE);
        assert_ne!(status, 200, "{path}");
        assert!(!head.contains("access-control"), "{path}: {head}");
        let (_, head) = ask(&dev, &format!("{method} {path}"), PAGE, "");
        assert!(!head.contains("access-control"), "{path}: {head}");
    }
    // Nor may it steer.
    let steered = request(
        dev.url("control"),
        "GET /_test",
        &format!("Origin: {PAGE}\r\n"),
        "",
    );
    assert_eq!(steered.0, 403);
}

#[test]
fn without_the_flag_no_page_may_ask_anything() {
    let place = Place::new();
    let dev = place.dev(&[]);
    for (method, path) in ASKED {
        let (status, head) = ask_before(&dev, (method, path), PAGE);
        assert!(
            status == 405 && !head.contains("access-control"),
            "{path}: {head}"
        );
        let (_, head) = ask(&dev, &format!("{method} {path}"), PAGE, "");
        assert!(!head.contains("access-control"), "{path}: {head}");
    }
    for wrong in ["*", "http://localhost:3000/"] {
        let ended = place.run(&["dev", "--listen", "127.0.0.1:0", "--cors", wrong]);
        assert!(
            ended.code == Some(2) && ended.stderr.contains("as browsers send it"),
            "{ended:?}"
        );
    }
}
