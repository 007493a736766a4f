//! The discovery document, RFC 8414: what this server really does, and nothing else.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::answer::{cacheable_json, unavailable};
use super::state::{HttpState, Publication};
use crate::domain::client::AuthMethod;

/// The methods of client authentication, the same at all three endpoints.
const AUTH_METHODS: &[AuthMethod] =
    &[AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost, AuthMethod::PrivateKeyJwt];

/// The members, RFC 8414 section 2. No member is an empty list (section 3.2).
#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    token_endpoint: String,
    jwks_uri: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    grant_types_supported: &'static [&'static str],
    token_endpoint_auth_methods_supported: &'a [&'static str],
    token_endpoint_auth_signing_alg_values_supported: &'static [&'static str],
    introspection_endpoint_auth_methods_supported: &'a [&'static str],
    introspection_endpoint_auth_signing_alg_values_supported: &'static [&'static str],
    revocation_endpoint_auth_methods_supported: &'a [&'static str],
    revocation_endpoint_auth_signing_alg_values_supported: &'static [&'static str],
    /// RFC 8705 section 5: the same endpoints where client certificates are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    mtls_endpoint_aliases: Option<Aliases>,
    /// RFC 8705 section 3.3.
    #[serde(skip_serializing_if = "is_false")]
    tls_client_certificate_bound_access_tokens: bool,
    /// RFC 9449 section 5.1.
    dpop_signing_alg_values_supported: &'static [&'static str],
    /// A member of `OpenID` Connect Discovery: without it Spring's `issuer-uri` fails at start.
    subject_types_supported: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    response_types_supported: Option<&'a [String]>,
}

/// Endpoints at which a client may present a certificate.
#[derive(Serialize)]
struct Aliases {
    #[serde(rename = "token_endpoint")]
    token: String,
    #[serde(rename = "introspection_endpoint")]
    introspection: String,
    #[serde(rename = "revocation_endpoint")]
    revocation: String,
}

/// The document; it never depends on what a request says of its host.
pub(super) async fn get(State(state): State<HttpState>) -> Response {
    if state.grantd.keys().is_none() {
        return unavailable(1);
    }
    cacheable_json(
        "application/json",
        document(&state.publication),
        state.publication.max_age,
        None,
    )
}

fn document(publication: &Publication) -> Vec<u8> {
    let issuer = &publication.issuer;
    let methods = auth_methods(publication);
    let algorithms = publication.profile.proof_algorithms();
    let metadata = Metadata {
        issuer: issuer.as_str(),
        token_endpoint: issuer.endpoint("/oauth2/token"),
        jwks_uri: issuer.endpoint("/oauth2/jwks"),
        introspection_endpoint: issuer.endpoint("/oauth2/introspect"),
        revocation_endpoint: issuer.endpoint("/oauth2/revoke"),
        grant_types_supported: &["client_credentials"],
        token_endpoint_auth_methods_supported: &methods,
        token_endpoint_auth_signing_alg_values_supported: algorithms,
        introspection_endpoint_auth_methods_supported: &methods,
        introspection_endpoint_auth_signing_alg_values_supported: algorithms,
        revocation_endpoint_auth_methods_supported: &methods,
        revocation_endpoint_auth_signing_alg_values_supported: algorithms,
        dpop_signing_alg_values_supported: algorithms,
        mtls_endpoint_aliases: aliases(publication),
        tls_client_certificate_bound_access_tokens: publication.mutual_tls.is_some(),
        subject_types_supported: &["public"],
        response_types_supported: publication
            .response_types_supported
            .as_deref()
            .filter(|types| !types.is_empty()),
    };
    serde_json::to_vec(&metadata).unwrap_or_default()
}

/// What is built and the profile allows; those of mutual TLS only where a certificate can be presented, and
/// `tls_client_auth` only with client CAs.
fn auth_methods(publication: &Publication) -> Vec<&'static str> {
    let mut methods = AUTH_METHODS.to_vec();
    if let Some(mutual) = &publication.mutual_tls {
        if mutual.has_client_cas {
            methods.push(AuthMethod::TlsClientAuth);
        }
        methods.push(AuthMethod::SelfSignedTlsClientAuth);
    }
    let allowed = methods.iter().filter(|method| publication.profile.allows_method(**method));
    allowed.map(|method| method.as_str()).collect()
}

fn aliases(publication: &Publication) -> Option<Aliases> {
    Some(Aliases {
        token: publication.mutual_endpoint("/oauth2/token")?,
        introspection: publication.mutual_endpoint("/oauth2/introspect")?,
        revocation: publication.mutual_endpoint("/oauth2/revoke")?,
    })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
