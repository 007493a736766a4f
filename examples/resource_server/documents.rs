//! What the API is about: a list of titles. Nothing here knows of tokens, only of the caller.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;

use crate::guard::Caller;

/// The oldest titles go when there are more.
const MOST: usize = 100;

/// The titles, oldest first.
#[derive(Default)]
pub(crate) struct Documents(Mutex<VecDeque<String>>);

pub(crate) async fn list(
    State(documents): State<Arc<Documents>>,
    Extension(caller): Extension<Caller>,
) -> impl IntoResponse {
    let titles = documents.0.lock().unwrap_or_else(PoisonError::into_inner);
    let body = json!({ "documents": *titles, "read_by": caller.client });
    (
        [(header::CONTENT_TYPE, "application/json")],
        format!("{body}\n"),
    )
}

/// Takes a title as plain text.
pub(crate) async fn add(State(documents): State<Arc<Documents>>, title: String) -> StatusCode {
    let mut titles = documents.0.lock().unwrap_or_else(PoisonError::into_inner);
    if titles.len() == MOST {
        titles.pop_front();
    }
    titles.push_back(title);
    StatusCode::CREATED
}
