//! Token exchange, RFC 8693: a client that got a token acts for whom that is, at the next API. What it gets is never wider
//! than what it got.

use super::circumstances::Circumstances;
use super::entitlement::{Delegated, Entitlement};
use super::exchanged::{Exchanged, ReadToken, Subject};
use crate::domain::check::Chain;
use crate::domain::decision::Decision;
use crate::domain::grant_decision::policies_that_hold;
use crate::domain::identifier::ClientId;
use crate::domain::policy::Purpose;
use crate::domain::refusal::ExchangeFault;
use crate::domain::timestamp::Timestamp;
use crate::domain::token_fault::TokenFault;
use crate::operations::Grantd;
use crate::operations::authenticate_client::StandingClient;
use crate::operations::basis::Basis;
use crate::operations::error::OperationError;
use crate::operations::own_token::OwnToken;
use crate::store::memory::look::Look;

/// For whom the client may act, and within what.
///
/// # Errors
/// It did not register the grant, a token that does not count, or no policy that holds for it.
pub(super) fn entitle<'l, B: Basis>(
    grantd: &Grantd,
    client: StandingClient<'l, B>,
    (look, exchanged, circumstances): (&'l Look<'_>, &'l Exchanged, &Circumstances<'_, B>),
    decision: &mut Decision,
) -> Result<Entitlement<'l, B>, OperationError> {
    let actor = client.client();
    let subject = exchanged.subject.as_ref().map_err(Clone::clone)?;
    match subject {
        Subject::Ours(_, read) => {
            decision.passed(Chain::Token);
            check_meant_for(&actor.id, &read.token, look).map_err(ExchangeFault::SubjectToken)?;
            let in_force = grantd.check_counts(read, look)?;
            in_force.map_err(ExchangeFault::SubjectToken)?;
            decision.passed(Chain::TokenStanding);
        }
        Subject::Foreign(foreign) => {
            let counts = grantd.check_foreign_subject(foreign, &actor.id, look);
            counts.map_err(ExchangeFault::ForeignSubject)?;
        }
    }
    let token = subject.token();
    if let Some(token) = &exchanged.actor {
        grantd.check_actor(&actor.id, token, look)?;
    }
    decision.passed(Chain::ActorToken);
    let actors = token.actors_with(actor, grantd.settings.issuer.as_str())?;
    decision.passed(Chain::Delegation);
    let purpose = Purpose::Exchange {
        from: &token.from,
        subject: &token.subject,
    };
    let held_against = circumstances.of(&client, purpose);
    let policies = policies_that_hold(actor, client.policies(), &held_against)?;
    Ok(Entitlement {
        subject: &token.subject,
        actor: client,
        policies,
        until: Some(token.expires_at),
        purpose,
        delegated: Some(Delegated {
            token,
            called: "subject token",
            actors: Some(actors),
            actor_bound_to: exchanged.actor_bound_to(),
            tokens_not_before: match subject {
                Subject::Ours(_, read) => marks_of(&read.token, look),
                Subject::Foreign(foreign) => foreign.tokens_not_before(look),
            },
        }),
    })
}

/// Only who serves a token's audience, or was issued the token, may exchange it: an API must not pass on what somebody
/// else was shown.
fn check_meant_for(client: &ClientId, token: &OwnToken, look: &Look<'_>) -> Result<(), TokenFault> {
    let gone = || TokenFault::NoAudience(token.audience.clone());
    let audience = look.audience(&token.audience).ok_or_else(gone)?;
    if audience.served_by.contains(client) || token.holder == *client {
        Ok(())
    } else {
        Err(TokenFault::NotServed(token.audience.clone()))
    }
}

/// What was issued up to this second is dead for the sake of those whom the token names.
fn marks_of(token: &OwnToken, look: &Look<'_>) -> Timestamp {
    let known = token.clients.iter().filter_map(|id| look.named(id));
    let marks = known.map(|it| it.client.tokens_not_before);
    marks.max().unwrap_or(Timestamp::EPOCH)
}

impl Grantd {
    /// An actor token says once more who asks: it is a token that the client itself got for itself.
    fn check_actor(
        &self,
        client: &ClientId,
        token: &Result<ReadToken, TokenFault>,
        look: &Look<'_>,
    ) -> Result<(), OperationError> {
        let refused = |fault: &TokenFault| ExchangeFault::ActorToken(fault.clone());
        let read = token.as_ref().map_err(refused)?;
        let claims = &read.token.claims;
        if read.token.holder != *client || claims.sub != claims.client_id {
            return Err(ExchangeFault::ActorOfAnother(claims.sub.clone()).into());
        }
        let counts = self.check_counts(read, look)?;
        counts.map_err(ExchangeFault::ActorToken)?;
        if look.audience(&read.token.audience).is_none() {
            let fault = TokenFault::NoAudience(read.token.audience.clone());
            return Err(ExchangeFault::ActorToken(fault).into());
        }
        Ok(())
    }
}
