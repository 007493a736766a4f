//! Signing keys as JSON. Its form stays: names of members are added, and none goes.

use serde_json::{Map, Value, json};

use super::Turn;
use crate::domain::signing_key::KeyLife;

/// A key by its id and its instants.
#[must_use]
pub fn key_document(kid: &str, life: &KeyLife) -> Map<String, Value> {
    let members = [
        ("kid", json!(kid)),
        ("announced_at", json!(life.announced_at)),
        ("activates_at", json!(life.activates_at)),
        ("retires_at", json!(life.retires_at)),
        ("expires_at", json!(life.expires_at)),
        ("compromised_at", json!(life.compromised_at)),
    ];
    members
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

impl Turn {
    /// The keys of the algorithm; null where there is none.
    #[must_use]
    pub fn document(&self) -> Value {
        let key =
            |it: &Option<(String, KeyLife)>| it.as_ref().map(|(kid, life)| key_document(kid, life));
        json!({
            "algorithm": self.algorithm,
            "current": key(&self.current),
            "ended": key(&self.ended),
            "next": key(&self.next),
        })
    }
}
