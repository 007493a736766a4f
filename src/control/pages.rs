//! `grantd dev --cors`: web pages of some origins, such as Swagger UI, may ask for tokens, metadata and keys (CORS, of
//! the Fetch standard). Nothing else of the server may be asked by a page, and no other page learns anything.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_TYPE, ORIGIN, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tower::ServiceExt as _;
use tower_http::cors::CorsLayer;

use crate::domain::issuer::Issuer;
use crate::http::routes::{Routes, WELL_KNOWN};

const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What pages may ask, and which pages.
struct Pages {
    routes: Router,
    paths: Vec<String>,
    origins: Vec<HeaderValue>,
}

/// The routes of `issuer`, which pages of these origins may ask.
pub fn for_pages(routes: Routes, issuer: &Issuer, origins: &[Issuer]) -> Routes {
    let origins = origins.iter();
    let origins = origins.filter_map(|it| HeaderValue::from_str(it.as_str()).ok());
    let origins: Vec<HeaderValue> = origins.collect();
    let answers = CorsLayer::new()
        .allow_origin(origins.clone())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, DPOP])
        .expose_headers([DPOP_NONCE, RETRY_AFTER, WWW_AUTHENTICATE, REQUEST_ID]);
    let pages = Pages {
        routes: routes.clone().layer(answers),
        paths: paths(issuer),
        origins,
    };
    routes.layer(from_fn_with_state(Arc::new(pages), answer))
}

fn paths(issuer: &Issuer) -> Vec<String> {
    let path = issuer.path();
    let mut paths = vec![
        format!("{path}/oauth2/token"),
        format!("{path}/oauth2/jwks"),
        "/.well-known/jwks.json".to_owned(),
    ];
    for name in WELL_KNOWN {
        paths.extend([format!("{name}{path}"), format!("{path}{name}")]);
    }
    paths
}

async fn answer(State(pages): State<Arc<Pages>>, request: Request, next: Next) -> Response {
    if !pages.are_meant(&request) {
        return next.run(request).await;
    }
    match pages.routes.clone().oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

impl Pages {
    /// What caches may keep says for everybody that it differs by origin; a question before a request is answered to
    /// whom it is for.
    fn are_meant(&self, request: &Request) -> bool {
        let headers = request.headers();
        let is_known = || {
            let origin = headers.get(ORIGIN);
            let is_question = headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
            is_question && origin.is_some_and(|it| self.origins.contains(it))
        };
        let is_path = self.paths.iter().any(|it| it == request.uri().path());
        is_path && (request.method() != Method::OPTIONS || is_known())
    }
}
