//! Whether what the database holds fits the server's security profile: asked once, when a replica starts.

use crate::crypto::client_key;
use crate::domain::credential::CredentialMaterial;
use crate::domain::credential::rules::KeyFacts;
use crate::domain::known_client::KnownClient;
use crate::domain::profile::{Contradiction, Profile};
use crate::store::Store;
use crate::store::error::StoreError;

/// The first thing in the database that contradicts the profile, as a sentence for the operator.
///
/// # Errors
/// A database out of reach.
pub async fn profile_contradiction(
    store: &Store,
    profile: Profile,
) -> Result<Option<String>, StoreError> {
    if profile == Profile::Default {
        return Ok(None);
    }
    let audiences = store.all_audiences().await?;
    let clients = store.all_clients().await?;
    let of_audiences = audiences
        .iter()
        .map(|it| profile.contradiction_of_audience(it));
    let of_clients = clients.iter().map(|it| of_client(profile, it));
    Ok(of_audiences
        .chain(of_clients)
        .flatten()
        .next()
        .map(|it| it.to_string()))
}

fn of_client(profile: Profile, known: &KnownClient) -> Option<Contradiction> {
    let client = &known.client;
    // A key that is retired serves nobody any more.
    let in_use = known
        .credentials
        .iter()
        .filter(|it| it.retired_at.is_none());
    let mut keys = in_use.filter_map(|credential| match &credential.material {
        CredentialMaterial::Jwk(jwk) => client_key::facts(jwk),
        _ => None,
    });
    let of_key = |key: KeyFacts| {
        profile.contradiction_of_key(&client.id, &key.name, key.algorithms.into_iter())
    };
    profile
        .contradiction_of_client(client)
        .or_else(|| keys.find_map(of_key))
}
