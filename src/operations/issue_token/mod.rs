//! Issues an access token, as JWT of RFC 9068. Each grant is one arm, which says for whom and within what; the client's
//! proof, the last look, binding, lifetime, signature and record are the same for all.

mod circumstances;
mod client_credentials;
mod entitlement;
mod sign;

pub use circumstances::Asked;
pub use sign::IssuedToken;

use std::sync::Arc;

use super::Grantd;
use super::authenticate_client::{AuthenticatedClient, StandingClient};
use super::caller::Caller;
use super::error::{OperationError, Outage};
use super::replay_cache::USE_OF_JTI;
use crate::domain::budget_fault::BudgetFault;
use crate::domain::check::Chain;
use crate::domain::client::GrantType;
use crate::domain::decision::{AskedScopes, Decision};
use crate::domain::grant_decision::{Grant, Offer, decide, why_refused};
use crate::domain::policy::Policy;
use crate::domain::presented::{Presented, PresentedProof};
use crate::domain::refusal::{GrantFault, TargetRefused};
use crate::domain::shown;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::domain::token_request::TokenRequest;
use crate::store::error::StoreError;
use crate::store::memory::look::{About, Look};
use circumstances::Circumstances;
use entitlement::Entitlement;
use sign::bind;

/// How long a request waits for a second to pass: a dead one, or the one before a key begins to sign.
const LONGEST_WAIT: Seconds = Seconds::new(2);
/// How often one request waits so: once for each of the two.
const MOST_WAITS: usize = 2;

/// What judging a token request comes to.
enum Judged {
    /// A token.
    Issued(IssuedToken),
    /// Nothing yet: a second must pass, and then all is judged anew.
    NotBefore(Timestamp),
}

impl Grantd {
    /// Issues a token to the client that `presented` proves, for what it `asked`.
    ///
    /// # Errors
    /// A refusal of STANDARDS A, or an outage.
    pub async fn issue_token(
        &self,
        presented: Presented,
        asked: Asked<'_>,
        caller: &Caller,
        decision: &mut Decision,
    ) -> Result<IssuedToken, OperationError> {
        decision.has_proof = !matches!(asked.proof, PresentedProof::Nothing);
        self.feed.check_fitness()?;
        let proven = self
            .authenticator
            .prove_client(presented, caller, decision)
            .await?;
        // Before the assertion is spent: a client that is asked for a nonce may send the same assertion again.
        let proof = self.proofs.accept(asked.proof, self.clocks.now())?;
        if let Some(proof) = &proof {
            decision.proof = Some(proof.once().life);
            decision.passed(Chain::DpopProof);
        }
        let client = self
            .authenticator
            .admit_client(proven, caller.source, decision)
            .await?;
        let proof = match proof {
            Some(proof) => {
                let spent = self.proofs.spend(proof);
                let fresh = decision.until_written(USE_OF_JTI, spent).await?;
                decision.passed(Chain::DpopFresh);
                Some(fresh)
            }
            None => None,
        };
        let circumstances = Circumstances {
            asked,
            caller,
            proof,
        };
        for _ in 0..=MOST_WAITS {
            let judge =
                |look: &Look<'_>| self.judge(&client, look, (&circumstances, &mut *decision));
            match self
                .memory
                .directory
                .at_last(client.id(), About::ItsPolicies, judge)
                .await??
            {
                Judged::Issued(token) => return Ok(token),
                Judged::NotBefore(instant) => self.clocks.ours().sleep_until(instant).await,
            }
        }
        Err(Outage::TokensNotBefore.into())
    }

