//! Introspection, RFC 7662: whether a token is alive, for those who serve its audience.

use serde_json::{Map, Value};

use super::Grantd;
use super::authenticate_client::AuthenticatedClient;
use super::caller::Caller;
use super::error::OperationError;
use crate::domain::access_token::AccessToken;
use crate::domain::client::ClientStatus;
use crate::domain::confirmation::token_type;
use crate::domain::decision::Decision;
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::presented::Presented;
use crate::domain::timestamp::Timestamp;
use crate::store::error::StoreError;

impl Grantd {
    /// What the caller that `presented` proves may know of `token`; `None` is inactive, for whatever reason.
    ///
    /// # Errors
    /// A failed client authentication, or an outage.
    pub async fn introspect_token(
        &self,
        presented: Presented,
        token: &str,
        caller: &Caller,
        decision: &mut Decision,
    ) -> Result<Option<Map<String, Value>>, OperationError> {
        self.check_fitness()?;
        let caller = self.authenticate_client(presented, caller, decision).await?;
        let now = self.clock.now();
        let Some(token) = self.own_token(token, now) else { return Ok(None) };
        let alive = self.may_see(&caller, &token).await?
            && self.client_stands_by(&token).await?
            && !self.is_revoked(&token.jti).await?;
        Ok(alive.then(|| members(&token)))
    }

    /// Only who serves the audience may see its tokens; a caller's own token is not special.
    async fn may_see(
        &self,
        caller: &AuthenticatedClient,
        token: &AccessToken,
    ) -> Result<bool, StoreError> {
        let Ok(id) = AudienceId::parse(&token.aud) else { return Ok(false) };
        let audience = self.directory.audience(&id).await?;
        Ok(audience.is_some_and(|audience| audience.served_by.contains(&caller.client().id)))
    }

    /// Whether the client still exists, is active, and has not killed what it had at that time.
    async fn client_stands_by(&self, token: &AccessToken) -> Result<bool, StoreError> {
        let Ok(id) = ClientId::parse(&token.client_id) else { return Ok(false) };
        let known = self.directory.client(&id).await?;
        let issued_at = Timestamp::from_unix(token.iat);
        Ok(known.is_some_and(|known| {
            known.client.status == ClientStatus::Active
                && issued_at > known.client.tokens_not_before
        }))
    }

    async fn is_revoked(&self, jti: &str) -> Result<bool, StoreError> {
        if self.revocations.surely_not(jti) {
            Ok(false)
        } else {
            Box::pin(self.store.is_revoked(jti)).await
        }
    }
}

/// The members of an active answer, RFC 7662 section 2.2: the token's claims, `active` and `token_type`.
fn members(token: &AccessToken) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("active".to_owned(), Value::Bool(true));
    members.insert("token_type".to_owned(), token_type(token.cnf.as_ref()).into());
    if let Ok(Value::Object(claims)) = serde_json::to_value(token) {
        members.extend(claims);
    }
    members
}
