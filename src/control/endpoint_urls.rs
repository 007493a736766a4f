//! Where everything is.

use serde::Serialize;
use utoipa::ToSchema;

use super::state::Control;

/// The URLs of the public endpoints.
#[derive(Serialize, ToSchema)]
pub(super) struct Endpoints {
    pub(super) token_endpoint: String,
    pub(super) introspection_endpoint: String,
    pub(super) revocation_endpoint: String,
    pub(super) jwks_uri: String,
    pub(super) metadata: String,
    /// Where clients present certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mtls_token_endpoint: Option<String>,
}

impl Endpoints {
    /// Those of the replica that `control` steers.
    pub(super) fn of(control: &Control) -> Self {
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
