//! `GET /livez`, `GET /readyz` and `GET /startupz` of the operations listener.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::answer::ok_json;
use crate::operations::Grantd;
use crate::operations::troubles::{Degraded, Trouble};
use crate::telemetry::metrics::Source;

/// What the operations listener can reach.
#[derive(Clone)]
pub struct HealthState {
    /// The replica.
    pub grantd: Arc<Grantd>,
    /// Set when the process begins to stop.
    pub draining: Arc<AtomicBool>,
    /// What else `/metrics` shows.
    pub server: Arc<dyn Source>,
}

impl HealthState {
    /// What keeps this replica from being whole, and its end where that is near.
    fn degraded(&self) -> Vec<Degraded> {
        let mut degraded = self.grantd.degraded();
        if self.draining.load(Ordering::Relaxed) {
            degraded.push(Degraded {
                what: Trouble::Draining,
                since: self.grantd.clock().now(),
                message: "the process is stopping".to_owned(),
                blocks: true,
            });
        }
        degraded
    }

    /// Whether this replica may be sent requests.
    pub(super) fn is_ready(&self) -> bool {
        !self.degraded().iter().any(|it| it.blocks)
    }
}

/// The process runs.
pub(super) async fn livez() -> Response {
    ok_json(json!({"status": "alive"}).to_string().into_bytes())
}

/// The replica has loaded what it needs; else 503. Once it has, that stays so, however it is later.
pub(super) async fn startupz(State(state): State<HealthState>) -> Response {
    let started = state.grantd.has_loaded();
    let degraded: Vec<_> = state.grantd.degraded().iter().map(document).collect();
    answer(
        started,
        &json!({ "started": started, "degraded": degraded }),
    )
}

/// The replica may be sent requests; else 503. The body names what is degraded, and since when.
pub(super) async fn readyz(State(state): State<HealthState>) -> Response {
    let degraded = state.degraded();
    let ready = !degraded.iter().any(|it| it.blocks);
    let degraded: Vec<_> = degraded.iter().map(document).collect();
    answer(ready, &json!({ "ready": ready, "degraded": degraded }))
}

fn answer(is_well: bool, body: &Value) -> Response {
    let mut response = ok_json(body.to_string().into_bytes());
    if !is_well {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

fn document(degraded: &Degraded) -> Value {
    json!({
        "what": degraded.what.as_str(),
        "since": degraded.since.to_string(),
        "message": degraded.message,
    })
}
