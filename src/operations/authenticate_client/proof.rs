//! The types that a proof passes through; their constructors are private to client authentication.

use std::sync::Arc;

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

/// A client that proved itself with a method that it registered.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    known: Arc<KnownClient>,
    method: AuthMethod,
    credential: CredentialId,
}

impl AuthenticatedClient {
    /// A client with one of its secrets.
    pub(super) fn by_secret(
        known: Arc<KnownClient>,
        proof: MatchedSecret,
    ) -> Result<Self, ClientFault> {
        Self::proven(known, proof.method, proof.credential)
    }

    /// A client with one of its certificates.
    pub(super) fn by_certificate(
        known: Arc<KnownClient>,
        proof: MatchedCertificate,
    ) -> Result<Self, ClientFault> {
        Self::proven(known, proof.method, proof.credential)
    }

    /// The last step: the proof counts only for an active client that registered the method.
    fn proven(
        known: Arc<KnownClient>,
        method: AuthMethod,
        credential: CredentialId,
    ) -> Result<Self, ClientFault> {
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
        Ok(Self { method, credential, known })
    }

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

    /// The credential that it used.
    #[must_use]
    pub const fn credential(&self) -> &CredentialId {
        &self.credential
    }
}
