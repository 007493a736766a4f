//! How a client is shown, with what it proves itself with where grantd knows that in clear: it is `grantd dev`.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::endpoint_urls::Endpoints;
use super::state::Control;
use crate::domain::credential::CredentialMaterial;
use crate::domain::known_client::KnownClient;

/// A client, and what it proves itself with where grantd knows that in clear.
#[derive(Serialize, ToSchema)]
pub(super) struct ClientCard {
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
    pub(super) curl: Option<String>,
}

impl ClientCard {
    pub(super) fn of(control: &Control, known: &KnownClient) -> Self {
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
