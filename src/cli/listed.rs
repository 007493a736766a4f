//! Clients and credentials as `--output json` lists them: the shapes of the catalog, and beside them what the database
//! alone knows.

use serde_json::{Map, Value, json};

use crate::domain::credential::{Credential, CredentialMaterial};
use crate::domain::known_client::KnownClient;
use crate::domain::timestamp::Timestamp;

/// A client with its credentials and policies.
pub(super) fn client(known: &KnownClient, now: Timestamp) -> Value {
    let client = &known.client;
    let credentials = known.credentials.iter().map(|it| credential(it, now));
    let credentials: Vec<Value> = credentials.collect();
    beside(
        json!(client),
        json!({
            "policy": known.policies,
            "credentials": credentials,
            "tokens_not_before": client.tokens_not_before,
            "created_at": client.created_at,
            "rotated_at": client.rotated_at,
        }),
    )
}

/// A credential: `key` is the key of the catalog that its value stands under. Of a secret there is no value, and no
/// hash.
pub(super) fn credential(credential: &Credential, now: Timestamp) -> Value {
    let form = match &credential.material {
        CredentialMaterial::Secret(hash) => Some(hash.form),
        _ => None,
    };
    beside(
        json!(credential.shape()),
        json!({
            "kind": credential.kind(),
            "key": credential.material.catalog_key(),
            "value": credential.material.public_value(),
            "form": form,
            "label": credential.label,
            "active_from": credential.active_from,
            "expires_at": credential.expires_at,
            "retired_at": credential.retired_at,
            "state": credential.state(now),
            "created_at": credential.created_at,
            "last_used_at": credential.last_used_at,
        }),
    )
}

fn beside(shape: Value, more: Value) -> Value {
    let mut members = Map::new();
    for part in [shape, more] {
        if let Value::Object(part) = part {
            members.extend(part);
        }
    }
    Value::Object(members)
}
