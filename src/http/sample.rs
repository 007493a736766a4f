//! A small surrounded router for tests of the server, which itself knows no axum.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use tokio::sync::Notify;

use super::body::{BodyLimits, read_form};
use super::connection::Connection;
use super::{answer, layers};
use crate::config::settings::Limits;

/// `POST /form` answers the value of `a`; `GET /wait` notifies `entered` and waits for `leave`; `GET /peer` tells
/// the connection's peer; `GET /big` gives 8 MiB.
pub(crate) fn router(entered: Arc<Notify>, leave: Arc<Notify>) -> Router {
    let wait = async move || {
        entered.notify_one();
        leave.notified().await;
        "waited"
    };
    let router = Router::new()
        .route("/form", post(echo))
        .route("/wait", get(wait))
        .route("/big", get(async || vec![b'x'; 8 * 1024 * 1024]))
        .route(
            "/peer",
            get(async |Extension(c): Extension<Connection>| c.peer.to_string()),
        );
    layers::surround(router)
}

async fn echo(request: Request) -> Response {
    let limits = BodyLimits {
        time: Duration::from_millis(200),
        ..BodyLimits::of(&Limits::default())
    };
    match read_form(request, limits).await {
        Ok((_, form)) => answer::ok_json(form.get("a").unwrap_or_default().as_bytes().to_vec()),
        Err(fault) => answer::refuse(&fault.into()),
    }
}
