//! Clients and credentials as `--output json` lists them: the shapes of the catalog, and beside them what the database
//! alone knows.

use serde_json::{Map, Value, json};

use crate::domain::audience::Audience;
use crate::domain::credential::{Credential, CredentialMaterial};
use crate::domain::identifier::AudienceId;
use crate::domain::known_client::KnownClient;
use crate::domain::policy::Policy;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::store::Store;
use crate::store::error::StoreError;

/// What else tells of a client: the audiences that its policies name, and those that it serves.
pub(super) struct About {
    audiences: Vec<Audience>,
    /// The APIs whose tokens it may introspect.
    pub(super) serves: Vec<AudienceId>,
}

impl About {
    pub(super) async fn of(store: &Store, known: &KnownClient) -> Result<Self, StoreError> {
        let mut audiences = store.all_audiences().await?;
        let serves = |it: &&Audience| it.served_by.contains(&known.client.id);
        let serves = audiences.iter().filter(serves).map(|it| it.id.clone());
        let serves = serves.collect();
        let is_named = |it: &Audience| known.policies.iter().any(|policy| policy.audience == it.id);
        audiences.retain(is_named);
        Ok(Self { audiences, serves })
    }

    /// How long its tokens by that policy live.
    pub(super) fn lifetime(&self, policy: &Policy) -> Option<Seconds> {
        let mut audiences = self.audiences.iter();
        let audience = audiences.find(|it| it.id == policy.audience)?;
        Some(policy.token_lifetime.unwrap_or(audience.token_lifetime))
    }
}

/// A client with its credentials and policies.
pub(super) fn client(known: &KnownClient, about: &About, now: Timestamp) -> Value {
    let client = &known.client;
    let credentials = known.credentials.iter().map(|it| credential(it, now));
    let credentials: Vec<Value> = credentials.collect();
    let lifetimes = known.policies.iter().map(|it| {
        let lifetime = json!(about.lifetime(it));
        (it.audience.to_string(), lifetime)
    });
    let lifetimes: Map<String, Value> = lifetimes.collect();
    beside(
        json!(client),
        json!({
            "policy": known.policies,
            "credentials": credentials,
            "token_lifetimes": lifetimes,
            "serves": about.serves,
            "tokens_not_before": client.tokens_not_before,
            "created_at": client.created_at,
            "rotated_at": client.rotated_at,
        }),
    )
}

/// A credential: `key` is the key of the catalog that its value stands under. Of a secret there is no value, and no
/// hash; of an identity the value is a table.
pub(super) fn credential(credential: &Credential, now: Timestamp) -> Value {
    let form = match &credential.material {
        CredentialMaterial::Secret(hash) => Some(hash.form),
        _ => None,
    };
    let value = match credential.material.identity() {
        Some(identity) => json!(identity),
        None => json!(credential.material.public_value()),
    };
    beside(
        json!(credential.shape()),
        json!({
            "kind": credential.kind(),
            "key": credential.material.catalog_key(),
            "value": value,
            "form": form,
            "label": credential.label,
            "active_from": credential.active_from,
            "expires_at": credential.expires_at,
            "retired_at": credential.retired_at,
            "state": credential.state(now),
            "created_at": credential.created_at,
            "last_used_at": credential.last_used_at,
            "last_used_from": credential.last_used_from,
        }),
    )
}

pub(super) fn beside(shape: Value, more: Value) -> Value {
    let mut members = Map::new();
    for part in [shape, more] {
        if let Value::Object(part) = part {
            members.extend(part);
        }
    }
    Value::Object(members)
}
