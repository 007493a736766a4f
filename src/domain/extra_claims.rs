//! Claims that an operator gives to a client's tokens, or by a policy to those for one audience.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
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
/// The most members that all their objects may have together. With grantd's own claims a token has fewer than
/// [`STRANGERS`](crate::crypto::strict_json::STRANGERS) may have, so that whoever reads it by these bounds can.
pub const MAX_MEMBERS: usize = 200;
/// How deep their objects and lists may lie in each other; the table of claims is the first.
pub const MAX_DEPTH: usize = 12;
/// All that, in words.
pub const BOUNDS: &str =
    "4096 bytes of JSON, 200 members in all objects together, and 12 levels of these and of lists";

/// What extra claims may not say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimFault {
    /// A name that means something.
    #[error("`{0}` is a registered claim that extra claims may not set; use a name of your own")]
    Registered(String),
    /// One of the three registered claims that may be set, and not as a list of texts.
    #[error("RFC 9068 makes this claim a list of texts, for example [\"reader\"]")]
    List,
    /// Claims too large for a token in a header.
    #[error("extra claims may have at most {BOUNDS}")]
    Size,
}

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

/// Whether a token may carry `claims`, as far as their size and shape go.
#[must_use]
pub fn fit(claims: &Map<String, Value>) -> bool {
    // Without claims, most often, nothing is written.
    claims.is_empty()
        || (members(claims.values(), MAX_DEPTH).is_some_and(|it| claims.len() + it <= MAX_MEMBERS)
            && serde_json::to_string(claims).is_ok_and(|text| text.len() <= MAX_BYTES))
}

/// How many members the objects have that lie within `values`; `None` where these lie deeper than `levels`, the one around
/// them among these.
fn members<'v>(values: impl Iterator<Item = &'v Value>, levels: usize) -> Option<usize> {
    let within = levels.checked_sub(1)?;
    let mut all = 0;
    for value in values {
        all += match value {
            Value::Object(object) => object.len() + members(object.values(), within)?,
            Value::Array(list) => members(list.iter(), within)?,
            _ => 0,
        };
    }
    Some(all)
}

/// Whether `value` may be what the claim `name` says.
#[must_use]
pub fn has_right_type(name: &str, value: &Value) -> bool {
    !LIST_CLAIMS.contains(&name)
        || value
            .as_array()
            .is_some_and(|list| list.iter().all(Value::is_string))
}

/// Reads a table of claims.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Map<String, Value>, D::Error> {
    deserializer.deserialize_map(Claims)
}

struct Claims;

impl<'de> Visitor<'de> for Claims {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Self::Value, A::Error> {
        let mut claims = Map::new();
        while let Some(Name(name)) = table.next_key()? {
            let value = table.next_value_seed(Claim(&name))?;
            claims.insert(name, value);
        }
        if fit(&claims) {
            Ok(claims)
        } else {
            Err(Error::custom(ClaimFault::Size))
        }
    }
}

/// The name of an extra claim.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if RESERVED_CLAIMS.contains(&name.as_str()) {
            return Err(Error::custom(ClaimFault::Registered(name)));
        }
        Ok(Self(name))
    }
}

/// The value of the claim of this name.
struct Claim<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Claim<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if has_right_type(self.0, &value) {
            Ok(value)
        } else {
            Err(Error::custom(ClaimFault::List))
        }
    }
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
    fn as_many_and_as_deep_fit_as_are_read_again() {
        let nested = |levels: usize| {
            let value = (1..levels).fold(json!(1), |it, n| {
                if n % 2 == 0 {
                    json!([it])
                } else {
                    json!({ "a": it })
                }
            });
            map(&json!({ "x": value }))
        };
        assert!(fit(&nested(MAX_DEPTH)));
        assert!(!fit(&nested(MAX_DEPTH + 1)));
        let wide = |count: usize| {
            let names = (0..count).map(|n| (format!("m{n}"), json!(0)));
            Value::Object(names.collect())
        };
        assert!(fit(&map(&wide(MAX_MEMBERS))));
        assert!(!fit(&map(&wide(MAX_MEMBERS + 1))));
        // The name of the list is one as well.
        assert!(fit(&map(&json!({ "x": [wide(99), wide(100)] }))));
        assert!(!fit(&map(&json!({ "x": [wide(100), wide(100)] }))));
        for number in [MAX_BYTES, MAX_MEMBERS, MAX_DEPTH] {
            assert!(BOUNDS.contains(&number.to_string()), "{number}");
        }
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
