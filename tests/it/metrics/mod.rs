//! `/metrics`: what is counted, under which labels, and that all of it is bounded.

mod bounds;
mod labels;
mod names;
mod numbers;
mod scrape;

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use grantd::http::health::HealthState;
use grantd::http::routes;
use grantd::server::server_metrics::ServerMetrics;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::harness::*;
use scrape::Scrape;

/// What the operations listener of `replica` answers at `/metrics`; `accept` is what is asked for.
async fn answer(replica: &Replica, accept: &str) -> Answer {
    let router = routes::operations(HealthState {
        grantd: Arc::clone(&replica.grantd),
        draining: Arc::default(),
        server: Arc::new(ServerMetrics::default()),
    });
    let request = Request::get("/metrics")
        .header("host", "localhost")
        .header("accept", accept);
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await;
    let (head, body) = response.unwrap().into_parts();
    Answer {
        status: head.status,
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}

/// The numbers of `replica` as they are now.
async fn scrape(replica: &Replica) -> Scrape {
    Scrape::of(&text(replica).await)
}

/// The same as it is sent.
pub(crate) async fn text(replica: &Replica) -> String {
    let answer = answer(replica, "").await;
    assert_eq!(answer.status, 200);
    String::from_utf8(answer.body).unwrap()
}
