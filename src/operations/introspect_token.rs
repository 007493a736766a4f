//! Introspection, RFC 7662: whether a token is alive, for those who serve its audience.

use serde_json::{Map, Value};

use super::Grantd;
use super::authenticate_client::AuthenticatedClient;
use super::caller::Caller;
use super::error::OperationError;
use super::own_token::OwnToken;
use crate::domain::access_token::AccessToken;
use crate::domain::confirmation::token_type;
use crate::domain::decision::Decision;
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::presented::Presented;
use crate::store::memory::look::{About, Look};

/// What looking at a token comes to.
enum Seen {
    /// What the caller may know; `None` is inactive.
    All(Option<Map<String, Value>>),
    /// Memory is not sure whether the token is revoked.
    AllButRevocation,
}

/// A token as it was read, with the names by which it is looked at.
struct Subject {
    token: OwnToken,
    holder: ClientId,
    audience: AudienceId,
}

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
        let caller = self
            .authenticate_client(presented, caller, decision)
            .await?;
        let subject = self
            .own_token(token, self.clock.now())
            .and_then(Subject::new);
        let mut known_not_revoked = false;
        loop {
            let about = subject.as_ref().map_or(About::ItselfAlone, Subject::about);
            let judge = |look: &Look<'_>| {
                self.look_at_token(&caller, look, (subject.as_ref(), known_not_revoked))
            };
            match (
                self.directory.at_last(caller.id(), about, judge).await??,
                &subject,
            ) {
                (Seen::All(members), _) => return Ok(members),
                (Seen::AllButRevocation, None) => return Ok(None),
                (Seen::AllButRevocation, Some(subject)) => {
                    if Box::pin(self.store.is_revoked(&subject.token.claims.jti)).await? {
                        return Ok(None);
                    }
                    known_not_revoked = true;
                }
            }
        }
    }

    /// Judges token and caller by the last look.
    fn look_at_token(
        &self,
        caller: &AuthenticatedClient,
        look: &Look<'_>,
        (subject, known_not_revoked): (Option<&Subject>, bool),
    ) -> Result<Seen, OperationError> {
        self.check_fitness()?;
        let now = self.clock.now();
        let caller = self.standing(caller, look)?;
        let Some(Subject { token, .. }) = subject else {
            return Ok(Seen::All(None));
        };
        // Only who serves the audience may see its tokens; a caller's own token is not special.
        let may_see = look
            .audiences()
            .iter()
            .any(|it| it.served_by.contains(&caller.client().id));
        let holder_stands_by = look
            .token_holder()
            .is_some_and(|it| it.stands_by(&token.claims));
        if !may_see || !holder_stands_by || !self.still_lives(token, now) {
            return Ok(Seen::All(None));
        }
        if known_not_revoked || self.revocations.surely_not(&token.claims.jti) {
            Ok(Seen::All(Some(members(&token.claims))))
        } else {
            Ok(Seen::AllButRevocation)
        }
    }
}

impl Subject {
    fn new(token: OwnToken) -> Option<Self> {
        Some(Self {
            holder: ClientId::parse(&token.claims.client_id).ok()?,
            audience: AudienceId::parse(&token.claims.aud).ok()?,
            token,
        })
    }

    const fn about(&self) -> About<'_> {
        About::Token(&self.holder, &self.audience)
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
