//! Tokens that were good when they were issued, and are not any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::control::fault::Fault;
use crate::control::mint::holder::Holder;
use crate::control::state::Control;
use crate::crypto::random;
use crate::domain::client::{Client, ClientStatus};
use crate::domain::identifier::ClientId;
use crate::domain::known_client::KnownClient;
use crate::domain::policy::Policy;
use crate::operations::actor::Actor;
use crate::operations::revoke_token::revoke_by_name;
use crate::store::error::StoreError;

/// The client that is disabled. No catalog is likely to have one of that name.
const DISABLED: &str = "disabled-by-grantd-for-the-battery";

/// Revokes the token of these claims; it is inactive from now on.
///
/// # Errors
/// 503.
pub(super) async fn revoke(control: &Control, claims: &Map<String, Value>) -> Result<(), Fault> {
    let jti = claims.get("jti").and_then(Value::as_str);
    let jti: Vec<String> = jti.map(str::to_owned).into_iter().collect();
    let store = control.grantd().store();
    revoke_by_name(store, &jti, &Actor::named("dev")).await?;
    control.follow().await
}

/// The same as `like`, and disabled.
///
/// # Errors
/// 503.
pub(super) async fn disabled(control: &Control, like: &Holder) -> Result<Holder, Fault> {
    let client = Client {
        id: ClientId::parse(DISABLED).map_err(|error| Fault::unavailable(&error))?,
        status: ClientStatus::Disabled,
        ..like.known.client.clone()
    };
    let policies = like.known.policies.iter().cloned();
    let policies: Vec<Policy> = policies
        .filter(|policy| policy.audience == like.audience.id)
        .collect();
    let _alone = control.alone().await?;
    // It may be gone since it was chosen.
    let audience = control
        .grantd()
        .directory()
        .audience(&like.audience.id)
        .await;
    if audience?.is_none() {
        return Err(Fault::conflict("the audience is gone: ask again"));
    }
    write(control, &client, &policies).await?;
    control.follow().await?;
    Ok(Holder {
        known: Arc::new(KnownClient {
            client,
            credentials: Vec::new(),
            policies,
            policy_marks: BTreeMap::new(),
        }),
        audience: Arc::clone(&like.audience),
    })
}

async fn write(control: &Control, client: &Client, policies: &[Policy]) -> Result<(), StoreError> {
    let store = control.grantd().store();
    let mut change = store.begin_change(random::token_id()).await?;
    change.put_client(client).await?;
    let of_client = |policy: &Policy| (client.id.clone(), policy.clone());
    let policies: Vec<_> = policies.iter().map(of_client).collect();
    change.put_policies(&policies).await?;
    change.commit().await.map(drop)
}
