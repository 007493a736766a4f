//! `GET /_test`: everything on one page.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::answer::Json;
use super::client_card::ClientCard;
use super::endpoint_urls::Endpoints;
use super::fault::Fault;
use super::faults::Faults;
use super::state::Control;
use super::steered_clock::ClockState;
use super::table::Table;

/// So many clients are shown; a catalog may have thousands.
const MOST_CLIENTS: u16 = 200;

/// What there is, and what can be done with it.
#[derive(Serialize, ToSchema)]
struct Index {
    /// Of grantd.
    version: &'static str,
    issuer: String,
    /// The URL of this interface.
    control: String,
    /// The URL of health and metrics.
    operations: String,
    endpoints: Endpoints,
    /// As a catalog states them.
    #[schema(value_type = Vec<Object>)]
    audiences: Vec<Value>,
    clock: ClockState,
    /// What goes wrong on purpose.
    faults: Faults,
    /// In the order of their ids.
    clients: Vec<ClientCard>,
    /// Whether there are more clients than these.
    has_more_clients: bool,
    paths: Vec<PathCard>,
}

#[derive(Serialize, ToSchema)]
struct PathCard {
    method: &'static str,
    path: &'static str,
    does: &'static str,
}

pub(super) fn routes(all: Table) -> Table {
    all.get("/_test", "shows all of this on one page", show)
}

async fn show(control: Control) -> Result<Json<Index>, Fault> {
    let store = control.grantd().store();
    let (_, mut clients) = store
        .first_of_catalog(i64::from(MOST_CLIENTS) + 1)
        .await
        .map_err(|error| Fault::unavailable(&error))?;
    let audiences = store
        .all_audiences()
        .await
        .map_err(|error| Fault::unavailable(&error))?;
    let has_more_clients = clients.len() > usize::from(MOST_CLIENTS);
    clients.truncate(usize::from(MOST_CLIENTS));
    let settings = control.settings();
    Ok(Json(Index {
        version: env!("CARGO_PKG_VERSION"),
        issuer: settings.issuer.as_str().to_owned(),
        control: control.url().to_owned(),
        operations: format!("http://{}", settings.operations.listen),
        endpoints: Endpoints::of(&control),
        audiences: audiences.iter().map(|it| json!(it)).collect(),
        clients: clients
            .iter()
            .map(|it| ClientCard::of(&control, it))
            .collect(),
        has_more_clients,
        clock: control.clock().state(None),
        faults: Faults::of(&control),
        paths: control
            .routes()
            .iter()
            .map(|route| PathCard {
                method: route.verb.as_str(),
                path: route.path,
                does: route.does,
            })
            .collect(),
    }))
}
