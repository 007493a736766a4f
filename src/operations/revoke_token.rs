//! Revocation, RFC 7009: a client kills a token of its own. Concurrent ones are gathered into one transaction.

use std::sync::Arc;
use std::time::Duration;

use super::Grantd;
use super::authenticate_client::AuthenticatedClient;
use super::batcher::{Asked, Batcher};
use super::caller::Caller;
use super::error::{OperationError, Outage};
use super::memory::Memory;
use super::own_token::OwnToken;
use crate::crypto::random;
use crate::domain::check::Chain;
use crate::domain::decision::Decision;
use crate::domain::presented::Presented;
use crate::domain::refusal::GrantFault;
use crate::domain::timestamp::Timestamp;
use crate::domain::token_fault::TokenFault;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::memory::look::{About, Look};
use crate::store::revoked_tokens::RevokedToken;

/// Revocations that wait to be written at most.
const QUEUE: usize = 4096;
/// Revocations of one transaction at most.
const BATCH: usize = 256;

/// What is written, as the log names it.
const REVOCATION: &str = "the revocation";

/// Writes revocations.
#[derive(Debug)]
pub struct Revoker {
    store: Arc<Store>,
    memory: Arc<Memory>,
    batcher: Batcher<Vec<Asked<RevokedToken, ()>>>,
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
        self.feed.check_fresh()?;
        let client = self
            .authenticator
            .authenticate_client(presented, caller, decision)
            .await?;
        let judge = |look: &Look<'_>| self.revocable(&client, look, (token, decision));
        match self
            .memory
            .directory
            .at_last(client.id(), About::ItselfAlone, judge)
            .await??
        {
            Ok(token) => {
                let written = self.revoker.revoke(token);
                Ok(Ok(decision.until_written(REVOCATION, written).await?))
            }
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
        let client = self.authenticator.standing(client, look)?;
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
}

impl Revoker {
    /// Nothing waits.
    #[must_use]
    pub fn new(store: Arc<Store>, memory: Arc<Memory>) -> Self {
        Self {
            store,
            memory,
            batcher: Batcher::new(QUEUE, BATCH),
        }
    }

    /// Writes what waits, for ever.
    pub async fn keep_writing(self: Arc<Self>) {
        let write = |batch| self.write(batch);
        self.batcher.keep_writing(Duration::ZERO, write).await;
    }

    /// How many were handed in and are not written yet.
    #[must_use]
    pub fn unwritten(&self) -> usize {
        self.batcher.unwritten()
    }

    async fn revoke(&self, token: RevokedToken) -> Result<(), Outage> {
        let written = self.batcher.ask(token).await;
        written.map_err(|why| Outage::NotWritten {
            what: REVOCATION,
            why,
        })
    }

    async fn write(&self, batch: Vec<Asked<RevokedToken, ()>>) {
        let tokens: Vec<_> = batch.iter().map(|asked| asked.item.clone()).collect();
        let written = self.commit(&tokens).await.map_err(Arc::new);
        for asked in batch {
            asked.answer(written.clone());
        }
    }

    async fn commit(&self, tokens: &[RevokedToken]) -> Result<(), StoreError> {
        // On the heap: it holds two databases' transactions, one of which is used.
        let write = Box::pin(async {
            let mut change = self.store.begin_change(random::token_id()).await?;
            change.revoke_tokens(tokens).await?;
            change.commit().await
        });
        // A database that drops packets must not hold those who wait behind this batch.
        let committed = self.store.within_limit(write).await?;
        self.memory.apply(committed.position.n, &committed.changes);
        Ok(())
    }
}
