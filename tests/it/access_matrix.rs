//! Every route of both listeners with every method, and every other way of writing its path.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::Request;
use grantd::http::health::HealthState;
use grantd::http::routes;
use grantd::server::server_metrics::ServerMetrics;
use proc_macro2::{TokenStream, TokenTree};

use crate::harness::*;
use crate::source_tree::rust_files_below;

/// What a route takes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Takes {
    /// POST of a form; an empty body is 400.
    Form,
    /// GET and HEAD.
    Get,
    /// PUT; without a query it is 400.
    Put,
    /// Nothing: every method is refused.
    Nothing,
}

/// Every route of the public listener, with an issuer that has no path.
const PUBLIC: [(&str, Takes); 8] = [
    ("/oauth2/token", Takes::Form),
    ("/oauth2/introspect", Takes::Form),
    ("/oauth2/revoke", Takes::Form),
    ("/oauth2/authorize", Takes::Nothing),
    ("/oauth2/jwks", Takes::Get),
    ("/.well-known/jwks.json", Takes::Get),
    ("/.well-known/oauth-authorization-server", Takes::Get),
    ("/.well-known/openid-configuration", Takes::Get),
];
/// Every route of the operations listener.
const OPERATIONS: [(&str, Takes); 5] = [
    ("/livez", Takes::Get),
    ("/readyz", Takes::Get),
    ("/startupz", Takes::Get),
    ("/metrics", Takes::Get),
    ("/log", Takes::Put),
];
/// Paths of other servers, and of things to come, that must not be there.
const NOWHERE: [&str; 10] = [
    "/",
    "/oauth2",
    "/oauth2/",
    "/authorize",
    "/token",
    "/admin/v1/clients",
    "/_test/clock",
    "/healthz",
    "/favicon.ico",
    "/.well-known/security.txt",
];
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW",
];

/// Other spellings of a path that a proxy or a router may take for the path itself.
fn tricks(path: &str) -> Vec<String> {
    let name = path.trim_start_matches('/');
    let (folder, last) = path.rsplit_once('/').unwrap();
    let escaped = format!("%{:02x}", name.as_bytes()[0]);
    let tricks = [
        format!("/{path}"),
        format!("//{path}"),
        format!("/.{path}"),
        format!("/x/..{path}"),
        format!("/%2e%2e{path}"),
        format!("/oauth2/..{path}"),
        format!("/oauth2/%2e%2e{path}"),
        format!("/oauth2/..;{path}"),
        format!("/%2f{name}"),
        format!("/{escaped}{}", &name[1..]),
        format!("{folder}%2f{last}"),
        format!("{folder}//{last}"),
        format!("{folder}/./{last}"),
        format!("{folder}%5c{last}"),
        format!("{path}/"),
        format!("{path}//"),
        format!("{path};x=1"),
        format!("{path}/x"),
        format!("{path}.json"),
        format!("{path}%20"),
        format!("{path}%00"),
        path.to_uppercase(),
    ];
    // What does not begin with a slash is no request target.
    tricks
        .into_iter()
        .filter(|target| target.starts_with('/'))
        .collect()
}

async fn send(router: &axum::Router, method: &str, target: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", "auth.example");
    Answer::of(router, request.body(Body::empty()).unwrap()).await
}

async fn assert_not_found(router: &axum::Router, target: &str) {
    for method in METHODS {
        let answer = send(router, method, target).await;
        assert_eq!(answer.status, 404, "{method} {target}");
        if method == "HEAD" {
            assert!(answer.body.is_empty());
        } else {
            answer.assert_error(404, "not_found");
        }
    }
}

async fn assert_matrix(router: &axum::Router, table: &[(&str, Takes)]) {
    for (path, takes) in table {
        for method in METHODS {
            let answer = send(router, method, path).await;
            let status = match (takes, method) {
                (Takes::Form, "POST") | (Takes::Put, "PUT") | (Takes::Nothing, _) => 400,
                (Takes::Get, "GET" | "HEAD") => 200,
                _ => 405,
            };
            assert_eq!(answer.status, status, "{method} {path}");
            if status == 405 {
                let allow = match takes {
                    Takes::Form => "POST",
                    Takes::Put => "PUT",
                    Takes::Get | Takes::Nothing => "GET,HEAD",
                };
                assert_eq!(answer.headers["allow"], allow, "{method} {path}");
            }
            if status >= 400 && method != "HEAD" {
                let code = match (takes, status) {
                    (Takes::Nothing, _) => "unsupported_response_type",
                    (_, 400) => "invalid_request",
                    _ => "method_not_allowed",
                };
                answer.assert_error(status, code);
            }
            let cors = |name: &axum::http::HeaderName| name.as_str().starts_with("access-control");
            assert!(!answer.headers.keys().any(cors), "{method} {path}");
            assert!(!answer.headers.contains_key("set-cookie"));
        }
    }
}

fn operations(replica: &Replica, draining: &Arc<AtomicBool>) -> axum::Router {
    let grantd = Arc::clone(&replica.grantd);
    routes::operations(HealthState {
        grantd,
        draining: Arc::clone(draining),
        server: Arc::new(ServerMetrics::default()),
    })
}

