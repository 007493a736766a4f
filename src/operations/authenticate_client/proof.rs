//! The types that a proof passes through; their constructors are private to client authentication.

use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use super::super::error::{OperationError, Outage};
use super::Authenticator;
use super::client_assertion::AcceptedAssertion;
use crate::domain::check::Chain;
use crate::domain::client::{AuthMethod, Client, ClientStatus};
use crate::domain::credential::{Credential, CredentialState};
use crate::domain::decision::Decision;
use crate::domain::foreign_token::ForeignFault;
use crate::domain::identifier::{AudienceId, ClientId, CredentialId};
use crate::domain::known_client::KnownClient;
use crate::domain::policy::Policy;
use crate::domain::refusal::ClientFault;
use crate::domain::timestamp::Timestamp;
use crate::operations::basis::{Assumed, Basis, Proven};
use crate::operations::foreign_tokens::AcceptedForeign;
use crate::operations::replay_cache::USE_OF_JTI;
use crate::store::error::StoreError;
use crate::store::memory::look::Look;

/// A live secret of a client that was presented: a proof of possession.
pub(super) struct MatchedSecret {
    pub(super) credential: CredentialId,
    pub(super) method: AuthMethod,
}

/// An identity of a client that its token fits.
pub(super) struct MatchedIdentity {
    pub(super) credential: CredentialId,
    pub(super) state: CredentialState,
}

impl MatchedIdentity {
    /// # Errors
    /// It does not count now.
    pub(super) fn check_live(&self) -> Result<(), ClientFault> {
        match self.state {
            CredentialState::Live => Ok(()),
            state => Err(ClientFault::DeadIdentity(self.credential.clone(), state)),
        }
    }
}

/// A currently valid certificate of the client whose key the caller holds.
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
    Foreign(CredentialId, AcceptedForeign),
}

/// A client that used a credential of its own, or is assumed to. Its rights are decided on a [`StandingClient`] only,
/// because requests wait between the proof and the answer.
#[derive(Clone, Debug)]
pub struct IdentifiedClient<B: Basis> {
    id: ClientId,
    method: AuthMethod,
    credential: CredentialId,
    /// When the credential was registered: another one may have its id later.
    registered_at: Timestamp,
    basis: PhantomData<B>,
}

/// An authenticated client.
pub type AuthenticatedClient = IdentifiedClient<Proven>;

/// A client as if it were authenticated: nothing is issued to it.
pub type AssumedClient = IdentifiedClient<Assumed>;

/// A client that is still what it was when it proved itself: active, with its method and a live credential. It lives no
/// longer than the last look that it was seen in; policy decides on nothing less.
#[derive(Clone, Copy, Debug)]
pub struct StandingClient<'l, B: Basis> {
    known: &'l KnownClient,
    method: AuthMethod,
    credential: &'l CredentialId,
    basis: PhantomData<B>,
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

    pub(super) fn by_foreign_token(
        known: Arc<KnownClient>,
        identity: MatchedIdentity,
        token: AcceptedForeign,
    ) -> Result<Self, ClientFault> {
        let proof = Proof::Foreign(identity.credential, token);
        Self::new(known, AuthMethod::Federated, proof)
    }

    /// A proof counts only for an active client that registered the method.
    fn new(known: Arc<KnownClient>, method: AuthMethod, proof: Proof) -> Result<Self, ClientFault> {
        check_admitted(&known.client, method)?;
        Ok(Self {
            known,
            method,
            proof,
        })
    }
}

fn check_admitted(client: &Client, method: AuthMethod) -> Result<(), ClientFault> {
    match client.status {
        ClientStatus::Active => {}
        ClientStatus::Disabled => return Err(ClientFault::Disabled),
        ClientStatus::Deleted => return Err(ClientFault::Deleted),
    }
    if client.may_use(method) {
        Ok(())
    } else {
        Err(ClientFault::MethodNotRegistered {
            used: method,
            registered: client.auth_methods.clone(),
        })
    }
}

impl Authenticator {
    /// The last step of client authentication: spends the assertion. Any check after which the client may retry with
    /// the same assertion, such as that of the DPoP nonce, comes before it.
    ///
    /// # Errors
    /// A replay, or an outage: then nothing may be issued.
    pub async fn admit_client(
        &self,
        proven: ProvenClient,
        source: IpAddr,
        decision: &mut Decision,
    ) -> Result<AuthenticatedClient, OperationError> {
        let known = proven.known;
        let credential = match proven.proof {
            Proof::Complete(credential) => credential,
            Proof::Unspent(assertion) => {
                // One space for all endpoints, apart for each client.
                let scope = [known.client.id.as_str().as_bytes()];
                let spent = assertion.spend(&self.replay_cache, &scope);
                let fresh = decision.until_written(USE_OF_JTI, spent).await??;
                decision.passed(Chain::AssertionFresh);
                fresh.into_key()
            }
            Proof::Foreign(credential, token) => {
                self.spend_foreign(token, decision).await??;
                credential
            }
        };
        let used = (self.clocks.database_now(), source);
        self.uses.note(&credential, used);
        Ok(IdentifiedClient::of(&known, proven.method, credential))
    }

