//! Which key must have signed an assertion: one that is registered for the client, or one of the set that it publishes.
//! What the header itself brings (`jwk`, `x5c`, `jku`, `x5u`) is ignored.

use std::sync::Arc;

use super::client_assertion::Assertion;
use super::{Authenticator, ClientKeys};
use crate::crypto::client_key::ClientKey;
use crate::crypto::key_set::KeySet;
use crate::domain::client_assertion::AssertionFault;
use crate::domain::credential::{Credential, CredentialMaterial, CredentialState};
use crate::domain::key_source::KeySource;
use crate::domain::known_client::KnownClient;
use crate::domain::shown::unknown;
use crate::operations::error::OperationError;
use crate::operations::key_sources::Origin;
use crate::operations::signed_once::Unverified;

/// A key, and the credential that it is one of.
type Chosen<'k> = (&'k Credential, Arc<ClientKey>);

impl Authenticator {
    /// The key that `kid` names, a live one before a dead one; without a `kid` the only live one that could have
    /// signed. Where the client publishes its keys by URL, no other key counts.
    pub(super) async fn choose_key<'k>(
        &self,
        unverified: &Unverified<Assertion>,
        known: &'k KnownClient,
    ) -> Result<Chosen<'k>, OperationError> {
        let now = self.clocks.database_now();
        let is_live = |it: &Credential| it.state(now) == CredentialState::Live;
        let sources = known.credentials.iter().filter_map(of_source);
        let (live, dead): (Vec<_>, Vec<_>) = sources.partition(|(it, _)| is_live(it));
        if let Some((credential, place)) = live.first() {
            let of_set = |set: &KeySet| choose(of_set(credential, set), unverified, is_live);
            let origin = origin(known, (credential, place));
            return Ok(self.key_sources.choose(&origin, of_set).await??);
        }
        let registered = registered(known, &self.client_keys);
        let found = choose(registered, unverified, is_live);
        let known_once = || {
            dead.iter().find_map(|(credential, place)| {
                let of_set = |set: &KeySet| choose(of_set(credential, set), unverified, |_| true);
                let origin = origin(known, (credential, place));
                self.key_sources
                    .choose_held(&origin, |set| of_set(set).ok())
            })
        };
        Ok(found.or_else(|fault| known_once().ok_or(fault))?)
    }
}

fn of_source(credential: &Credential) -> Option<(&Credential, &KeySource)> {
    match &credential.material {
        CredentialMaterial::KeySource(place) => Some((credential, place)),
        _ => None,
    }
}

const fn origin<'k>(
    known: &'k KnownClient,
    (credential, place): (&'k Credential, &'k KeySource),
) -> Origin<'k> {
    Origin::Client(&known.client.id, &credential.id, place)
}

fn of_set<'k>(credential: &'k Credential, set: &KeySet) -> impl Iterator<Item = Chosen<'k>> {
    let keys = set.keys().iter();
    keys.map(move |key| (credential, Arc::clone(key)))
}

fn registered<'k>(known: &'k KnownClient, keys: &ClientKeys) -> impl Iterator<Item = Chosen<'k>> {
    known.credentials.iter().filter_map(|credential| {
        let CredentialMaterial::Jwk(jwk) = &credential.material else {
            return None;
        };
        Some((credential, keys.get(&credential.id, jwk)?))
    })
}

fn choose<'k>(
    keys: impl Iterator<Item = Chosen<'k>>,
    unverified: &Unverified<Assertion>,
    is_live: impl Fn(&Credential) -> bool,
) -> Result<Chosen<'k>, AssertionFault> {
    let jws = unverified.unverified();
    if let Some(kid) = jws.kid() {
        return keys
            .filter(|(_, key)| key.is_named(kid))
            .max_by_key(|(credential, _)| is_live(credential))
            .ok_or_else(|| AssertionFault::UnknownKey(unknown(kid, [])));
    }
    let mut eligible =
        keys.filter(|(credential, key)| is_live(credential) && key.verifier(jws.alg()).is_some());
    match (eligible.next(), eligible.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(unverified.wrong_algorithm()),
        (Some(_), Some(_)) => Err(AssertionFault::AmbiguousKey),
    }
}
