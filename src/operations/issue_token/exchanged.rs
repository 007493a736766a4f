//! The tokens that an exchange is asked for, from their text to whether they count.

use std::iter;

use serde_json::{Map, Value};

use super::foreign_subject::ForeignSubject;
use crate::crypto::compact::CompactJws;
use crate::domain::actor_chain::ActorChain;
use crate::domain::decision::{Decision, Delegation};
use crate::domain::foreign_token::{ForeignFault, claimed_issuer};
use crate::domain::identifier::ClientId;
use crate::domain::presented_exchange::PresentedExchange;
use crate::domain::refusal::ExchangeFault;
use crate::domain::subject_token::SubjectToken;
use crate::domain::token_fault::TokenFault;
use crate::domain::trusted_issuer::IssuerUse;
use crate::operations::Grantd;
use crate::operations::error::Outage;
use crate::operations::own_token::OwnToken;
use crate::store::error::StoreError;
use crate::store::memory::look::{Look, Named};

/// The tokens of a request as they were read, before the last look.
#[derive(Debug)]
pub(super) struct Exchanged {
    pub(super) subject: Result<Subject, ExchangeFault>,
    pub(super) actor: Option<Result<ReadToken, TokenFault>>,
}

/// For whom a token is asked, by a token of ours or of somebody else.
#[derive(Debug)]
pub(super) enum Subject {
    Ours(SubjectToken, Box<ReadToken>),
    Foreign(ForeignSubject),
}

/// A token of ours, and whether the database says that it is revoked; `None` where memory knew that it is not.
#[derive(Debug)]
pub(super) struct ReadToken {
    pub(super) token: OwnToken,
    is_revoked: Option<bool>,
}

impl Subject {
    pub(super) const fn token(&self) -> &SubjectToken {
        match self {
            Self::Ours(token, _) => token,
            Self::Foreign(foreign) => &foreign.token,
        }
    }

    fn named(&self) -> Named<'_> {
        match self {
            Self::Ours(_, read) => read.token.named(),
            Self::Foreign(foreign) => foreign.named(),
        }
    }
}

impl Exchanged {
    pub(super) fn actor_bound_to(&self) -> Option<&Map<String, Value>> {
        let actor = self.actor.as_ref()?.as_ref().ok()?;
        actor.token.claims.cnf.as_ref()
    }

    /// What the last look must be about.
    pub(super) fn named(&self) -> Vec<Named<'_>> {
        let subject = self.subject.as_ref().ok().map(Subject::named);
        let actor = self.actor.as_ref().and_then(|it| it.as_ref().ok());
        let actor = actor.map(|it| it.token.named());
        subject.into_iter().chain(actor).collect()
    }
}

/// Notes for whom a client asks, and who acts then.
pub(super) fn note<'a>(
    token: &SubjectToken,
    actors: impl Iterator<Item = &'a str>,
    decision: &mut Decision,
) {
    decision.from = Some(token.from.clone());
    decision.delegation = Some(Box::new(Delegation {
        subject: token.subject.clone(),
        actors: actors.map(str::to_owned).collect(),
    }));
}

impl Grantd {
    /// Reads the tokens of an exchange that the client asks for.
    ///
    /// # Errors
    /// An unreachable database, where memory does not know whether a token is revoked; or keys of an issuer that cannot be
    /// had.
    pub(super) async fn read_exchanged(
        &self,
        presented: PresentedExchange<'_>,
        client: &ClientId,
        decision: &mut Decision,
    ) -> Result<Exchanged, Outage> {
        let subject = self.read_subject(presented.subject, decision).await?;
        if let Ok(subject) = &subject {
            let token = subject.token();
            let before = token.actors.iter().flat_map(ActorChain::iter);
            note(token, iter::once(client.as_str()).chain(before), decision);
        }
        let actor = match presented.actor {
            Some(text) => Some(self.read_token(text).await?),
            None => None,
        };
        Ok(Exchanged { subject, actor })
    }

    /// A subject token is one of ours unless it names a trusted issuer.
    async fn read_subject(
        &self,
        text: &str,
        decision: &mut Decision,
    ) -> Result<Result<Subject, ExchangeFault>, Outage> {
        let foreign = (text, IssuerUse::Exchange);
        if let Some(read) = self.read_foreign_subject(foreign, decision).await? {
            // Its `jti` is not spent: one token is exchanged many times.
            let subject = read.map(|(subject, _)| Subject::Foreign(subject));
            return Ok(subject.map_err(ExchangeFault::ForeignSubject));
        }
        let read = self.read_token(text).await?;
        if let Err(TokenFault::Key(_) | TokenFault::Type(_)) = read
            && let Some(fault) = self.of_another(text).await?
        {
            return Ok(Err(ExchangeFault::ForeignSubject(fault)));
        }
        Ok(read.map_err(ExchangeFault::SubjectToken).map(|read| {
            decision.holder = Some(read.token.holder.clone());
            decision.jti = Some(read.token.claims.jti.clone());
            let token = SubjectToken::of_ours(&read.token.claims, &read.token.audience);
            Subject::Ours(token, Box::new(read))
        }))
    }

    /// Why a token that could be ours, were it not for its `iss`, is that of no trusted issuer; `None` where that is ours or absent.
    async fn of_another(&self, text: &str) -> Result<Option<ForeignFault>, StoreError> {
        let jws = CompactJws::parse(text).ok();
        let iss = jws.as_ref().and_then(|it| claimed_issuer(it.claims()));
        let ours = self.settings.issuer.as_str();
        match iss.filter(|iss| *iss != ours) {
            Some(iss) => {
                let unknown = self.authenticator.foreign_tokens.unknown_issuer(iss);
                unknown.await.map(Some)
            }
            None => Ok(None),
        }
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
