//! What handlers give: JSON, nothing, or an answer of their own.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::ContentBuilder;
use utoipa::openapi::response::ResponseBuilder;

use super::description::Description;
use crate::http::answer::{ok_empty, ok_json};

/// What a handler gives.
pub(super) trait Answer: Send {
    /// The answer itself.
    fn answer(self) -> Response;

    /// Says what it is.
    fn describe(to: &mut Description);
}

/// 200 with a JSON document.
pub(super) struct Json<T>(pub(super) T);

/// 204: it is done, and there is nothing to say.
pub(super) struct Done;

/// An answer of its own, where another standard says what it is.
pub(super) struct Other(pub(super) Response);

impl<T: Serialize + ToSchema + Send> Answer for Json<T> {
    fn answer(self) -> Response {
        ok_json(serde_json::to_vec(&self.0).unwrap_or_default())
    }

    fn describe(to: &mut Description) {
        let content = ContentBuilder::new().schema(Some(to.schema::<T>())).build();
        let response = ResponseBuilder::new()
            .description("Done.")
            .content("application/json", content);
        to.answers.push(("200", response.build()));
    }
}

impl Answer for Done {
    fn answer(self) -> Response {
        let mut response = ok_empty();
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    }

    fn describe(to: &mut Description) {
        let response = ResponseBuilder::new().description("Done.").build();
        to.answers.push(("204", response));
    }
}

impl Answer for Other {
    fn answer(self) -> Response {
        self.0
    }

    fn describe(to: &mut Description) {
        let response = ResponseBuilder::new().description("As its standard says.");
        to.answers.push(("200", response.build()));
    }
}
