//! `POST`, `PATCH` and `DELETE /_test/clients`: each test has a client of its own.

pub(super) mod line;
pub(super) mod outfit;
mod stated;

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{AdditionalProperties, SchemaType};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::answer::{Done, Json};
use super::changing::{actor, done, options};
use super::client_card::ClientCard;
use super::fault::Fault;
use super::input::{Body, Name};
use super::state::Control;
use super::table::Table;
use crate::config::catalog::{CatalogClient, CatalogOptions};
use crate::domain::identifier::ClientId;
use crate::operations::change_client::{
    create_client, delete_client, disable_client, enable_client,
};

/// A client with the keys of a `[[client]]` in a catalog, all optional: without `id` it gets one, without credentials
/// those that `auth` needs (by default a secret), without `policy` what the first client of the catalog gets.
#[derive(Default, Deserialize)]
#[serde(transparent)]
struct ClientWanted(Map<String, Value>);

impl ToSchema for ClientWanted {}

impl PartialSchema for ClientWanted {
    /// The keys of a catalog's client; docs and `config/catalog.toml` tell what each takes.
    fn schema() -> RefOr<Schema> {
        let keys = CatalogClient::keys().into_iter();
        let object = keys.fold(ObjectBuilder::new(), |object, key| {
            object.property(key, ObjectBuilder::new().schema_type(SchemaType::AnyValue))
        });
        let closed = object.additional_properties(Some(AdditionalProperties::FreeForm(false)));
        let told = "A client with the keys of a [[client]] in a catalog, all optional";
        RefOr::T(closed.description(Some(told)).build().into())
    }
}

/// What is changed of a client.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClientPatch {
    /// `disabled` voids its tokens; `active` lets it get new ones.
    status: StatusWanted,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum StatusWanted {
    Active,
    Disabled,
}

pub(super) fn routes(all: Table) -> Table {
    all.post(
        "/_test/clients",
        "registers a client, and gives all that its owner needs",
        register,
    )
    .patch(
        "/_test/clients/{id}",
        "disables a client and voids its tokens, or enables it",
        patch,
    )
    .delete(
        "/_test/clients/{id}",
        "deletes a client and voids its tokens",
        delete,
    )
}

async fn register(
    control: Control,
    wanted: Option<Body<ClientWanted>>,
) -> Result<Json<ClientCard>, Fault> {
    let wanted = Body::or_default(wanted);
    let _alone = control.alone().await?;
    let members = stated::completed(&control, wanted.0).await?;
    let environment = |name: &str| std::env::var(name).ok();
    let mut client = CatalogClient::of_json(&members, &CatalogOptions::dev(&environment))?;
    outfit::give_credential(&mut client);
    let mut held = outfit::equip(&control, &mut client)?;
    let id = client.id.clone();
    let by = actor();
    let created = create_client(
        control.grantd().store(),
        client.clone(),
        options(&control, &by),
    )
    .await;
    done(&control, created).await?;
    let audiences = control.grantd().store().all_audiences().await?;
    held.curl = line::lasting(&control, &client, (&held, &audiences));
    control.hold(&id, held.clone());
    let known = control.client(id.as_str()).await?;
    let mut card = ClientCard::of(&control, &known);
    card.curl = line::fresh(&control, &client, (&held, &audiences)).await?;
    Ok(Json(card))
}

async fn patch(
    control: Control,
    Name(id): Name,
    Body(patch): Body<ClientPatch>,
) -> Result<Json<ClientCard>, Fault> {
    let _alone = control.alone().await?;
    let known = control.client(&id).await?;
    let (store, by) = (control.grantd().store(), actor());
    let (id, options) = (&known.client.id, options(&control, &by));
    let changed = match patch.status {
        StatusWanted::Active => enable_client(store, id, options).await,
        StatusWanted::Disabled => disable_client(store, id, options).await,
    };
    done(&control, changed).await?;
    let known = control.client(id.as_str()).await?;
    Ok(Json(ClientCard::of(&control, &known)))
}

async fn delete(control: Control, Name(id): Name) -> Result<Done, Fault> {
    let _alone = control.alone().await?;
    let known = control.client(&id).await?;
    let (store, by) = (control.grantd().store(), actor());
    let id: &ClientId = &known.client.id;
    let deleted = delete_client(store, id, options(&control, &by)).await;
    done(&control, deleted).await?;
    control.hold_only(|kept| kept != id);
    Ok(Done)
}
