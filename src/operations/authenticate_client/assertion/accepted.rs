//! An assertion that is right in all but one thing: whether its `jti` was used before.

use super::super::super::error::OperationError;
use super::super::super::replay_cache::{ReplayCache, Spending, Spent};
use crate::domain::client_assertion::{AcceptedClaims, AssertionFault};
use crate::domain::identifier::{ClientId, CredentialId};
use crate::domain::refusal::ClientFault;

/// An accepted assertion.
#[derive(Debug)]
pub(in super::super) struct AcceptedAssertion {
    claims: AcceptedClaims,
    credential: CredentialId,
}

/// An assertion whose `jti` this request spent: it proves its client, once.
pub(in super::super) struct FreshAssertion {
    pub(in super::super) credential: CredentialId,
}

impl AcceptedAssertion {
    pub(super) const fn new(claims: AcceptedClaims, credential: CredentialId) -> Self {
        Self { claims, credential }
    }

    pub(super) const fn names_token_endpoint(&self) -> bool {
        self.claims.names_token_endpoint
    }

    /// Spends the `jti`: one space for all endpoints, apart for each client.
    pub(in super::super) async fn spend(
        self,
        replay_cache: &ReplayCache,
        client: &ClientId,
    ) -> Result<FreshAssertion, OperationError> {
        let spending = Spending {
            kind: "assertion",
            scope: &[client.as_str().as_bytes()],
            jti: &self.claims.jti,
            made_at: self.claims.made_at,
            dead_at: self.claims.dead_at,
        };
        match replay_cache.spend(spending).await? {
            Spent::First => Ok(FreshAssertion {
                credential: self.credential,
            }),
            Spent::Replay => Err(ClientFault::from(AssertionFault::Replayed).into()),
            Spent::Forgotten => Err(ClientFault::from(AssertionFault::MadeBeforeLoss).into()),
        }
    }
}
