//! Claims that an operator gives to a client's tokens, or by a policy to those for one audience.

use serde_json::{Map, Value};

/// Claims that nobody may set: names that RFC 7519, 9068, 8693, 8705, 9449 and `OpenID` Connect give a meaning to, or
/// that grantd sets itself.
pub const RESERVED_CLAIMS: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "scope",
    "scp",
    "client_id",
    "azp",
    "tenant",
    "env",
    "cnf",
    "act",
    "may_act",
    "typ",
    "auth_time",
    "acr",
    "amr",
    "nonce",
    "sid",
    "at_hash",
    "c_hash",
    "events",
    "active",
    "username",
    "token_type",
    "authorization_details",
];

/// Registered claims that may be set, as lists of texts: RFC 9068 section 2.2.3.1.
pub const LIST_CLAIMS: &[&str] = &["roles", "groups", "entitlements"];

/// The most bytes of JSON that the extra claims of one token may take: tokens travel in headers.
pub const MAX_BYTES: usize = 4096;

/// The client's claims, and the policy's in the place of those of the same name, whole.
#[must_use]
pub fn merged(client: &Map<String, Value>, policy: &Map<String, Value>) -> Map<String, Value> {
    let mut claims = client.clone();
    claims.extend(
        policy
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    claims
}

/// Whether a token may carry `claims`, as far as their size goes.
#[must_use]
pub fn fit(claims: &Map<String, Value>) -> bool {
    // Without claims, most often, nothing is written.
    claims.is_empty() || serde_json::to_string(claims).is_ok_and(|text| text.len() <= MAX_BYTES)
}

/// Whether `value` may be what the claim `name` says.
#[must_use]
pub fn has_right_type(name: &str, value: &Value) -> bool {
    !LIST_CLAIMS.contains(&name)
        || value
            .as_array()
            .is_some_and(|list| list.iter().all(Value::is_string))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_policys_claim_takes_the_place_of_the_clients_whole() {
        let client = map(&json!({ "region": "eu", "x": { "a": 1, "b": 2 }, "roles": ["a"] }));
        let policy = map(&json!({ "x": { "c": 3 }, "roles": [] }));
        let expected = map(&json!({ "region": "eu", "x": { "c": 3 }, "roles": [] }));
        assert_eq!(merged(&client, &policy), expected);
        assert_eq!(merged(&client, &Map::new()), client);
    }

    #[test]
    fn roles_groups_and_entitlements_are_lists_of_texts() {
        for name in LIST_CLAIMS {
            for right in [json!([]), json!(["a"]), json!(["a", "b"])] {
                assert!(has_right_type(name, &right), "{name} {right}");
            }
            for wrong in [
                json!("a"),
                json!([1]),
                json!(["a", ["b"]]),
                json!({}),
                json!(null),
            ] {
                assert!(!has_right_type(name, &wrong), "{name} {wrong}");
            }
        }
        assert!(has_right_type("region", &json!("eu")));
    }
}
