//! `GET /_test/tokens`: the battery, whole. What its entries are, `domain::battery` says; here they are made.

pub(super) mod entry;
pub(super) mod maker;
mod proofs;
mod standing;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Json;
use super::fault::Fault;
use super::input::Query;
use super::state::Control;
use super::table::Table;
use crate::domain::battery::List;
use crate::domain::battery::selection::Binding;
use crate::domain::scope::ScopeSet;
use entry::Entry;
use maker::{Asked, Maker};

/// Which API the battery is for, and how it is asked.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct BatteryQuery {
    /// The API's audience.
    audience: String,
    /// Whose tokens they are; absent: the first client with a policy for the audience.
    #[serde(default)]
    client_id: Option<String>,
    /// What a request needs, separated by spaces; absent: the client's default scopes.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    scope: Option<String>,
    /// `dpop` or `mtls`: what the tokens are bound to; absent: what the audience demands, if anything.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    binding: Option<Binding>,
    /// The method of the request, for DPoP proofs; absent: GET.
    #[serde(default)]
    method: Option<String>,
    /// Its URL, for DPoP proofs.
    #[serde(default)]
    url: Option<String>,
    /// `true` for an API that asks about each token: adds what was revoked.
    #[serde(default)]
    introspects: bool,
}

/// The battery.
#[derive(Serialize, ToSchema)]
struct Battery {
    /// An API accepts each of them.
    accept: Vec<Entry>,
    /// An API refuses each of them.
    refuse: Vec<Entry>,
}

pub(super) fn routes(all: Table) -> Table {
    all.get(
        "/_test/tokens",
        "makes the battery: tokens that an API accepts, and tokens with one flaw each that it refuses",
        make,
    )
}

async fn make(control: Control, Query(query): Query<BatteryQuery>) -> Result<Json<Battery>, Fault> {
    let asked = Asked {
        audience: Some(query.audience),
        client_id: query.client_id,
        scope: scope(query.scope.as_deref())?,
        binding: query.binding,
        method: query.method,
        url: query.url,
        introspects: query.introspects,
    };
    let maker = Maker::new(&control, asked).await?;
    let mut battery = Battery {
        accept: Vec::new(),
        refuse: Vec::new(),
    };
    for case in maker.cases() {
        let (entry, _) = maker.make(case).await?;
        match case.expectation().list {
            List::Accept => battery.accept.push(entry),
            List::Refuse => battery.refuse.push(entry),
        }
    }
    Ok(Json(battery))
}

/// Scopes with single spaces between.
///
/// # Errors
/// 400.
pub(super) fn scope(text: Option<&str>) -> Result<Option<ScopeSet>, Fault> {
    let parsed = text.map(ScopeSet::parse).transpose();
    parsed.map_err(|error| Fault::invalid(error.to_string()).at("scope"))
}
