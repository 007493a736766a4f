//! The types that a proof passes through; their constructors are private to client authentication.

use std::sync::Arc;

use super::super::Grantd;
use super::super::error::OperationError;
use super::assertion::AcceptedAssertion;
use crate::domain::client::{AuthMethod, Client, ClientStatus};
use crate::domain::identifier::CredentialId;
use crate::domain::known_client::KnownClient;
use crate::domain::policy::Policy;
use crate::domain::refusal::ClientFault;

/// A live secret of a client that was presented: a proof of possession.
pub(super) struct MatchedSecret {
    pub(super) credential: CredentialId,
    pub(super) method: AuthMethod,
}

/// A certificate of the client whose key the caller holds, and that holds now.
pub(super) struct MatchedCertificate {
    pub(super) credential: CredentialId,
    pub(super) method: AuthMethod,
}

/// An active client with a proof by a method that it registered; an assertion's `jti` is still to be spent.
#[derive(Debug)]
pub struct ProvenClient {
    known: Arc<KnownClient>,
    method: AuthMethod,
    proof: Proof,
}

#[derive(Debug)]
enum Proof {
    Complete(CredentialId),
    Unspent(AcceptedAssertion),
}

/// A client that proved itself; policy decides on nothing less.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    known: Arc<KnownClient>,
    method: AuthMethod,
    credential: CredentialId,
}

impl ProvenClient {
    pub(super) fn by_secret(
        known: Arc<KnownClient>,
        proof: MatchedSecret,
    ) -> Result<Self, ClientFault> {
        Self::new(known, proof.method, Proof::Complete(proof.credential))
    }

    pub(super) fn by_certificate(
        known: Arc<KnownClient>,
        proof: MatchedCertificate,
    ) -> Result<Self, ClientFault> {
        Self::new(known, proof.method, Proof::Complete(proof.credential))
    }

    pub(super) fn by_assertion(
        known: Arc<KnownClient>,
        assertion: AcceptedAssertion,
    ) -> Result<Self, ClientFault> {
        Self::new(known, AuthMethod::PrivateKeyJwt, Proof::Unspent(assertion))
    }

    /// A proof counts only for an active client that registered the method.
    fn new(known: Arc<KnownClient>, method: AuthMethod, proof: Proof) -> Result<Self, ClientFault> {
        match known.client.status {
            ClientStatus::Active => {}
            ClientStatus::Disabled => return Err(ClientFault::Disabled),
            ClientStatus::Deleted => return Err(ClientFault::Deleted),
        }
        let registered = &known.client.auth_methods;
        if !registered.contains(&method) {
            let registered = registered.clone();
            return Err(ClientFault::MethodNotRegistered { used: method, registered });
        }
        Ok(Self { known, method, proof })
    }

    /// The client, as far as it is proven.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.known.client
    }
}

impl Grantd {
    /// The last step of client authentication: an assertion is spent. What may send the client away to come back
    /// with the same assertion, such as a demanded nonce, stands before it.
    ///
    /// # Errors
    /// A replay, or an outage: then nothing may be issued.
    pub async fn admit_client(
        &self,
        proven: ProvenClient,
    ) -> Result<AuthenticatedClient, OperationError> {
        let credential = match proven.proof {
            Proof::Complete(credential) => credential,
            Proof::Unspent(assertion) => {
                assertion.spend(self, &proven.known.client.id).await?.credential
            }
        };
        self.credential_uses.note(&credential, self.database_now());
        Ok(AuthenticatedClient { known: proven.known, method: proven.method, credential })
    }
}

impl AuthenticatedClient {
    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.known.client
    }

    /// Its policies.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        &self.known.policies
    }

    /// The method that it used.
    #[must_use]
    pub const fn method(&self) -> AuthMethod {
        self.method
    }

    /// Whether all that it was judged by is still so in `known`.
    #[must_use]
    pub fn is_still(&self, known: &KnownClient) -> bool {
        let credential = |known: &KnownClient| {
            let found = known.credentials.iter().find(|it| it.id == self.credential)?;
            Some((found.active_from, found.expires_at, found.retired_at))
        };
        self.known.client == known.client
            && self.known.policies == known.policies
            && credential(&self.known) == credential(known)
    }

    /// The credential that it used.
    #[must_use]
    pub const fn credential(&self) -> &CredentialId {
        &self.credential
    }
}
