//! Revocation, RFC 7009: a client revokes a token of its own.

use serde_json::json;

use super::Grantd;
use super::actor::Actor;
use super::authenticate_client::AuthenticatedClient;
use super::caller::Caller;
use super::clocks::MOST_APART;
use super::error::OperationError;
use super::revoker::REVOCATION;
use crate::crypto::random;
use crate::domain::audience::LONGEST_LIFETIME;
use crate::domain::check::Chain;
use crate::domain::decision::Decision;
use crate::domain::presented::Presented;
use crate::domain::refusal::GrantFault;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::domain::token_fault::TokenFault;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::memory::look::{About, Look};
use crate::store::revoked_tokens::RevokedToken;

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

    /// The revocation to write, if the client may still revoke `token`; or why there is nothing to revoke.
    fn revocable(
        &self,
        client: &AuthenticatedClient,
        look: &Look<'_>,
        (token, decision): (&str, &mut Decision),
    ) -> Result<Result<RevokedToken, TokenFault>, OperationError> {
        let client = self.authenticator.standing(client, look)?;
        let (claims, audience) = match self.revocable_token(token) {
            Ok(token) => {
                decision.holder = Some(token.holder);
                (token.claims, token.audience)
            }
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

/// Revokes tokens by their `jti`, for an operator who does not have them, in one transaction. When they expire nobody
/// knows: they are remembered for as long as a token may live.
///
/// # Errors
/// A database out of reach.
pub async fn revoke_by_name(store: &Store, jtis: &[String], by: &Actor) -> Result<(), StoreError> {
    let mut change = store.begin_change(random::token_id()).await?;
    let expires_at = change
        .now()
        .plus(Seconds::new(LONGEST_LIFETIME))
        .plus(MOST_APART);
    let revoked = |jti: &String| RevokedToken {
        jti: jti.clone(),
        expires_at,
    };
    let tokens: Vec<_> = jtis.iter().map(revoked).collect();
    change.revoke_tokens(&tokens).await?;
    for jti in jtis {
        by.record(&mut change, ("token_revoked", jti), json!({}))
            .await?;
    }
    change.commit().await?;
    Ok(())
}
