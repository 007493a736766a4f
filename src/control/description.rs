//! What a handler takes and gives, for the OpenAPI document.

use utoipa::ToSchema;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::{Ref, RefOr, Response, Schema};

/// What one handler takes and gives.
pub(super) struct Description {
    pub(super) path: &'static str,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<RequestBody>,
    pub(super) answers: Vec<(&'static str, Response)>,
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
}

impl Description {
    pub(super) fn of(path: &'static str) -> Self {
        Self {
            path,
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            schemas: Vec::new(),
        }
    }

    /// A reference to the schema of `T`, which stands among the document's components.
    pub(super) fn schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = T::name();
        self.schemas.push((name.to_string(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(name).into()
    }
}
