//! A small router, surrounded.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use axum::routing::{get, post};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;

async fn send(method: Method, target: &str) -> Response {
    let router = Router::new()
        .route(
            "/oauth2/token",
            post(async || answer::ok_json(b"{}".to_vec())),
        )
        .route(
            "/keys",
            get(async || answer::cacheable_json("application/json", vec![], 60, None)),
        )
        .route("/plain", get(async || "plain"))
        .route("/panic", get(panicking));
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", "localhost")
        .header("x-request-id", "from-a-stranger")
        .body(Body::empty())
        .unwrap();
    surround(router).oneshot(request).await.unwrap()
}

async fn panicking() -> &'static str {
    panic!("on purpose")
}

async fn body_of(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// B-H10: nothing is reached by another spelling of its path.
#[tokio::test]
async fn path_tricks_find_nothing() {
    for path in [
        "/",
        "/nothing",
        "/oauth2/token/",
        "//oauth2/token",
        "/oauth2//token",
        "/oauth2/%74oken",
        "/oauth2%2ftoken",
        "/x/../oauth2/token",
        "/%2e%2e/oauth2/token",
        "/oauth2/token;x=1",
        "/OAuth2/Token",
    ] {
        let answer = send(Method::POST, path).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert!(
            body_of(answer)
                .await
                .starts_with("{\"error\":\"not_found\"")
        );
    }
}

/// 6749-01.
#[tokio::test]
async fn another_method_is_refused_with_allow() {
    for method in [
        "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "FOO",
    ] {
        let answer = send(method.parse().unwrap(), "/oauth2/token").await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(answer.headers()["allow"], "POST");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert!(
            !answer
                .headers()
                .keys()
                .any(|name| name.as_str().starts_with("access-control"))
        );
        let expected = if method == "HEAD" {
            ""
        } else {
            "{\"error\":\"method_not_allowed\""
        };
        assert!(body_of(answer).await.starts_with(expected));
    }
    assert_eq!(
        send(Method::POST, "/keys").await.headers()["allow"],
        "GET,HEAD"
    );
}

#[tokio::test]
async fn the_request_id_is_always_ours() {
    for path in ["/keys", "/nothing", "/panic"] {
        let answer = send(Method::GET, path).await;
        let id = answer.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 7);
    }
}

/// 6749-31.
#[tokio::test]
async fn no_answer_is_cached_unless_it_says_so() {
    assert_eq!(
        send(Method::GET, "/plain").await.headers()["cache-control"],
        "no-store"
    );
    assert_eq!(
        send(Method::GET, "/keys").await.headers()["cache-control"],
        "public, max-age=60"
    );
}

/// B-H07.
#[tokio::test]
async fn a_panic_is_answered_by_503() {
    let answer = send(Method::GET, "/panic").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "5");
    assert!(
        body_of(answer)
            .await
            .starts_with("{\"error\":\"temporarily_unavailable\"")
    );
}

#[tokio::test]
async fn a_request_without_a_host_is_refused_in_json() {
    let request = Request::builder()
        .uri("/plain")
        .body(Body::empty())
        .unwrap();
    let answer = surround(Router::<()>::new().route("/plain", get(async || "")))
        .oneshot(request)
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(answer.headers().contains_key("x-request-id"));
    assert!(
        body_of(answer)
            .await
            .starts_with("{\"error\":\"invalid_request\"")
    );
}
