//! Introspection, RFC 7662: tells the servers of a token's audience whether it is active.

use serde_json::{Map, Value};

use super::Grantd;
use super::authenticate_client::{IdentifiedClient, StandingClient};
use super::basis::Basis;
use super::caller::Caller;
use super::error::OperationError;
use super::own_token::OwnToken;
use crate::domain::access_token::AccessToken;
use crate::domain::check::Chain;
use crate::domain::confirmation::token_type;
use crate::domain::decision::Decision;
use crate::domain::identifier::ClientId;
use crate::domain::presented::Presented;
use crate::domain::timestamp::Timestamp;
use crate::domain::token_fault::TokenFault;
use crate::store::memory::look::{About, Look};

/// The members of an active answer, or why the token is inactive, which the caller is not told.
pub type Introspected = Result<Map<String, Value>, TokenFault>;

/// What introspection tells, and to whom.
#[derive(Debug)]
pub struct Told {
    /// The client that asked.
    pub to: ClientId,
    /// When.
    pub at: Timestamp,
    /// What it learns of the token.
    pub token: Introspected,
}

/// The result of looking at a token in memory.
enum Seen {
    All(Introspected),
    /// Active, but the database must say whether it is revoked.
    AllButRevocation,
}

impl Grantd {
    /// What the authenticated caller may know of `token`.
    ///
    /// # Errors
    /// A failed client authentication, or an outage.
    pub async fn introspect_token(
        &self,
        presented: Presented,
        token: &str,
        caller: &Caller,
        decision: &mut Decision,
    ) -> Result<Told, OperationError> {
        self.feed.check_fitness()?;
        let caller = self
            .authenticator
            .authenticate_client(presented, caller, decision)
            .await?;
        let token = self.introspect_as(&caller, token, decision).await?;
        Ok(Told {
            to: caller.id().clone(),
            at: self.clocks.now(),
            token,
        })
    }

    /// What `caller` may know of `token`.
    ///
    /// # Errors
    /// A caller that is not what it was, or an outage.
    pub(super) async fn introspect_as<B: Basis>(
        &self,
        caller: &IdentifiedClient<B>,
        token: &str,
        decision: &mut Decision,
    ) -> Result<Introspected, OperationError> {
        let token = match self.own_token(token, self.clocks.now()) {
            Ok(token) => token,
            Err(fault) => {
                let stands = |look: &Look<'_>| self.look_at_caller(caller, look).map(|_| ());
                let about = About::ItselfAlone;
                self.memory
                    .directory
                    .at_last(caller.id(), about, stands)
                    .await??;
                return Ok(Err(fault));
            }
        };
        decision.passed(Chain::Token);
        let introspected = self.introspect_own(caller, &token).await?;
        if introspected.is_ok() {
            decision.passed(Chain::TokenStanding);
        }
        decision.audience = Some(token.audience);
        decision.holder = Some(token.holder);
        decision.jti = Some(token.claims.jti);
        Ok(introspected)
    }

    async fn introspect_own<B: Basis>(
        &self,
        caller: &IdentifiedClient<B>,
        token: &OwnToken,
    ) -> Result<Introspected, OperationError> {
        let about = About::Token(token.named());
        let mut known_not_revoked = false;
        loop {
            let judge =
                |look: &Look<'_>| self.look_at_token(caller, look, (token, known_not_revoked));
            match self
                .memory
                .directory
                .at_last(caller.id(), about, judge)
                .await??
            {
                Seen::All(introspected) => return Ok(introspected),
                Seen::AllButRevocation => {
                    if Box::pin(self.store.is_revoked(&token.claims.jti)).await? {
                        return Ok(Err(TokenFault::Revoked));
                    }
                    known_not_revoked = true;
                }
            }
        }
    }

    fn look_at_caller<'l, B: Basis>(
        &self,
        caller: &'l IdentifiedClient<B>,
        look: &'l Look<'_>,
    ) -> Result<StandingClient<'l, B>, OperationError> {
        self.feed.check_fitness()?;
        Ok(self.authenticator.standing(caller, look)?)
    }

    /// Checks token and caller against the latest state in memory.
    fn look_at_token<B: Basis>(
        &self,
        caller: &IdentifiedClient<B>,
        look: &Look<'_>,
        (token, known_not_revoked): (&OwnToken, bool),
    ) -> Result<Seen, OperationError> {
        let caller = self.look_at_caller(caller, look)?;
        if let Err(fault) = self.check_standing(&caller, look, token) {
            return Ok(Seen::All(Err(fault)));
        }
        if known_not_revoked || self.memory.revocations.surely_not(&token.claims.jti) {
            Ok(Seen::All(Ok(members(&token.claims))))
        } else {
            Ok(Seen::AllButRevocation)
        }
    }

    fn check_standing<B: Basis>(
        &self,
        caller: &StandingClient<'_, B>,
        look: &Look<'_>,
        token: &OwnToken,
    ) -> Result<(), TokenFault> {
        // Only a server of the audience may see its tokens; a caller's own token is no exception.
        let gone = || TokenFault::NoAudience(token.audience.clone());
        let audience = look.audience(&token.audience).ok_or_else(gone)?;
        if !audience.served_by.contains(&caller.client().id) {
            return Err(TokenFault::NotServed(token.audience.clone()));
        }
        self.check_in_force(token, look)
    }
}

/// The members of an active answer, RFC 7662 section 2.2: the token's claims, `active` and `token_type`.
fn members(token: &AccessToken) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("active".to_owned(), Value::Bool(true));
    members.insert(
        "token_type".to_owned(),
        token_type(token.cnf.as_ref()).into(),
    );
    if let Ok(Value::Object(claims)) = serde_json::to_value(token) {
        members.extend(claims);
    }
    members
}
