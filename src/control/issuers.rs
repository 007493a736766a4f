//! Other issuers: `PUT` and `DELETE /_test/issuers/NAME`, and what each of them publishes.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::answer::{Done, Json, Other};
use super::fault::Fault;
use super::input::{Body, Name};
use super::mint::other_issuers::OtherIssuer;
use super::state::Control;
use super::table::Table;
use crate::domain::provider::Provider;
use crate::http::answer::cacheable_json;

/// What its tokens look like.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct IssuerWanted {
    /// `github`, `gitlab`, `kubernetes` or `spiffe`: it plays that provider, and its tokens have that one's claims. Absent:
    /// its tokens are as ours, but for the issuer and the key.
    #[schema(value_type = Option<String>, example = "github")]
    preset: Option<Provider>,
}

/// An issuer, and where it is found.
#[derive(Serialize, ToSchema)]
struct IssuerCard {
    name: String,
    /// The `iss` of its tokens.
    issuer: String,
    jwks_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    preset: Option<Provider>,
}

#[derive(Serialize, ToSchema)]
struct IssuerCards {
    issuers: Vec<IssuerCard>,
}

pub(super) fn routes(all: Table) -> Table {
    let all = all
        .get("/_test/issuers", "lists the other issuers", list)
        .put(
            "/_test/issuers/{name}",
            "makes another issuer, whose tokens `issuer` of POST /_test/tokens makes",
            put,
        )
        .delete("/_test/issuers/{name}", "removes another issuer", delete)
        .get(
            "/_test/issuers/{name}/jwks",
            "is the JWKS of another issuer",
            jwks,
        )
        .get(
            "/_test/issuers/{name}/openid/v1/jwks",
            "is the same where Kubernetes has it",
            jwks,
        );
    let told = "is the metadata of another issuer";
    all.get(
        "/_test/issuers/{name}/.well-known/openid-configuration",
        told,
        metadata,
    )
    .get(
        "/_test/issuers/{name}/.well-known/oauth-authorization-server",
        told,
        metadata,
    )
    .get(
        "/.well-known/openid-configuration/_test/issuers/{name}",
        told,
        metadata,
    )
    .get(
        "/.well-known/oauth-authorization-server/_test/issuers/{name}",
        "is the same at the place that RFC 8414 inserts",
        metadata,
    )
}

async fn list(control: Control) -> Result<Json<IssuerCards>, Fault> {
    let all = control.mint().issuers.all();
    let cards = all.iter().map(|it| IssuerCard::of(it, control.url()));
    Ok(Json(IssuerCards {
        issuers: cards.collect(),
    }))
}

async fn put(
    control: Control,
    Name(name): Name,
    wanted: Option<Body<IssuerWanted>>,
) -> Result<Json<IssuerCard>, Fault> {
    let wanted = Body::or_default(wanted);
    let issuer = control.mint().issuers.put(&name, wanted.preset)?;
    // The key is there when somebody looks.
    issuer.keys.key(issuer.algorithm()).await?;
    Ok(Json(IssuerCard::of(&issuer, control.url())))
}

async fn delete(control: Control, Name(name): Name) -> Result<Done, Fault> {
    control.mint().issuers.remove(&name)?;
    Ok(Done)
}

async fn metadata(control: Control, Name(name): Name) -> Result<Other, Fault> {
    let issuer = control.mint().issuers.named(&name)?;
    let card = IssuerCard::of(&issuer, control.url());
    let document = json!({
        "issuer": card.issuer,
        "jwks_uri": card.jwks_uri,
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [issuer.algorithm()],
    });
    Ok(published(&control, &document))
}

async fn jwks(control: Control, Name(name): Name) -> Result<Other, Fault> {
    let issuer = control.mint().issuers.named(&name)?;
    issuer.keys.key(issuer.algorithm()).await?;
    let use_of_keys = issuer.provider.map_or("sig", Provider::key_use);
    Ok(published(&control, &issuer.keys.jwks(use_of_keys).await))
}

/// As our own documents are published.
fn published(control: &Control, document: &serde_json::Value) -> Other {
    let max_age = control.settings().keys.jwks_max_age.get();
    let body = document.to_string().into();
    Other(cacheable_json("application/json", body, max_age, None))
}

impl IssuerCard {
    fn of(issuer: &OtherIssuer, control: &str) -> Self {
        let url = issuer.url(control);
        Self {
            name: issuer.name.clone(),
            jwks_uri: format!("{url}/jwks"),
            issuer: url,
            preset: issuer.provider,
        }
    }
}
