//! Header and claims of a JWT that came with a request, unverified: what a client writes into its assertions and proofs.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::redact::Redactor;
use crate::crypto::digest::decode_base64url;
use crate::crypto::opaque_token::OpaqueTokens;
use crate::crypto::strict_json::parse_object;
use crate::domain::access_token::OPAQUE_PREFIX;

/// The parameters of a JOSE header that hold no secret (RFC 7515 section 4.1).
const HEADER: [&str; 8] = ["alg", "typ", "cty", "kid", "crit", "jwk", "x5t", "x5t#S256"];
/// The parameters of a public JWK (RFC 7517, RFC 7518 section 6, RFC 8037).
const JWK: [&str; 11] = [
    "kty", "crv", "x", "y", "n", "e", "alg", "use", "key_ops", "kid", "x5t#S256",
];
/// The claims of assertions and proofs (RFC 7523 section 3, RFC 9449 section 4.2).
const CLAIMS: [&str; 12] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "htm",
    "htu",
    "ath",
    "nonce",
];

/// A JWT without its signature. What is not on a list of harmless members is told by its length.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Unverified {
    #[schema(value_type = Object)]
    pub(super) header: Map<String, Value>,
    #[schema(value_type = Object)]
    pub(super) claims: Map<String, Value>,
}

impl Unverified {
    /// Of a text that is a JWT.
    pub(super) fn read(text: &str, redactor: &Redactor<'_>) -> Option<Self> {
        let mut parts = text.split('.');
        let (header, claims) = (object(parts.next()?)?, object(parts.next()?)?);
        Some(Self {
            header: shown(&header, &HEADER, redactor),
            claims: shown(&claims, &CLAIMS, redactor),
        })
    }
}

/// The claims of a token that grantd itself issued.
pub(super) fn claims_of_ours(token: &str, opaque: &OpaqueTokens) -> Option<Map<String, Value>> {
    if token.starts_with(OPAQUE_PREFIX) {
        return parse_object(&opaque.open(token).ok()?.claims).ok();
    }
    object(token.split('.').nth(1)?)
}

fn object(part: &str) -> Option<Map<String, Value>> {
    parse_object(&decode_base64url(part)?).ok()
}

fn shown(
    members: &Map<String, Value>,
    harmless: &[&str],
    redactor: &Redactor<'_>,
) -> Map<String, Value> {
    let member = |(name, value): (&String, &Value)| {
        let is_harmless = harmless.contains(&name.as_str());
        let value = match value {
            Value::Object(members) if is_harmless && name == "jwk" => {
                Value::Object(shown(members, &JWK, redactor))
            }
            value if is_harmless => redactor.of_jwt(value),
            value => redactor.length_of(value),
        };
        (redactor.name(name), value)
    };
    members.iter().map(member).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::control::known_secrets::KnownSecrets;
    use crate::crypto::digest::base64url;
    use crate::domain::secret_format::Secret;

    const SECRET: &str = "orders-demo-secret";

    #[test]
    fn of_a_jwt_public_members_are_shown() {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let header = json!({ "alg": "ES256", "kid": SECRET, "x": "y", "jwk": { "kty": "EC", "x": "kJ8vQ2mZx7Lw4Rt9Yb3N", "d": "kJ8v" } });
        let jti = "7f3c2a10-5d1e-4a70-8c6f-0d2b9e41aa11";
        let claims =
            json!({ "iss": "a", "aud": ["b", SECRET], "exp": 1.5, "jti": jti, "secret": [1] });
        let text = format!("{}.{}.c2ln", part(&header), part(&claims));
        let secrets = KnownSecrets::default();
        secrets.add(&Secret::new(SECRET.to_owned()));
        let redactor = Redactor {
            secrets: &secrets,
            decided: None,
        };
        let read = Unverified::read(&text, &redactor).unwrap();
        let hidden = json!({ "length": 18 });
        let expected = json!({ "alg": "ES256", "kid": hidden, "x": { "length": 1 }, "jwk": { "kty": "EC", "x": "kJ8vQ2mZx7Lw4Rt9Yb3N", "d": { "length": 4 } } });
        assert_eq!(Value::Object(read.header), expected);
        let expected = json!({ "iss": "a", "aud": ["b", hidden], "exp": 1.5, "jti": jti, "secret": { "length": 3 } });
        assert_eq!(Value::Object(read.claims), expected);
        for wrong in ["", "a", "a.b", "e30", "e30.W10.x"] {
            assert_eq!(Unverified::read(wrong, &redactor), None);
        }
    }
}
