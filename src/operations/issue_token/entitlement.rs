//! What a grant gives: all that tells one grant from another.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::domain::actor_chain::ActorChain;
use crate::domain::audience::Audience;
use crate::domain::grant_decision::{Grant, Offer};
use crate::domain::identifier::AudienceId;
use crate::domain::kept_claims::KeptClaims;
use crate::domain::policy::{Exchange, Policy, Purpose};
use crate::domain::refusal::ExchangeFault;
use crate::domain::subject_token::SubjectToken;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::operations::authenticate_client::StandingClient;
use crate::operations::basis::Basis;

/// For whom a token may be, and within what.
#[derive(Debug)]
pub(super) struct Entitlement<'l, B: Basis> {
    /// Who the token is for: its `sub`.
    pub(super) subject: &'l str,
    /// Who acts with it: its `client_id`.
    pub(super) actor: StandingClient<'l, B>,
    /// What may be granted: one of these, which hold for this request.
    pub(super) policies: Vec<&'l Policy>,
    /// When the token ends at the latest; `None` leaves it to the policy.
    pub(super) until: Option<Timestamp>,
    /// For what the policies were found to hold.
    pub(super) purpose: Purpose<'l>,
    /// For whom the client acts; `None`: for itself.
    pub(super) delegated: Option<Delegated<'l>>,
}

/// What a token says of whom a client acts for.
#[derive(Debug)]
pub(super) struct Delegated<'l> {
    /// The token that says so.
    pub(super) token: &'l SubjectToken,
    /// What that is called: `subject token` or `assertion`.
    pub(super) called: &'static str,
    /// Who acts, this client first; `None` where the token does not say that one acts.
    pub(super) actors: Option<ActorChain>,
    /// What an actor token is bound to: its `cnf`.
    pub(super) actor_bound_to: Option<&'l Map<String, Value>>,
    /// What was issued up to this second is dead for the sake of whom it names.
    pub(super) tokens_not_before: Timestamp,
}

impl<B: Basis> Entitlement<'_, B> {
    /// One of the policies as it counts for this grant: how long tokens live, and what their scopes must be among.
    pub(super) fn offer(&self, policy: &Policy, audience: &Arc<Audience>) -> Offer {
        let exchange = policy.exchange_by(self.purpose.grant());
        let is_bounded = exchange.is_some_and(|it| it.scopes_from_subject);
        let delegated = self.delegated.as_ref().filter(|_| is_bounded);
        Offer {
            policy: Policy {
                token_lifetime: policy.lifetime_by(self.purpose.grant()),
                ..policy.clone()
            },
            audience: Arc::clone(audience),
            within: delegated.and_then(|it| it.token.scopes.clone()),
        }
    }

    /// The second up to which tokens for `audience` are dead that say what this one would say.
    pub(super) fn tokens_not_before(&self, audience: &AudienceId) -> Timestamp {
        let of_actor = self.actor.tokens_not_before(audience);
        let delegated = self.delegated.as_ref();
        delegated.map_or(of_actor, |it| it.tokens_not_before.max(of_actor))
    }

    /// What is kept of the subject's claims.
    ///
    /// # Errors
    /// A claim that cannot be.
    pub(super) fn kept(&self, grant: &Grant) -> Result<Option<KeptClaims>, ExchangeFault> {
        let Some(delegated) = &self.delegated else {
            return Ok(None);
        };
        let keep = self.exchange(grant).map_or(&[][..], |it| &it.keep);
        let over = (self.actor.client(), &grant.claims);
        KeptClaims::of(&delegated.token.claims, keep, over).map(Some)
    }

    /// What the policy behind `grant` says of the exchange that is asked for; nothing where none is.
    pub(super) fn exchange(&self, grant: &Grant) -> Option<&Exchange> {
        let of_audience = |it: &&&Policy| it.audience == grant.audience.id;
        let policy = self.policies.iter().find(of_audience)?;
        policy.exchange_by(self.purpose.grant())
    }

    /// How long a token lives that begins at `now` and that policy gives `granted`.
    pub(super) fn lifetime(&self, granted: Seconds, longest: Seconds, now: Timestamp) -> Seconds {
        lifetime(granted.min(longest), self.until, now)
    }
}

fn lifetime(most: Seconds, until: Option<Timestamp>, now: Timestamp) -> Seconds {
    let left = |until: Timestamp| u32::try_from(until.unix().saturating_sub(now.unix()).max(0));
    match until.map(left) {
        Some(Ok(left)) => most.min(Seconds::new(left)),
        Some(Err(_)) | None => most,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_outlives_neither_its_policy_nor_what_it_was_granted_for() {
        let at = Timestamp::from_unix;
        for (until, lives) in [
            (None, 300),
            (Some(at(1_100)), 100),
            (Some(at(2_000)), 300),
            (Some(at(900)), 0),
            (Some(at(i64::MAX)), 300),
        ] {
            let lifetime = lifetime(Seconds::new(300), until, at(1_000));
            assert_eq!(lifetime.get(), lives, "{until:?}");
        }
    }
}
