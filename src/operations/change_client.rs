//! Makes, enables, disables and deletes a client, and kills its tokens: each holds on every replica within a second.

use super::apply_catalog::part::{Leaving, NewClient, Part};
use super::apply_catalog::{ApplyError, ApplyOptions, Plan};
use super::change_error::{ChangeError, no_audience, no_client};
use crate::config::catalog::CatalogClient;
use crate::domain::client::{Client, ClientStatus};
use crate::domain::identifier::ClientId;
use crate::store::Store;

/// Makes a client with the credentials and policies that are stated with it.
///
/// # Errors
/// A client of that id, a policy for an audience that there is not, what the profile forbids, or a database out of reach.
pub async fn create_client(
    store: &Store,
    client: CatalogClient,
    options: ApplyOptions<'_>,
) -> Result<Plan, ChangeError> {
    let id = client.client.id.clone();
    let policies = client.policies.iter();
    let audiences: Vec<_> = policies.map(|it| it.audience.clone()).collect();
    let prepared = NewClient::prepared(client, options.imported_cost).await;
    let new = prepared.map_err(ApplyError::from)?;
    let mut part = Part::begin(store, std::slice::from_ref(&id), &audiences).await?;
    if part.client(&id).is_some() {
        return Err(ChangeError::ClientExists(id));
    }
    if let Some(unknown) = audiences.iter().find(|it| part.audience(it).is_none()) {
        drop(part);
        return Err(no_audience(store, unknown).await);
    }
    part.wish_new_client(new);
    part.check_profile(options.profile)?;
    Ok(part.bring_about((None, id.as_str()), options).await?)
}

/// Lets a client authenticate again. None of its tokens is revived.
///
/// # Errors
/// No such client, one that the profile forbids, or a database out of reach.
pub async fn enable_client(
    store: &Store,
    id: &ClientId,
    options: ApplyOptions<'_>,
) -> Result<Plan, ChangeError> {
    let part = with_status(store, id, ClientStatus::Active).await?;
    part.check_profile(options.profile)?;
    Ok(part
        .bring_about((Some("client_enabled"), id.as_str()), options)
        .await?)
}

/// Disables a client and voids its tokens.
///
/// # Errors
/// No such client, or a database out of reach.
pub async fn disable_client(
    store: &Store,
    id: &ClientId,
    options: ApplyOptions<'_>,
) -> Result<Plan, ChangeError> {
    let part = with_status(store, id, ClientStatus::Disabled).await?;
    Ok(part
        .bring_about((Some("client_disabled"), id.as_str()), options)
        .await?)
}

/// Deletes a client with its credentials and policies, and kills its tokens: a client made anew under its id revives
/// none.
///
/// # Errors
/// No such client, or a database out of reach.
pub async fn delete_client(
    store: &Store,
    id: &ClientId,
    options: ApplyOptions<'_>,
) -> Result<Plan, ChangeError> {
    let part = letting_go(store, id, Leaving::Client).await?;
    Ok(part
        .bring_about((Some("client_deleted"), id.as_str()), options)
        .await?)
}

/// Kills the tokens that a client has; it may get new ones.
///
/// # Errors
/// No such client, or a database out of reach.
pub async fn revoke_tokens_of_client(
    store: &Store,
    id: &ClientId,
    options: ApplyOptions<'_>,
) -> Result<Plan, ChangeError> {
    let part = letting_go(store, id, Leaving::AllTokensOf).await?;
    Ok(part
        .bring_about((Some("client_tokens_revoked"), id.as_str()), options)
        .await?)
}

async fn with_status(
    store: &Store,
    id: &ClientId,
    status: ClientStatus,
) -> Result<Part, ChangeError> {
    let mut part = Part::begin(store, std::slice::from_ref(id), &[]).await?;
    let Some(known) = part.client(id) else {
        drop(part);
        return Err(no_client(store, id).await);
    };
    let client = Client {
        status,
        ..known.client.clone()
    };
    part.wish_client(client, Vec::new());
    Ok(part)
}

async fn letting_go(
    store: &Store,
    id: &ClientId,
    leaving: impl FnOnce(ClientId) -> Leaving,
) -> Result<Part, ChangeError> {
    let mut part = Part::begin(store, std::slice::from_ref(id), &[]).await?;
    if part.client(id).is_none() {
        drop(part);
        return Err(no_client(store, id).await);
    }
    part.let_go(leaving(id.clone()));
    Ok(part)
}
