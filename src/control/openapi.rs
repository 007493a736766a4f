//! `GET /_test/openapi.json`: what each path takes and gives (OpenAPI 3.1). It is made when it is asked for, from the
//! types of the handlers.

use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Paths, ServerBuilder,
};

use super::answer::Other;
use super::description::Description;
use super::fault::{Fault, FaultBody};
use super::route::Route;
use super::state::Control;
use super::table::Table;
use crate::http::answer::ok_json;

pub(super) fn routes(all: Table) -> Table {
    all.get(
        "/_test/openapi.json",
        "describes these paths (OpenAPI 3.1)",
        show,
    )
}

async fn show(control: Control) -> Result<Other, Fault> {
    let document = document(control.routes(), control.url());
    let json = serde_json::to_vec(&document).map_err(|error| Fault::unavailable(&error))?;
    Ok(Other(ok_json(json)))
}

/// The document about `routes`, which are reached at `url`.
pub(super) fn document(routes: &[Route], url: &str) -> OpenApi {
    let mut paths = Paths::new();
    let mut components = ComponentsBuilder::new();
    for route in routes {
        let mut description = Description::of(route.path);
        (route.describe)(&mut description);
        let fault = ContentBuilder::new().schema(Some(description.schema::<FaultBody>()));
        let refused = ResponseBuilder::new()
            .description("Refused: what is wrong, where, and what is known there.")
            .content("application/json", fault.build());
        let mut operation = OperationBuilder::new()
            .summary(Some(route.does))
            .request_body(description.body)
            .response("default", refused.build());
        for parameter in description.parameters {
            operation = operation.parameter(parameter);
        }
        for (status, answer) in description.answers {
            operation = operation.response(status, answer);
        }
        components = components.schemas_from_iter(description.schemas);
        paths.add_path_operation(route.path, vec![route.verb.of_openapi()], operation.build());
    }
    OpenApiBuilder::new()
        .info(info())
        .servers(Some([ServerBuilder::new().url(url).build()]))
        .paths(paths)
        .components(Some(components.build()))
        .build()
}

fn info() -> utoipa::openapi::Info {
    InfoBuilder::new()
        .title("grantd dev: control interface")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Tests steer `grantd dev` by it. A fault of a request is told with its place and the nearest known name.",
        ))
        .build()
}
