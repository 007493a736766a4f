//! `GET /livez` and `GET /readyz` of the operations listener.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::answer::ok_json;
use crate::operations::Grantd;

/// What the operations listener can reach.
#[derive(Clone, Debug)]
pub struct HealthState {
    /// The replica.
    pub grantd: Arc<Grantd>,
    /// Set when the process begins to stop.
    pub draining: Arc<AtomicBool>,
}

/// The process runs.
pub(super) async fn livez() -> Response {
    ok_json(json!({"status": "alive"}).to_string().into_bytes())
}

/// The replica may be sent requests; else 503, and the body names why.
pub(super) async fn readyz(State(state): State<HealthState>) -> Response {
    let mut degraded = Vec::new();
    match state.grantd.keys() {
        None => degraded.push("keys: not loaded"),
        Some(keys) if keys.unopened() > 0 => degraded.push("keys: some cannot be opened"),
        Some(_) => {}
    }
    if !state.grantd.is_fresh() {
        degraded.push("feed: not read for longer than max_staleness");
    }
    if state.draining.load(Ordering::Relaxed) {
        degraded.push("draining");
    }
    let ready = degraded.is_empty();
    let status = if ready { "ready" } else { "not ready" };
    let mut response =
        ok_json(json!({"status": status, "degraded": degraded}).to_string().into_bytes());
    if !ready {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}
