//! Client authentication, RFC 6749 section 2.3: from what was presented to a client that proved itself.
//!
//! [`AuthenticatedClient`] is made here and nowhere else, and only of a proof; [`StandingClient`] only of that and of
//! the last look. Policy decides on nothing less. An [`AssumedClient`] is judged as one, and is issued nothing.

mod assertion;
mod assumed;
mod certificate;
mod client_assertion;
mod client_keys;
mod federated;
mod keys;
mod proof;
mod secret;
mod unspent;
mod verified_secrets;

pub use assumed::Assumption;
pub use certificate::TrustedCas;
pub use client_keys::ClientKeys;
pub use proof::{
    AssumedClient, AuthenticatedClient, IdentifiedClient, ProvenClient, StandingClient,
};
pub use verified_secrets::VerifiedSecrets;

use std::sync::Arc;

use super::audit::Audit;
use super::budgets::Budgets;
use super::caller::Caller;
use super::clocks::Clocks;
use super::credential_uses::CredentialUses;
use super::error::OperationError;
use super::foreign_tokens::ForeignTokens;
use super::key_sources::KeySources;
use super::memory::Memory;
use super::replay_cache::ReplayCache;
use crate::config::settings::Settings;
use crate::crypto::hashing_pool::HashingPool;
use crate::domain::check::Chain;
use crate::domain::client::{AuthMethod, ClientStatus};
use crate::domain::decision::{ClaimedClient, Decision};
use crate::domain::identifier::ClientId;
use crate::domain::known_client::KnownClient;
use crate::domain::presented::Presented;
use crate::domain::refusal::ClientFault;
use crate::domain::timestamp::Seconds;
use crate::store::Store;
use crate::store::error::StoreError;

/// Proves clients.
#[derive(Debug)]
pub struct Authenticator {
    pub(super) settings: Arc<Settings>,
    pub(super) store: Arc<Store>,
    pub(super) clocks: Arc<Clocks>,
    pub(super) memory: Arc<Memory>,
    pub(super) replay_cache: Arc<ReplayCache>,
    pub(super) audit: Arc<Audit>,
    pub(super) uses: Arc<CredentialUses>,
    pub(super) budgets: Arc<Budgets>,
    pub(super) hashing: HashingPool,
    pub(super) verified_secrets: VerifiedSecrets,
    pub(super) client_keys: ClientKeys,
    pub(super) key_sources: Arc<KeySources>,
    pub(super) foreign_tokens: Arc<ForeignTokens>,
    pub(super) client_cas: TrustedCas,
    /// What some clients may write into `aud` in the place of the issuer.
    pub(super) token_endpoint: String,
}

/// How long an assertion may live where the client has no `max_assertion_lifetime`.
const MAX_LIFETIME: Seconds = Seconds::new(300);

impl Authenticator {
    /// Authenticates the client of one request and notes in `decision` who it claims to be.
    ///
    /// # Errors
    /// A [`ClientFault`], all of which give the same answer; or an outage.
    pub async fn authenticate_client(
        &self,
        presented: Presented,
        caller: &Caller,
        decision: &mut Decision,
    ) -> Result<AuthenticatedClient, OperationError> {
        let proven = self.prove_client(presented, caller, decision).await?;
        self.admit_client(proven, caller.source, decision).await
    }

    /// All of client authentication but its last step, which spends an assertion.
    ///
    /// # Errors
    /// As [`Self::authenticate_client`].
    pub async fn prove_client(
        &self,
        presented: Presented,
        caller: &Caller,
        decision: &mut Decision,
    ) -> Result<ProvenClient, OperationError> {
        match presented {
            Presented::Nothing { client_id } => {
                decision.client = client_id.as_deref().map(ClaimedClient::new);
                match (client_id, &caller.certificate) {
                    (Some(id), Some(certificate)) => {
                        decision.passed(Chain::Credentials);
                        self.prove_by_certificate(&id, certificate, decision).await
                    }
                    _ => Err(ClientFault::NoCredentials.into()),
                }
            }
            Presented::UnknownScheme { scheme } => Err(ClientFault::UnknownScheme(scheme).into()),
            Presented::Assertion {
                client_id,
                assertion,
                is_svid,
            } => {
                decision.method = Some(AuthMethod::PrivateKeyJwt);
                decision.passed(Chain::Credentials);
                let client_id = client_id.as_deref();
                self.prove_by_assertion((client_id, &assertion, is_svid), decision)
                    .await
            }
            Presented::Secret {
                method,
                client_id,
                secret,
            } => {
                decision.client = Some(ClaimedClient::new(&client_id));
                decision.method = Some(method);
                decision.passed(Chain::Credentials);
                self.check_allowed(method)?;
                self.prove_by_secret((method, &client_id, secret), caller, decision)
                    .await
            }
        }
    }

    /// That the server's profile allows the method.
    fn check_allowed(&self, method: AuthMethod) -> Result<(), ClientFault> {
        if self.settings.profile.allows_method(method) {
            Ok(())
        } else {
            Err(ClientFault::MethodForbidden(method))
        }
    }

    /// Notes who the client is.
    ///
    /// # Errors
    /// There is none, or no more: what is left of a deleted one has no credential that could be right.
    fn recognise(
        known: Option<&Arc<KnownClient>>,
        decision: &mut Decision,
    ) -> Result<Arc<KnownClient>, ClientFault> {
        let known = known.ok_or(ClientFault::UnknownClient)?;
        decision.recognise_client();
        if known.client.status == ClientStatus::Deleted {
            return Err(ClientFault::Deleted);
        }
        decision.passed(Chain::Client);
        Ok(Arc::clone(known))
    }

    /// The client with a presented id; an id of the wrong form is unknown.
    async fn find_client(&self, presented: &str) -> Result<Option<Arc<KnownClient>>, StoreError> {
        match ClientId::parse(presented) {
            Ok(id) => self.memory.directory.client(&id).await,
            Err(_) => Ok(None),
        }
    }
}
