//! The discovery document, RFC 8414: what this server really does, and nothing else.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Map, Value};

use super::answer::{cacheable_json, unavailable};
use super::state::HttpState;
use crate::config::settings::Settings;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::client::{AuthMethod, GrantType};

/// The methods of client authentication, the same at all three endpoints.
const AUTH_METHODS: &[AuthMethod] = &[
    AuthMethod::ClientSecretBasic,
    AuthMethod::ClientSecretPost,
    AuthMethod::PrivateKeyJwt,
];

/// The members, RFC 8414 section 2, those of [`MEMBERS`](crate::domain::discovery::MEMBERS). No member is an empty
/// list (section 3.2).
#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    /// The MCP SDKs and the crate `openidconnect` read no document without it; it refuses everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_endpoint: Option<String>,
    token_endpoint: String,
    jwks_uri: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    /// Required by RFC 8414; `none` is the one of those that are registered that gives nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_types_supported: Option<&'static [&'static str]>,
    grant_types_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: &'a [&'static str],
    token_endpoint_auth_signing_alg_values_supported: &'a [&'static str],
    introspection_endpoint_auth_methods_supported: &'a [&'static str],
    introspection_endpoint_auth_signing_alg_values_supported: &'a [&'static str],
    /// RFC 9701 section 7.
    #[serde(skip_serializing_if = "Option::is_none")]
    introspection_signing_alg_values_supported: Option<[&'static str; 1]>,
    revocation_endpoint_auth_methods_supported: &'a [&'static str],
    revocation_endpoint_auth_signing_alg_values_supported: &'a [&'static str],
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
    /// go-oidc takes them for the algorithms of access tokens, and assumes RS256 where they are absent.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    id_token_signing_alg_values_supported: &'a [&'static str],
    /// What the operator adds.
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
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
    let Some(ring) = state.grantd.keys() else {
        return unavailable(1);
    };
    let Ok(of_assertions) = state.grantd.assertion_algorithms().await else {
        return unavailable(1);
    };
    let Ok(issuers_vouch) = state.grantd.issuers_vouch_for_certificates().await else {
        return unavailable(1);
    };
    let in_use = ring.algorithms(state.grantd.database_now());
    let of_introspection = state.grantd.introspection_algorithm();
    let now = Now {
        in_use: &in_use,
        of_introspection,
        of_assertions: &of_assertions,
        issuers_vouch,
    };
    let document = document(&state.settings, &now);
    cacheable_json(
        "application/json",
        document,
        state.settings.keys.jwks_max_age.get(),
        None,
    )
}

/// What is so now, whatever the settings are.
struct Now<'a> {
    /// What access tokens are signed by.
    in_use: &'a [SigningAlgorithm],
    of_introspection: Option<SigningAlgorithm>,
    of_assertions: &'a [&'static str],
    /// Whether trusted issuers vouch for certificates of clients.
    issuers_vouch: bool,
}

fn document(settings: &Settings, now: &Now<'_>) -> Vec<u8> {
    let issuer = &settings.issuer;
    let methods = auth_methods(settings, now.issuers_vouch);
    let of_assertions = now.of_assertions;
    let strict_readers = settings.serves_strict_readers();
    let of_tokens: Vec<&'static str> = now
        .in_use
        .iter()
        .filter(|algorithm| settings.profile.allows_algorithm(**algorithm))
        .map(|algorithm| algorithm.as_str())
        .collect();
    let metadata = Metadata {
        issuer: issuer.as_str(),
        authorization_endpoint: strict_readers.then(|| issuer.endpoint("/oauth2/authorize")),
        token_endpoint: issuer.endpoint("/oauth2/token"),
        jwks_uri: issuer.endpoint("/oauth2/jwks"),
        introspection_endpoint: issuer.endpoint("/oauth2/introspect"),
        revocation_endpoint: issuer.endpoint("/oauth2/revoke"),
        response_types_supported: strict_readers.then_some(&["none"]),
        grant_types_supported: GrantType::ALL.iter().map(|it| it.parameter()).collect(),
        token_endpoint_auth_methods_supported: &methods,
        token_endpoint_auth_signing_alg_values_supported: of_assertions,
        introspection_endpoint_auth_methods_supported: &methods,
        introspection_endpoint_auth_signing_alg_values_supported: of_assertions,
        introspection_signing_alg_values_supported: now.of_introspection.map(|it| [it.as_str()]),
        revocation_endpoint_auth_methods_supported: &methods,
        revocation_endpoint_auth_signing_alg_values_supported: of_assertions,
        dpop_signing_alg_values_supported: settings.profile.proof_algorithms(),
        mtls_endpoint_aliases: aliases(settings),
        tls_client_certificate_bound_access_tokens: settings.mtls.is_some(),
        subject_types_supported: &["public"],
        id_token_signing_alg_values_supported: &of_tokens,
        extra: &settings.metadata.extra,
    };
    serde_json::to_vec(&metadata).unwrap_or_default()
}

/// What is built and the profile allows; those of mutual TLS only where a certificate can be presented, and
/// `tls_client_auth` only with CAs, of the settings or of trusted issuers.
fn auth_methods(settings: &Settings, issuers_vouch: bool) -> Vec<&'static str> {
    let mut methods = AUTH_METHODS.to_vec();
    if let Some(mutual) = &settings.mtls {
        if issuers_vouch || !mutual.client_ca_files.is_empty() {
            methods.push(AuthMethod::TlsClientAuth);
        }
        methods.push(AuthMethod::SelfSignedTlsClientAuth);
    }
    let allowed = methods
        .iter()
        .filter(|method| settings.profile.allows_method(**method));
    allowed.map(|method| method.as_str()).collect()
}

fn aliases(settings: &Settings) -> Option<Aliases> {
    Some(Aliases {
        token: settings.mutual_endpoint("/oauth2/token")?,
        introspection: settings.mutual_endpoint("/oauth2/introspect")?,
        revocation: settings.mutual_endpoint("/oauth2/revoke")?,
    })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::MutualTls;
    use crate::domain::discovery::MEMBERS;
    use crate::domain::issuer::Issuer;
    use crate::domain::secret_format::Secret;

    #[test]
    fn the_fullest_document_has_every_member_of_ours_and_no_other() {
        let issuer = Issuer::parse("https://auth.example", false).unwrap();
        let settings = Settings {
            mtls: Some(MutualTls::at_proxies(vec!["ca.pem".into()], None)),
            ..Settings::new(issuer, Secret::new("sqlite::memory:".to_owned()))
        };
        let document = document(
            &settings,
            &Now {
                in_use: &SigningAlgorithm::ALL,
                of_introspection: Some(SigningAlgorithm::Es256),
                of_assertions: settings.profile.assertion_algorithms(),
                issuers_vouch: false,
            },
        );
        let document: Map<String, Value> = serde_json::from_slice(&document).unwrap();
        let sorted = |mut names: Vec<&str>| {
            names.sort_unstable();
            names.join(" ")
        };
        let written = document.keys().map(String::as_str).collect();
        assert_eq!(sorted(written), sorted(MEMBERS.to_vec()));
    }
}
