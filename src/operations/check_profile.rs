//! Checks, once when a replica starts, that the database's contents fit the server's security profile.

use super::background::blocking;
use crate::crypto::client_key;
use crate::domain::credential::CredentialMaterial;
use crate::domain::credential::rules::KeyFacts;
use crate::domain::identifier::ClientId;
use crate::domain::known_client::KnownClient;
use crate::domain::profile::{Contradiction, Profile};
use crate::store::Store;
use crate::store::error::StoreError;

/// How many clients are read at once.
const PAGE: i64 = 100;

/// The first thing in the database that contradicts the profile, as a sentence for the operator.
///
/// # Errors
/// An unreachable database.
pub async fn profile_contradiction(
    store: &Store,
    profile: Profile,
) -> Result<Option<String>, StoreError> {
    if profile == Profile::Default {
        return Ok(None);
    }
    let audiences = store.all_audiences().await?;
    let of_audiences = audiences
        .iter()
        .filter_map(|it| profile.contradiction_of_audience(it));
    let issuers = store.load_issuers().await?.value;
    let of_issuers = issuers
        .iter()
        .filter_map(|it| profile.contradiction_of_issuer(it));
    let contradiction = match of_audiences.chain(of_issuers).next() {
        Some(contradiction) => Some(contradiction),
        None => contradiction_of_clients(store, profile).await?,
    };
    Ok(contradiction.map(|it| it.to_string()))
}

/// The database narrows the clients down to those that may contradict; the profile decides.
async fn contradiction_of_clients(
    store: &Store,
    profile: Profile,
) -> Result<Option<Contradiction>, StoreError> {
    let mut after = String::new();
    loop {
        let ids = store.ids_to_judge_after(&after, PAGE).await?;
        let Some(last) = ids.last() else {
            return Ok(None);
        };
        after.clone_from(last);
        let mut page = Vec::new();
        for id in ids.iter().filter_map(|id| ClientId::parse(id).ok()) {
            page.extend(store.load_client(&id).await?.value);
        }
        // Parsing the RSA keys of a page takes milliseconds.
        let judge = move || page.iter().find_map(|it| of_client(profile, it));
        if let Some(found) = blocking(judge).await {
            return Ok(Some(found));
        }
    }
}

fn of_client(profile: Profile, known: &KnownClient) -> Option<Contradiction> {
    let client = &known.client;
    // A retired key is not in use.
    let in_use = known
        .credentials
        .iter()
        .filter(|it| it.retired_at.is_none());
    let mut keys = in_use.filter_map(|credential| match &credential.material {
        CredentialMaterial::Jwk(jwk) => client_key::facts(jwk),
        _ => None,
    });
    let of_key =
        |key: KeyFacts| profile.contradiction_of_key(&client.id, &key.name, &key.algorithms);
    profile
        .contradiction_of_client(client)
        .or_else(|| keys.find_map(of_key))
}
