//! Makes and deletes an audience.

use super::apply_catalog::part::{Leaving, Part};
use super::apply_catalog::{ApplyError, ApplyOptions, Plan};
use super::change_error::{ChangeError, no_audience};
use super::make_signing_keys::KeyPairs;
use crate::domain::audience::Audience;
use crate::domain::identifier::AudienceId;
use crate::store::Store;

/// Makes an audience, and the signing key of its algorithm where there is none.
///
/// # Errors
/// An audience of that id, one that the profile forbids, no sealing key where one is needed, or a database out of reach.
pub async fn create_audience(
    store: &Store,
    audience: Audience,
    options: ApplyOptions<'_>,
) -> Result<Plan, ChangeError> {
    let id = audience.id.clone();
    let mut keys = KeyPairs::default();
    if options.sealing.is_some() {
        let algorithm = [audience.algorithm].into();
        keys.make_missing(store, &algorithm)
            .await
            .map_err(ApplyError::from)?;
    }
    let mut part = Part::begin(store, &audience.served_by, std::slice::from_ref(&id)).await?;
    if part.audience(&id).is_some() {
        return Err(ChangeError::AudienceExists(id));
    }
    part.wish_audience(audience, keys);
    part.check_profile(options.profile)?;
    Ok(part.bring_about((None, id.as_str()), options).await?)
}

/// Deletes an audience with every policy for it, and kills what was issued by these.
///
/// # Errors
/// No such audience, or a database out of reach.
pub async fn delete_audience(
    store: &Store,
    id: &AudienceId,
    options: ApplyOptions<'_>,
) -> Result<Plan, ChangeError> {
    let mut part = Part::begin(store, &[], std::slice::from_ref(id)).await?;
    if part.audience(id).is_none() {
        drop(part);
        return Err(no_audience(store, id).await);
    }
    let clients = part.change().clients_with_policy(id).await?;
    part.let_go(Leaving::Audience(id.clone(), clients));
    Ok(part
        .bring_about((Some("audience_deleted"), id.as_str()), options)
        .await?)
}