    /// Decides on the latest state in memory, and signs. Not async, so nothing can change in between.
    fn judge(
        &self,
        client: &AuthenticatedClient,
        look: &Look<'_>,
        (circumstances, decision): (&Circumstances<'_>, &mut Decision),
    ) -> Result<Judged, OperationError> {
        self.feed.check_fitness()?;
        let now = self.clocks.now();
        let client = self.authenticator.standing(client, look)?;
        let entitlement = match circumstances.asked.grant {
            GrantType::ClientCredentials => client_credentials::entitle(client, circumstances)?,
        };
        decision.passed(Chain::Policy);
        let mut grant = self.decide_grant(&entitlement, look, (circumstances, decision))?;
        let mark = client.tokens_not_before(&grant.audience.id);
        if let Some(alive) = first_living_second(mark, now)? {
            return Ok(Judged::NotBefore(alive));
        }
        let longest = self.settings.tokens.max_lifetime;
        grant.lifetime = entitlement.lifetime(grant.lifetime, longest, now);
        let confirmation = bind(&client, &grant, circumstances)?;
        self.hold_to_profile(&grant, &confirmation)?;
        decision.passed(Chain::Binding);
        let ring = self.memory.keys.load_full().ok_or(StoreError::NotLoaded)?;
        let algorithm = grant.audience.algorithm;
        let key_time = self.clocks.key_time();
        match ring.signer(algorithm, key_time) {
            Some(signer) => {
                self.take_token(&entitlement)?;
                decision.passed(Chain::TokenBudget);
                let (token, jti) =
                    self.sign(&entitlement, (&grant, &confirmation), (signer, now))?;
                decision.issued(grant, confirmation, jti);
                Ok(Judged::Issued(token))
            }
            // A key that was just made begins to sign in a moment.
            None => match ring.next_activation(algorithm, key_time.now) {
                Some(activation) if activation <= key_time.now.plus(LONGEST_WAIT) => {
                    Ok(Judged::NotBefore(self.clocks.by_ours(activation)))
                }
                _ => Err(Outage::NoSigningKey(algorithm).into()),
            },
        }
    }

    fn take_token(&self, entitlement: &Entitlement<'_>) -> Result<(), BudgetFault> {
        let client = entitlement.actor.client();
        client
            .max_tokens_per_minute
            .map_or(Ok(()), |most| self.budgets.take_token(&client.id, most))
    }

    fn decide_grant(
        &self,
        entitlement: &Entitlement<'_>,
        look: &Look<'_>,
        (circumstances, decision): (&Circumstances<'_>, &mut Decision),
    ) -> Result<Grant, OperationError> {
        let Circumstances { asked, caller, .. } = circumstances;
        let request = TokenRequest::parse(asked.scope, asked.resources, asked.audience)?;
        let decided = decide(&offers(&entitlement.policies, look), &request);
        decision.scopes_asked = request.scopes.map(AskedScopes::new);
        let grant = decided.map_err(|fault| match (fault, request.target) {
            (GrantFault::TargetRefused { .. }, Some(target)) => {
                self.target_refused(&target, &entitlement.actor, caller)
            }
            (fault, _) => fault,
        })?;
        decision.audience = Some(grant.audience.id.clone());
        decision.passed(Chain::Grant);
        Ok(grant)
    }

    /// Why the client may not use `target`, as far as this replica can say without asking the database.
    fn target_refused(
        &self,
        target: &str,
        client: &StandingClient<'_>,
        caller: &Caller,
    ) -> GrantFault {
        let near = self.memory.directory.near_audience(target);
        let by_others = match near {
            Some(exact) if exact.as_str() == target => TargetRefused::NoPolicy,
            Some(near) => TargetRefused::NearOther(near),
            None => TargetRefused::Unknown,
        };
        let by_policies = why_refused(target, client.policies(), (caller.source, client.method()));
        let why = by_policies.unwrap_or(by_others);
        let shown = match &why {
            TargetRefused::Unknown => shown::unknown_url(target),
            _ => shown::plain(target),
        };
        GrantFault::TargetRefused { target: shown, why }
    }
}

/// Tokens issued up to and including `mark` are void. Returns the first second after it, or `None` if that has come.
fn first_living_second(mark: Timestamp, now: Timestamp) -> Result<Option<Timestamp>, Outage> {
    let alive = mark.plus(Seconds::new(1));
    if mark < now {
        Ok(None)
    } else if alive <= now.plus(LONGEST_WAIT) {
        Ok(Some(alive))
    } else {
        Err(Outage::TokensNotBefore)
    }
}

fn offers(policies: &[&Policy], look: &Look<'_>) -> Vec<Offer> {
    let offer = |policy: &&Policy| {
        let audience = look
            .audiences()
            .iter()
            .find(|it| it.id == policy.audience)?;
        Some(Offer {
            policy: (*policy).clone(),
            audience: Arc::clone(audience),
        })
    };
    policies.iter().filter_map(offer).collect()
}
