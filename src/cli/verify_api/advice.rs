//! How the usual libraries are set so that an API refuses what it must.

use crate::domain::battery::{Case, Topic};

/// A library, and what to set there.
pub(super) type Advice = (&'static str, &'static str);

/// One line for each library; none for what no setting decides.
pub(super) fn of(case: Case) -> &'static [Advice] {
    match case.expectation().topic {
        Topic::Whole => &[],
        Topic::Times => TIMES,
        Topic::Issuer => ISSUER,
        Topic::Audience => AUDIENCE,
        Topic::Scope => SCOPE,
        Topic::Algorithm => ALGORITHM,
        Topic::Signature => SIGNATURE,
        Topic::Keys => KEYS,
        Topic::Type => TYPE,
        Topic::Form => FORM,
        Topic::Binding => BINDING,
        Topic::State => STATE,
    }
}

const TIMES: &[Advice] = &[
    (
        "Spring",
        "keep JwtTimestampValidator among the validators, and add one that refuses a token without exp",
    ),
    (
        "jose",
        "jwtVerify checks exp and nbf; add requiredClaims: [\"exp\", \"iat\"]",
    ),
    (
        "PyJWT",
        "decode with options={\"require\": [\"exp\", \"iat\"]}, and never verify_exp=False",
    ),
    (
        "golang-jwt",
        "parse with jwt.WithExpirationRequired() and jwt.WithIssuedAt()",
    ),
    (
        "jsonwebtoken",
        "set_required_spec_claims(&[\"exp\", ..]) and validate_nbf = true; compare iat yourself",
    ),
];

const ISSUER: &[Advice] = &[
    (
        "Spring",
        "set issuer-uri, or use JwtValidators.createDefaultWithIssuer(issuer)",
    ),
    ("jose", "give jwtVerify the option issuer"),
    (
        "PyJWT",
        "decode with issuer=… and options={\"require\": [\"iss\"]}",
    ),
    ("golang-jwt", "parse with jwt.WithIssuer(issuer)"),
    (
        "jsonwebtoken",
        "set_issuer(&[issuer]), and \"iss\" in set_required_spec_claims",
    ),
];

const AUDIENCE: &[Advice] = &[
    (
        "Spring",
        "set spring.security.oauth2.resourceserver.jwt.audiences",
    ),
    ("jose", "give jwtVerify the option audience"),
    (
        "PyJWT",
        "decode with audience=… and options={\"require\": [\"aud\"]}",
    ),
    ("golang-jwt", "parse with jwt.WithAudience(audience)"),
    (
        "jsonwebtoken",
        "set_audience(&[audience]), and \"aud\" in set_required_spec_claims",
    ),
];

const SCOPE: &[Advice] = &[
    (
        "Spring",
        "demand hasAuthority(\"SCOPE_pricing:read\") for the request",
    ),
    (
        "jose",
        "check payload.scope.split(\" \").includes(\"pricing:read\")",
    ),
    (
        "PyJWT",
        "check \"pricing:read\" in claims[\"scope\"].split(), not in the text itself",
    ),
    (
        "golang-jwt",
        "check slices.Contains(strings.Fields(scope), \"pricing:read\")",
    ),
    (
        "jsonwebtoken",
        "check scope.split(' ').any(|had| had == \"pricing:read\")",
    ),
];

const ALGORITHM: &[Advice] = &[
    (
        "Spring",
        "name it: NimbusJwtDecoder.withJwkSetUri(…).jwsAlgorithm(SignatureAlgorithm.ES256)",
    ),
    (
        "jose",
        "give jwtVerify algorithms: [\"ES256\"] and keys of createRemoteJWKSet",
    ),
    (
        "PyJWT",
        "decode with algorithms=[\"ES256\"], never with what the header says",
    ),
    (
        "golang-jwt",
        "parse with jwt.WithValidMethods([]string{\"ES256\"})",
    ),
    (
        "jsonwebtoken",
        "Validation::new(Algorithm::ES256), never with decode_header(…).alg",
    ),
];

