//! Revocation, RFC 7009: a client kills a token of its own. Concurrent ones are gathered into one transaction.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::Grantd;
use super::authenticate_client::AuthenticatedClient;
use super::caller::Caller;
use super::error::{OperationError, Outage};
use super::own_token::OwnToken;
use crate::crypto::random;
use crate::domain::check::Chain;
use crate::domain::decision::Decision;
use crate::domain::presented::Presented;
use crate::domain::refusal::GrantFault;
use crate::domain::timestamp::Timestamp;
use crate::domain::token_fault::TokenFault;
use crate::store::error::StoreError;
use crate::store::memory::look::{About, Look};
use crate::store::revoked_tokens::RevokedToken;

/// Revocations that wait to be written at most.
const QUEUE: usize = 4096;
/// How long a caller waits; the revocation may hold all the same when it is over.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Revocations of one transaction at most.
const BATCH: usize = 256;

/// A revocation that waits to be written, and who waits for it.
pub type Revocation = (RevokedToken, oneshot::Sender<Result<(), Arc<StoreError>>>);

/// Both ends of the queue.
#[must_use]
pub fn queue() -> (mpsc::Sender<Revocation>, mpsc::Receiver<Revocation>) {
    mpsc::channel(QUEUE)
}

impl Grantd {
    /// Revokes `token` for the client that `presented` proves. A token that is unknown, expired or garbage is
    /// revoked already (RFC 7009 section 2.2): then the value says why.
    ///
    /// # Errors
    /// A failed client authentication, another client's token, or an outage: then it is not revoked.
    pub async fn revoke_token(
        &self,
        presented: Presented,
        token: &str,
        caller: &Caller,
        decision: &mut Decision,
    ) -> Result<Result<(), TokenFault>, OperationError> {
        self.freshness.check(&self.clock)?;
        let client = self
            .authenticate_client(presented, caller, decision)
            .await?;
        let judge = |look: &Look<'_>| self.revocable(&client, look, (token, decision));
        match self
            .directory
            .at_last(client.id(), About::ItselfAlone, judge)
            .await??
        {
            Ok(token) => self.write_revocation(token).await.map(Ok),
            Err(fault) => Ok(Err(fault)),
        }
    }

    /// The revocation to write, where the client by the last look may revoke `token`; or why there is nothing to revoke.
    fn revocable(
        &self,
        client: &AuthenticatedClient,
        look: &Look<'_>,
        (token, decision): (&str, &mut Decision),
    ) -> Result<Result<RevokedToken, TokenFault>, OperationError> {
        let client = self.standing(client, look)?;
        let (claims, audience) = match self.revocable_token(token) {
            Ok(OwnToken {
                claims, audience, ..
            }) => (claims, audience),
            Err(fault) => return Ok(Err(fault)),
        };
        decision.passed(Chain::Token);
        decision.audience = Some(audience);
        decision.jti = Some(claims.jti.clone());
        if claims.client_id != client.client().id.as_str() {
            return Err(GrantFault::TokenOfAnotherClient(claims.client_id).into());
        }
        decision.passed(Chain::TokenOwner);
        let expires_at = Timestamp::from_unix(claims.exp);
        Ok(Ok(RevokedToken {
            jti: claims.jti,
            expires_at,
        }))
    }

    async fn write_revocation(&self, token: RevokedToken) -> Result<(), OperationError> {
        let (answer, answered) = oneshot::channel();
        self.revoker
            .try_send((token, answer))
            .map_err(|_| Outage::RevocationsQueueFull)?;
        match tokio::time::timeout(LONGEST_WAIT, answered).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(Outage::Revocation(error).into()),
            Ok(Err(_)) => Err(Outage::Ended.into()),
            Err(_) => Err(Outage::RevocationSlow(LONGEST_WAIT).into()),
        }
    }

    /// Writes what waits, for ever. A caller who goes away does not cancel the transaction.
    pub async fn keep_revoking(self: Arc<Self>, mut waiting: mpsc::Receiver<Revocation>) {
        let mut batch = Vec::with_capacity(BATCH);
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            let (tokens, answers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
            let written = self.write_revocations(&tokens).await.map_err(Arc::new);
            for answer in answers {
                // Nobody may be waiting any more; the token is revoked all the same.
                let _ = answer.send(written.clone());
            }
        }
    }

    async fn write_revocations(&self, tokens: &[RevokedToken]) -> Result<(), StoreError> {
        // On the heap: it holds two databases' transactions, one of which is used.
        let write = Box::pin(async {
            let mut change = self.store.begin_change(random::token_id()).await?;
            change.revoke_tokens(tokens).await?;
            change.commit().await
        });
        // A database that drops packets must not hold those who wait behind this batch.
        let committed = self.store.within_limit(write).await?;
        self.apply_committed(&committed);
        Ok(())
    }
}