    /// Spends a foreign token, where it counts once. A replay is a fault of it.
    ///
    /// # Errors
    /// An outage: then it proves nothing.
    pub(in super::super) async fn spend_foreign(
        &self,
        token: AcceptedForeign,
        decision: &mut Decision,
    ) -> Result<Result<(), ForeignFault>, Outage> {
        // One space for all endpoints and clients, apart for each issuer.
        let issuer = token.key().clone();
        let scope = issuer.scope();
        let spent = token.spend(&self.replay_cache, &scope);
        let spent = decision.until_written(USE_OF_JTI, spent).await?;
        if spent.is_ok() {
            decision.passed(Chain::ForeignFresh);
        }
        Ok(spent.map(drop))
    }

    /// The same, and nothing is spent.
    ///
    /// # Errors
    /// An unreachable database.
    pub(in super::super) async fn look_at_foreign(
        &self,
        token: &AcceptedForeign,
        decision: &mut Decision,
    ) -> Result<Result<(), ForeignFault>, StoreError> {
        let scope = token.key().scope();
        let unspent = token.look(&self.replay_cache, &scope).await?;
        if unspent.is_ok() {
            decision.passed(Chain::ForeignFresh);
        }
        Ok(unspent)
    }

    /// The client as it stands in the last look.
    /// Commands write by the database's clock when a credential ends, so it ends by that.
    ///
    /// # Errors
    /// The [`ClientFault`] that a new request would meet.
    pub(in super::super) fn standing<'l, B: Basis>(
        &self,
        client: &'l IdentifiedClient<B>,
        look: &'l Look<'_>,
    ) -> Result<StandingClient<'l, B>, ClientFault> {
        let known = look.client().ok_or(ClientFault::UnknownClient)?;
        check_admitted(&known.client, client.method)?;
        let now = self.clocks.database_now();
        let found = known.credentials.iter().find(|it| client.used(it));
        match found.map_or(CredentialState::Retired, |it| it.state(now)) {
            CredentialState::Live => {}
            state => {
                return Err(ClientFault::dead_credential(
                    client.method,
                    &client.credential,
                    state,
                ));
            }
        }
        Ok(StandingClient {
            known,
            method: client.method,
            credential: &client.credential,
            basis: PhantomData,
        })
    }
}

impl AssumedClient {
    /// As if it had proved itself by `credential`, which serves the method.
    ///
    /// # Errors
    /// It may not authenticate so.
    pub(super) fn new(
        known: &KnownClient,
        method: AuthMethod,
        credential: CredentialId,
    ) -> Result<Self, ClientFault> {
        check_admitted(&known.client, method)?;
        Ok(Self::of(known, method, credential))
    }
}

impl<B: Basis> IdentifiedClient<B> {
    /// Not for others: whoever makes one of [`Proven`] has the proof.
    fn of(known: &KnownClient, method: AuthMethod, credential: CredentialId) -> Self {
        let found = known.credentials.iter().find(|it| it.id == credential);
        Self {
            id: known.client.id.clone(),
            method,
            registered_at: found.map_or(Timestamp::EPOCH, |it| it.created_at),
            credential,
            basis: PhantomData,
        }
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &ClientId {
        &self.id
    }

    /// The method that it used.
    #[must_use]
    pub const fn method(&self) -> AuthMethod {
        self.method
    }

    fn used(&self, credential: &Credential) -> bool {
        credential.id == self.credential && credential.created_at == self.registered_at
    }
}

impl<'l, B: Basis> StandingClient<'l, B> {
    /// The client.
    #[must_use]
    pub const fn client(&self) -> &'l Client {
        &self.known.client
    }

    /// See [`KnownClient::tokens_not_before`].
    #[must_use]
    pub fn tokens_not_before(&self, audience: &AudienceId) -> Timestamp {
        self.known.tokens_not_before(audience)
    }

    /// Its policies.
    #[must_use]
    pub fn policies(&self) -> &'l [Policy] {
        &self.known.policies
    }

    /// The method that it used.
    #[must_use]
    pub const fn method(&self) -> AuthMethod {
        self.method
    }

    /// The credential that it used.
    #[must_use]
    pub const fn credential(&self) -> &'l CredentialId {
        self.credential
    }
}
