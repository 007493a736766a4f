//! `GET /_test`: everything on one page.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::answer::Json;
use super::fault::Fault;
use super::faults::Faults;
use super::state::Control;
use super::steered_clock::ClockState;
use super::table::Table;
use crate::domain::credential::CredentialMaterial;
use crate::domain::known_client::KnownClient;

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
struct Endpoints {
    token_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    jwks_uri: String,
    metadata: String,
    /// Where clients present certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    mtls_token_endpoint: Option<String>,
}

/// A client, and what it proves itself with where grantd knows that in clear.
#[derive(Serialize, ToSchema)]
struct ClientCard {
    client_id: String,
    /// `active` or `disabled`.
    status: &'static str,
    /// How it may authenticate.
    auth: Vec<&'static str>,
    /// Where it gets its tokens.
    token_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    private_jwk: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_pem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key_pem: Option<String>,
    /// What it may get, as a catalog states it.
    #[schema(value_type = Vec<Object>)]
    policies: Vec<Value>,
    /// A line for a shell that gets a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    curl: Option<String>,
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

impl Endpoints {
    fn of(control: &Control) -> Self {
        let settings = control.settings();
        let issuer = &settings.issuer;
        Self {
            token_endpoint: issuer.endpoint("/oauth2/token"),
            introspection_endpoint: issuer.endpoint("/oauth2/introspect"),
            revocation_endpoint: issuer.endpoint("/oauth2/revoke"),
            jwks_uri: issuer.endpoint("/oauth2/jwks"),
            metadata: format!(
                "{}/.well-known/oauth-authorization-server{}",
                issuer.origin(),
                issuer.path()
            ),
            mtls_token_endpoint: settings.mutual_endpoint("/oauth2/token"),
        }
    }
}

impl ClientCard {
    fn of(control: &Control, known: &KnownClient) -> Self {
        let client = &known.client;
        let held = control.held(&client.id).unwrap_or_default();
        let has_secret = known.credentials.iter().any(|it| {
            it.retired_at.is_none() && matches!(it.material, CredentialMaterial::Secret(_))
        });
        let (certificate, key) = held.certificate.unzip();
        let Endpoints {
            token_endpoint,
            mtls_token_endpoint,
            ..
        } = Endpoints::of(control);
        let by_certificate = certificate.is_some().then_some(mtls_token_endpoint);
        Self {
            client_id: client.id.to_string(),
            status: client.status.as_str(),
            auth: client.auth_methods.iter().map(|it| it.as_str()).collect(),
            token_endpoint: by_certificate.flatten().unwrap_or(token_endpoint),
            client_secret: held
                .secret
                .filter(|_| has_secret)
                .map(|it| it.expose().to_owned()),
            private_jwk: held
                .private_jwk
                .and_then(|it| serde_json::from_str(&it.read()?).ok()),
            certificate_pem: certificate.and_then(|it| it.read()),
            private_key_pem: key.and_then(|it| it.read()),
            policies: known.policies.iter().map(|it| json!(it)).collect(),
            curl: held.curl,
        }
    }
}