const SIGNATURE: &[Advice] = &[
    (
        "Spring",
        "read tokens by a JwtDecoder alone, never by JWTParser or SignedJWT.parse",
    ),
    ("jose", "jwtVerify, never decodeJwt alone"),
    (
        "PyJWT",
        "decode with the key and without verify_signature=False",
    ),
    (
        "golang-jwt",
        "ParseWithClaims and look at its error, never ParseUnverified",
    ),
    (
        "jsonwebtoken",
        "decode, never dangerous::insecure_decode or insecure_disable_signature_validation",
    ),
];

const KEYS: &[Advice] = &[
    (
        "Spring",
        "issuer-uri or jwk-set-uri alone decide which keys count",
    ),
    (
        "jose",
        "createRemoteJWKSet(jwks_uri), never EmbeddedJWK or a key of the header",
    ),
    (
        "PyJWT",
        "PyJWKClient(jwks_uri).get_signing_key_from_jwt(token)",
    ),
    (
        "golang-jwt",
        "a Keyfunc that finds kid in the issuer's JWKS and fails otherwise, such as MicahParks/keyfunc",
    ),
    (
        "jsonwebtoken",
        "JwkSet::find(kid) in the issuer's JWKS, and an error where that is None",
    ),
];

const TYPE: &[Advice] = &[
    (
        "Spring",
        "JwtValidators.createAtJwtValidator(), or jwt_typ = \"JWT\" in the audience and the default type check",
    ),
    ("jose", "give jwtVerify typ: \"at+jwt\""),
    (
        "PyJWT",
        "compare decode_complete(…)[\"header\"][\"typ\"] with at+jwt",
    ),
    ("golang-jwt", "compare token.Header[\"typ\"] with at+jwt"),
    ("jsonwebtoken", "compare decode_header(…).typ with at+jwt"),
];

const FORM: &[Advice] = &[
    (
        "Spring",
        "leave DefaultBearerTokenResolver and the decoder's header checks as they are",
    ),
    (
        "jose",
        "jwtVerify refuses unknown crit; take the whole text after Bearer, and refuse two",
    ),
    (
        "PyJWT",
        "refuse a header that has crit; take the whole text after Bearer, and refuse two",
    ),
    (
        "golang-jwt",
        "refuse token.Header[\"crit\"]; take the whole text after Bearer, and refuse two",
    ),
    (
        "jsonwebtoken",
        "refuse header.crit.is_some(); claims as a struct of serde refuse doubles",
    ),
];

const BINDING: &[Advice] = &[
    (
        "Spring",
        "oauth2ResourceServer(…).dPoP(…) for cnf.jkt, X509CertificateThumbprintValidator for cnf.x5t#S256",
    ),
    (
        "jose",
        "oauth4webapi's validateJwtAccessToken checks both bindings",
    ),
    (
        "PyJWT",
        "check cnf yourself, and refuse one that you do not know: RFC 9449 section 7.1, RFC 8705 section 3",
    ),
    (
        "golang-jwt",
        "check cnf yourself, and refuse one that you do not know: RFC 9449 section 7.1, RFC 8705 section 3",
    ),
    (
        "jsonwebtoken",
        "grantd's examples/resource_server has it in proof.rs and confirmation.rs",
    ),
];

const STATE: &[Advice] = &[
    (
        "Spring",
        "oauth2ResourceServer(…).opaqueToken(…) asks the introspection endpoint at each request",
    ),
    ("jose", "oauth4webapi's introspectionRequest"),
    (
        "PyJWT",
        "POST the token to the introspection endpoint, and refuse all but \"active\": true",
    ),
    (
        "golang-jwt",
        "POST the token to the introspection endpoint, and refuse all but \"active\": true",
    ),
    (
        "jsonwebtoken",
        "grantd's examples/resource_server has it in introspection.rs",
    ),
];
