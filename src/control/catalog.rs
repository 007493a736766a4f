//! `POST /_test/catalog`: applies a catalog by the rules of `grantd apply`.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::answer::Json;
use super::changing::{actor, done, options};
use super::clients::{line, outfit};
use super::fault::Fault;
use super::input::{AnyBody, Query, object};
use super::state::{Control, Held};
use super::table::Table;
use crate::config::catalog::{Catalog, CatalogClient, CatalogOptions};
use crate::domain::identifier::ClientId;
use crate::operations::apply_catalog::{Action, ApplyOptions, apply_catalog};
use crate::operations::background::blocking;
use crate::operations::change_error::ChangeError;

/// What errors call a catalog in TOML.
const NAME: &str = "catalog";
/// Of a large catalog so many clients are shown with what they prove themselves with.
const MOST_HELD: usize = 200;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct How {
    /// Whether what the catalog does not state goes.
    #[serde(default)]
    prune: bool,
}

/// What was done, as `grantd apply --output json` prints it.
#[derive(Serialize, ToSchema)]
#[schema(value_type = Object)]
struct Applied(Value);

pub(super) fn routes(all: Table) -> Table {
    all.post(
        "/_test/catalog",
        "applies a catalog: TOML as text/plain, or JSON",
        apply,
    )
}

async fn apply(
    control: Control,
    Query(how): Query<How>,
    body: AnyBody,
) -> Result<Json<Applied>, Fault> {
    let stated = read(&body)?;
    let _alone = control.alone().await?;
    let equipping = control.clone();
    let (catalog, held) = blocking(move || equipped(&equipping, stated)).await?;
    let by = actor();
    let options = ApplyOptions {
        prune: how.prune,
        ..options(&control, &by)
    };
    let applied = apply_catalog(control.grantd().store(), &catalog, options).await;
    let applied = applied.map(|(plan, _)| plan).map_err(ChangeError::from);
    let plan = done(&control, applied).await?;
    if how.prune {
        let stated: HashSet<&ClientId> = catalog.clients.iter().map(|it| &it.client.id).collect();
        control.hold_only(|id| stated.contains(id));
    }
    control.secrets().add_all(&catalog);
    hold(&control, &catalog, held).await?;
    let steps = plan.steps.iter();
    let shown: Vec<_> = steps
        .filter(|step| step.action != Action::Unchanged)
        .collect();
    Ok(Json(Applied(plan.document(false, &shown))))
}

fn read(body: &AnyBody) -> Result<Catalog, Fault> {
    let environment = |name: &str| std::env::var(name).ok();
    let options = CatalogOptions::dev(&environment);
    match body.media_type.as_str() {
        "application/json" => Ok(Catalog::of_json(&object(&body.bytes)?, &options)?),
        "text/plain" | "application/toml" => {
            let text = std::str::from_utf8(&body.bytes);
            let text = text.map_err(|_| Fault::invalid("the catalog must be text in UTF-8"))?;
            Ok(Catalog::parse(NAME, text, &options)?)
        }
        _ => Err(Fault::invalid(
            "send a catalog as TOML with Content-Type: text/plain, or as JSON with Content-Type: application/json",
        )),
    }
}

/// The catalog with the keys and certificates that its clients lack.
fn equipped(control: &Control, mut catalog: Catalog) -> Result<(Catalog, Vec<Held>), Fault> {
    let clients = catalog.clients.iter_mut();
    let held = clients.map(|client| outfit::equip(control, client));
    let held = held.collect::<Result<_, _>>()?;
    Ok((catalog, held))
}

async fn hold(control: &Control, catalog: &Catalog, held: Vec<Held>) -> Result<(), Fault> {
    let audiences = control.grantd().store().all_audiences().await?;
    let clients: &[CatalogClient] = &catalog.clients;
    for (client, held) in clients.iter().zip(held).take(MOST_HELD) {
        let curl = line::lasting(control, client, (&held, &audiences));
        control.hold(&client.id, Held { curl, ..held });
    }
    Ok(())
}
