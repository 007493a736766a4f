//! Who calls, and for whom: what this API sees, and what the next one sees that it calls for its caller.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::guard::Caller;
use crate::next::Next;
use crate::settings::Settings;

pub(crate) struct Callers {
    audience: String,
    next: Option<Next>,
}

impl Callers {
    pub(crate) fn new(settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self {
            audience: settings.audience.clone(),
            next: Next::new(settings)?,
        })
    }
}

pub(crate) async fn told(
    State(callers): State<Arc<Callers>>,
    Extension(caller): Extension<Caller>,
) -> Response {
    let next = match &callers.next {
        None => Value::Null,
        Some(next) => match next.ask(&caller.token).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!("the next API cannot be called: {error:#}");
                return StatusCode::BAD_GATEWAY.into_response();
            }
        },
    };
    let body = json!({
        "api": callers.audience,
        "subject": caller.subject,
        "client": caller.client,
        "actors": caller.actors,
        "next": next,
    });
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, format!("{body}\n")).into_response()
}
