//! The members of the discovery document, RFC 8414 section 2: which names are grantd's.

/// Every member that the document may have, in the order in which they are written. What an operator adds has another
/// name: a member of ours says what the server does, and nobody may make it say something else.
pub const MEMBERS: &[&str] = &[
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "introspection_endpoint",
    "revocation_endpoint",
    "response_types_supported",
    "grant_types_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "introspection_signing_alg_values_supported",
    "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "mtls_endpoint_aliases",
    "tls_client_certificate_bound_access_tokens",
    "dpop_signing_alg_values_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
];
