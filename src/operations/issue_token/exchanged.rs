//! The tokens that an exchange is asked for, from their text to whether they count.

use serde_json::{Map, Value};

use crate::domain::actor_chain::ActorChain;
use crate::domain::decision::{Decision, Delegation};
use crate::domain::identifier::ClientId;
use crate::domain::presented_exchange::PresentedExchange;
use crate::domain::subject_token::SubjectToken;
use crate::domain::token_fault::TokenFault;
use crate::operations::Grantd;
use crate::operations::own_token::OwnToken;
use crate::store::error::StoreError;
use crate::store::memory::look::{Look, Named};

/// The tokens of a request as they were read, before the last look.
#[derive(Debug)]
pub(super) struct Exchanged {
    pub(super) subject: Result<Subject, TokenFault>,
    pub(super) actor: Option<Result<ReadToken, TokenFault>>,
}

/// For whom a token is asked.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) token: SubjectToken,
    pub(super) ours: ReadToken,
}

/// A token of ours, and whether the database says that it is revoked; `None` where memory knew that it is not.
#[derive(Debug)]
pub(super) struct ReadToken {
    pub(super) token: OwnToken,
    is_revoked: Option<bool>,
}

impl Exchanged {
    pub(super) fn actor_bound_to(&self) -> Option<&Map<String, Value>> {
        let actor = self.actor.as_ref()?.as_ref().ok()?;
        actor.token.claims.cnf.as_ref()
    }

    /// What the last look must be about.
    pub(super) fn named(&self) -> Vec<Named<'_>> {
        let subject = self.subject.as_ref().ok().map(|it| it.ours.token.named());
        let actor = self.actor.as_ref().and_then(|it| it.as_ref().ok());
        let actor = actor.map(|it| it.token.named());
        subject.into_iter().chain(actor).collect()
    }
}

impl Grantd {
    /// Reads the tokens of an exchange that the client asks for; `None` where it asks for something else.
    ///
    /// # Errors
    /// An unreachable database, where memory does not know whether a token is revoked.
    pub(super) async fn read_exchanged(
        &self,
        presented: Option<PresentedExchange<'_>>,
        client: &ClientId,
        decision: &mut Decision,
    ) -> Result<Option<Exchanged>, StoreError> {
        let Some(presented) = presented else {
            return Ok(None);
        };
        let subject = self.read_token(presented.subject).await?;
        let subject = subject.map(|ours| {
            let token = SubjectToken::of_ours(&ours.token.claims, &ours.token.audience);
            Subject { token, ours }
        });
        if let Ok(Subject { token, ours }) = &subject {
            decision.holder = Some(ours.token.holder.clone());
            decision.jti = Some(ours.token.claims.jti.clone());
            decision.delegation = Some(Box::new(Delegation {
                subject: token.subject.clone(),
                actors: std::iter::once(client.as_str())
                    .chain(token.actors.iter().flat_map(ActorChain::iter))
                    .map(str::to_owned)
                    .collect(),
                from: token.from.clone(),
            }));
        }
        let actor = match presented.actor {
            Some(text) => Some(self.read_token(text).await?),
            None => None,
        };
        Ok(Some(Exchanged { subject, actor }))
    }

    async fn read_token(&self, text: &str) -> Result<Result<ReadToken, TokenFault>, StoreError> {
        let token = match self.own_token(text, self.clocks.now()) {
            Ok(token) => token,
            Err(fault) => return Ok(Err(fault)),
        };
        let jti = &token.claims.jti;
        let is_revoked = if self.memory.revocations.surely_not(jti) {
            None
        } else {
            Some(Box::pin(self.store.is_revoked(jti)).await?)
        };
        Ok(Ok(ReadToken { token, is_revoked }))
    }

    /// That a token which was read before counts as one does at introspection.
    ///
    /// # Errors
    /// Memory was lost meanwhile, so that the database must be asked again.
    pub(super) fn check_counts(
        &self,
        read: &ReadToken,
        look: &Look<'_>,
    ) -> Result<Result<(), TokenFault>, StoreError> {
        if let Err(fault) = self.check_in_force(&read.token, look) {
            return Ok(Err(fault));
        }
        match read.is_revoked {
            Some(true) => Ok(Err(TokenFault::Revoked)),
            Some(false) => Ok(Ok(())),
            None if self.memory.revocations.surely_not(&read.token.claims.jti) => Ok(Ok(())),
            None => Err(StoreError::NotLoaded),
        }
    }
}
