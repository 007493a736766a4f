//! What a test states of a client, with what it leaves to us.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::control::fault::Fault;
use crate::control::mint::holder::Holder;
use crate::control::state::Control;
use crate::crypto::random;

/// The client of a catalog that is meant.
///
/// # Errors
/// 409 where there is no audience to have a policy for, 503.
pub(super) async fn completed(
    control: &Control,
    mut stated: Map<String, Value>,
) -> Result<Map<String, Value>, Fault> {
    if is_absent(&stated, "id") {
        let id = format!("client-{}", random::credential_id());
        stated.insert("id".to_owned(), json!(id));
    }
    // A client without grants introspects, and needs no policy.
    let gets_tokens = stated.get("grants") != Some(&json!([]));
    if gets_tokens && is_absent(&stated, "policy") {
        stated.insert("policy".to_owned(), json!([usual_policy(control).await?]));
    }
    Ok(stated)
}

fn is_absent(members: &Map<String, Value>, key: &str) -> bool {
    members.get(key).is_none_or(Value::is_null)
}

/// What the first client of the catalog gets without asking for scopes, or all scopes of the first audience.
async fn usual_policy(control: &Control) -> Result<Value, Fault> {
    let (audience, scopes) = match Holder::chosen(control, None, None).await {
        Ok(holder) => (holder.audience.id.clone(), holder.usual_scope()),
        Err(fault) if fault.status != StatusCode::CONFLICT => return Err(fault),
        Err(_) => {
            let all = control.grantd().store().all_audiences().await?;
            let first = all.into_iter().next();
            let first = first.ok_or_else(|| {
                Fault::conflict("there is no audience yet: POST /_test/catalog makes some")
            })?;
            (first.id, first.scopes.into_keys().collect())
        }
    };
    Ok(json!({ "audience": audience, "scopes": scopes, "default_scopes": scopes }))
}