on_both! {
    async fn each_public_route_takes_its_methods_and_no_other(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        assert_matrix(&replica.router, &PUBLIC).await;
    }

    async fn each_operations_route_takes_its_methods_and_no_other(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        assert_matrix(&operations(&replica, &Arc::default()), &OPERATIONS).await;
    }

    /// B-H10
    async fn neither_listener_has_a_route_of_the_other_however_it_is_written(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let operations = operations(&replica, &Arc::default());
        for (path, _) in OPERATIONS {
            assert_not_found(&replica.router, path).await;
        }
        for (path, _) in PUBLIC {
            assert_not_found(&operations, path).await;
        }
        for (path, _) in OPERATIONS.iter().chain(&PUBLIC) {
            for target in tricks(path) {
                assert_not_found(&replica.router, &target).await;
                assert_not_found(&operations, &target).await;
            }
        }
        for target in NOWHERE {
            assert_not_found(&replica.router, target).await;
            assert_not_found(&operations, target).await;
        }
    }

    /// What an operator's load balancer reads: alive always, ready only when requests can be answered.
    async fn readiness_names_what_is_degraded(env) {
        env.apply(CATALOG).await;
        let replica = env.unloaded_replica(|_| {});
        let draining = Arc::new(AtomicBool::new(false));
        let router = operations(&replica, &draining);
        let degraded = async |expected: &[&str]| {
            let answer = send(&router, "GET", "/readyz").await;
            assert_eq!(answer.status, if expected.is_empty() { 200 } else { 503 });
            let body = answer.json();
            let degraded = body["degraded"].as_array().unwrap();
            assert_eq!(degraded.len(), expected.len(), "{body}");
            assert_eq!(body["ready"], expected.is_empty(), "{body}");
            let named = |(entry, word): (&serde_json::Value, &&str)| {
                entry["what"] == **word && entry["since"].is_string() && entry["message"].is_string()
            };
            assert!(degraded.iter().zip(expected).all(named), "{body}");
            assert_eq!(send(&router, "GET", "/livez").await.status, 200);
        };
        let started = async || send(&router, "GET", "/startupz").await;
        let before = started().await;
        assert_eq!((before.status.as_u16(), &before.json()["started"]), (503, &false.into()));
        degraded(&["keys", "feed"]).await;
        replica.follow().await;
        degraded(&[]).await;
        env.clock.advance(grantd::domain::timestamp::Seconds::new(31));
        degraded(&["feed"]).await;
        assert_eq!(started().await.status, 200, "it has started, however it is by now");
        replica.follow().await;
        draining.store(true, Ordering::Relaxed);
        degraded(&["draining"]).await;
        // However it is by now.
        let after = started().await;
        assert_eq!((after.status.as_u16(), &after.json()["started"]), (200, &true.into()));
    }
}

/// Every text in the code of `tokens`, outside attributes.
fn texts(tokens: TokenStream) -> Vec<String> {
    let mut texts = Vec::new();
    let mut after_hash = false;
    for tree in tokens {
        match &tree {
            TokenTree::Group(group) if !after_hash => texts.extend(self::texts(group.stream())),
            TokenTree::Literal(literal) => {
                texts.push(literal.to_string().trim_matches('"').to_owned());
            }
            _ => {}
        }
        let sign = |sign| matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == sign);
        after_hash = sign('#') || (after_hash && sign('!'));
    }
    texts
}

fn words(tokens: TokenStream) -> BTreeSet<String> {
    tokens
        .into_iter()
        .flat_map(|tree| match tree {
            TokenTree::Group(group) => words(group.stream()),
            TokenTree::Ident(word) => BTreeSet::from([word.to_string()]),
            _ => BTreeSet::new(),
        })
        .collect()
}

#[test]
fn every_route_is_in_the_matrix() {
    let files = rust_files_below("src/http");
    let route_file = files
        .iter()
        .find(|file| file.path == "src/http/routes.rs")
        .unwrap();
    let stated: BTreeSet<String> = texts(route_file.tokens.clone())
        .into_iter()
        .map(|text| text.replace("{path}", "").replace("{name}", ""))
        .filter(|text| text.contains('/'))
        .collect();
    let listed: BTreeSet<String> = PUBLIC
        .iter()
        .chain(&OPERATIONS)
        .map(|(path, _)| (*path).to_owned())
        .collect();
    assert_eq!(stated, listed);
    let adders = [
        "route",
        "nest",
        "nest_service",
        "merge",
        "route_service",
        "fallback_service",
    ];
    for file in rust_files_below("src") {
        let found = words(file.tokens);
        let added: Vec<&str> = adders
            .into_iter()
            .filter(|word| found.contains(*word))
            .collect();
        let permitted = if file.path == "src/http/routes.rs" {
            vec!["route"]
        } else {
            Vec::new()
        };
        // Routes that only tests of the server serve are no routes of ours.
        let is_test = file.path.ends_with("tests.rs") || file.path == "src/http/sample.rs";
        if file.path.starts_with("src/http/") && !is_test {
            assert_eq!(added, permitted, "{}", file.path);
        }
    }
}
