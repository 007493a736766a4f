//! An assertion of which nothing is believed: its `sub` is used to find the client, and its header to find the key.

use super::super::ClientKeys;
use super::signed::SignedAssertion;
use crate::crypto::client_key::ClientKey;
use crate::crypto::compact::CompactJws;
use crate::domain::client_assertion::{AssertionFault, check_type, claimed_client};
use crate::domain::credential::{Credential, CredentialMaterial, CredentialState};
use crate::domain::known_client::KnownClient;
use crate::domain::profile::Profile;
use crate::domain::shown::unknown;
use crate::domain::timestamp::Timestamp;
use std::sync::Arc;

/// A compact JWS whose form is right.
pub(super) struct UnverifiedAssertion(CompactJws);

impl UnverifiedAssertion {
    pub(super) fn parse(text: &str) -> Result<Self, AssertionFault> {
        let jws =
            CompactJws::parse(text).map_err(|error| AssertionFault::Form(error.to_string()))?;
        check_type(jws.typ())?;
        Ok(Self(jws))
    }

    /// The client that it claims to be of.
    pub(super) fn claimed_client(&self) -> Result<&str, AssertionFault> {
        claimed_client(self.0.claims())
    }

    /// Refuses an algorithm that the server's profile forbids, whatever the key is registered for.
    pub(super) fn check_algorithm(&self, profile: Profile) -> Result<(), AssertionFault> {
        let allowed = profile.proof_algorithms().contains(&self.0.alg());
        if allowed {
            Ok(())
        } else {
            Err(self.wrong_algorithm())
        }
    }

    fn wrong_algorithm(&self) -> AssertionFault {
        AssertionFault::Algorithm(unknown(self.0.alg(), []))
    }

    /// Checks the signature with a key and an algorithm that are registered for this client; what the header
    /// itself brings (`jwk`, `x5c`, `jku`, `x5u`) is never looked at.
    pub(super) fn verify_signature(
        self,
        known: &KnownClient,
        keys: &ClientKeys,
        now: Timestamp,
    ) -> Result<SignedAssertion, AssertionFault> {
        let (credential, key) = self.choose_key(known, keys, now)?;
        let verifier = key
            .verifier(self.0.alg())
            .ok_or_else(|| self.wrong_algorithm())?;
        if !verifier.verify(self.0.signing_input(), self.0.signature()) {
            return Err(AssertionFault::Signature);
        }
        // Only now: whoever names a dead key without holding it must not raise an alert.
        match credential.state(now) {
            CredentialState::Live => {}
            state => return Err(AssertionFault::DeadKey(credential.id.clone(), state)),
        }
        Ok(SignedAssertion::new(self.0, credential.id.clone()))
    }

    /// The key that `kid` names, a live one before a dead one; without a `kid` the only live one that could have
    /// signed.
    fn choose_key<'a>(
        &self,
        known: &'a KnownClient,
        keys: &ClientKeys,
        now: Timestamp,
    ) -> Result<(&'a Credential, Arc<ClientKey>), AssertionFault> {
        let is_live = |credential: &Credential| credential.state(now) == CredentialState::Live;
        let registered = known.credentials.iter().filter_map(|credential| {
            let CredentialMaterial::Jwk(jwk) = &credential.material else {
                return None;
            };
            Some((credential, keys.get(&credential.id, jwk)?))
        });
        if let Some(kid) = self.0.kid() {
            return registered
                .filter(|(_, key)| key.is_named(kid))
                .max_by_key(|(credential, _)| is_live(credential))
                .ok_or_else(|| AssertionFault::UnknownKey(unknown(kid, [])));
        }
        let mut eligible = registered.filter(|(credential, key)| {
            is_live(credential) && key.verifier(self.0.alg()).is_some()
        });
        match (eligible.next(), eligible.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(self.wrong_algorithm()),
            (Some(_), Some(_)) => Err(AssertionFault::AmbiguousKey),
        }
    }
}
