//! Decides on a token request, at the last look: what is granted, bound to what, and who signs. What is made of it then,
//! a token or a view of one, is the caller's.

use std::sync::Arc;

use super::binding::bind;
use super::circumstances::{Brought, Circumstances};
use super::client_credentials;
use super::entitlement::Entitlement;
use super::jwt_bearer;
use super::maker::Maker;
use super::token_exchange;
use crate::crypto::jws::Signer;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::audience::{Audience, TokenFormat};
use crate::domain::check::Chain;
use crate::domain::confirmation::Confirmation;
use crate::domain::decision::{AskedScopes, Decision};
use crate::domain::grant_decision::{Grant, Offer, decide, why_refused};
use crate::domain::kept_claims::KeptClaims;
use crate::domain::policy::Policy;
use crate::domain::refusal::{GrantFault, TargetRefused};
use crate::domain::shown;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::domain::token_request::TokenRequest;
use crate::operations::Grantd;
use crate::operations::authenticate_client::IdentifiedClient;
use crate::operations::basis::Basis;
use crate::operations::error::{OperationError, Outage};
use crate::operations::key_ring::KeyRing;
use crate::store::error::StoreError;
use crate::store::memory::look::{About, Look};

/// How long a request waits for a second to pass: a dead one, or the one before a key begins to sign.
const LONGEST_WAIT: Seconds = Seconds::new(2);
/// How often one request waits so: once for each of the two.
const MOST_WAITS: usize = 2;

/// All that a token is made of. It lives no longer than the last look.
#[derive(Debug)]
pub(super) struct Ready<'l, B: Basis> {
    pub(super) entitlement: Entitlement<'l, B>,
    pub(super) grant: Grant,
    pub(super) kept: Option<KeptClaims>,
    pub(super) confirmation: Confirmation,
    pub(super) maker: Maker<'l>,
    pub(super) now: Timestamp,
}

/// What judging a token request comes to.
enum Judged<T> {
    /// What was made of it.
    Given(T),
    /// Nothing yet: a second must pass, and then all is judged anew.
    NotBefore(Timestamp),
}

impl Grantd {
    /// Judges the request once nothing of what it is judged by changes any more, and lets `give` make something of what it
    /// comes to.
    ///
    /// # Errors
    /// A refusal of STANDARDS A, an outage, or what `give` finds.
    pub(super) async fn decide_at_last<B: Basis, T>(
        &self,
        client: &IdentifiedClient<B>,
        circumstances: &Circumstances<'_, B>,
        decision: &mut Decision,
        give: impl Fn(Ready<'_, B>, &mut Decision) -> Result<T, OperationError>,
    ) -> Result<T, OperationError> {
        let tokens = circumstances.brought.named();
        let about = About::ItsPoliciesAnd(&tokens);
        for _ in 0..=MOST_WAITS {
            let judge =
                |look: &Look<'_>| self.judge(client, look, (circumstances, &mut *decision), &give);
            match self
                .memory
                .directory
                .at_last(client.id(), about, judge)
                .await??
            {
                Judged::Given(given) => return Ok(given),
                Judged::NotBefore(instant) => self.clocks.ours().sleep_until(instant).await,
            }
        }
        Err(Outage::TokensNotBefore.into())
    }

    /// Decides on the latest state in memory, and gives. Not async, so nothing can change in between.
    fn judge<B: Basis, T>(
        &self,
        client: &IdentifiedClient<B>,
        look: &Look<'_>,
        (circumstances, decision): (&Circumstances<'_, B>, &mut Decision),
        give: impl Fn(Ready<'_, B>, &mut Decision) -> Result<T, OperationError>,
    ) -> Result<Judged<T>, OperationError> {
        self.feed.check_fitness()?;
        let now = self.clocks.now();
        let client = self.authenticator.standing(client, look)?;
        let entitlement = match &circumstances.brought {
            Brought::Nothing => client_credentials::entitle(client, circumstances)?,
            Brought::Exchanged(exchanged) => {
                let at = (look, &**exchanged, circumstances);
                token_exchange::entitle(self, client, at, decision)?
            }
            Brought::Asserted(subject) => {
                jwt_bearer::entitle(self, client, (look, subject, circumstances))?
            }
        };
        decision.passed(Chain::Policy);
        let mut grant = self.decide_grant(&entitlement, look, (circumstances, decision))?;
        let kept = entitlement.kept(&grant)?;
        if kept.is_some() {
            decision.passed(Chain::Kept);
        }
        let mark = entitlement.tokens_not_before(&grant.audience.id);
        if let Some(alive) = first_living_second(mark, now)? {
            return Ok(Judged::NotBefore(alive));
        }
        let longest = self.settings.tokens.max_lifetime;
        grant.lifetime = entitlement.lifetime(grant.lifetime, longest, now);
        let confirmation = bind(&entitlement, &grant, circumstances)?;
        self.hold_to_profile(&grant, &confirmation)?;
        decision.passed(Chain::Binding);
        let ring = self.memory.keys.load_full().ok_or(StoreError::NotLoaded)?;
        match self.maker(&ring, &grant.audience)? {
            Judged::Given(maker) => {
                let ready = Ready {
                    entitlement,
                    grant,
                    kept,
                    confirmation,
                    maker,
                    now,
                };
                give(ready, decision).map(Judged::Given)
            }
            Judged::NotBefore(instant) => Ok(Judged::NotBefore(instant)),
        }
    }

    /// What makes the tokens of `audience` now.
    fn maker<'l>(
        &'l self,
        ring: &'l KeyRing,
        audience: &Audience,
    ) -> Result<Judged<Maker<'l>>, Outage> {
        if audience.format == TokenFormat::Opaque {
            return Ok(Judged::Given(Maker::Sealer(&self.opaque_tokens)));
        }
        let algorithm = audience.algorithm;
        let key_time = self.clocks.key_time();
        match ring.signer(algorithm, key_time) {
            Some(signer) => Ok(Judged::Given(Maker::Signer(signer))),
            None => match self.activation(ring, algorithm) {
                Some(activation) => Ok(Judged::NotBefore(activation)),
                None => Err(Outage::NoSigningKey(algorithm)),
            },
        }
    }

    /// When a key of `algorithm` that was just made begins to sign, by our clock, where that is in a moment.
    fn activation(&self, ring: &KeyRing, algorithm: SigningAlgorithm) -> Option<Timestamp> {
        let now = self.clocks.key_time().now;
        let activation = ring.next_activation(algorithm, now);
        let soon = activation.filter(|it| *it <= now.plus(LONGEST_WAIT));
        soon.map(|it| self.clocks.by_ours(it))
    }

    /// The key that signs with `algorithm`, now or in a moment.
    pub(in crate::operations) async fn awaited_signer(
        &self,
        algorithm: SigningAlgorithm,
    ) -> Option<Arc<Signer>> {
        if let Some(signer) = self.signer(algorithm) {
            return Some(signer);
        }
        let activation = self.activation(&*self.keys()?, algorithm)?;
        self.clocks.ours().sleep_until(activation).await;
        self.signer(algorithm)
    }

    fn decide_grant<B: Basis>(
        &self,
        entitlement: &Entitlement<'_, B>,
        look: &Look<'_>,
        (circumstances, decision): (&Circumstances<'_, B>, &mut Decision),
    ) -> Result<Grant, OperationError> {
        let asked = &circumstances.asked;
        let request = TokenRequest::parse(asked.scope, asked.resources, asked.audience)?;
        let decided = decide(&offers(entitlement, look), &request);
        decision.scopes_asked = request.scopes.map(AskedScopes::new);
        let grant = decided.map_err(|fault| match (fault, request.target) {
            (GrantFault::TargetRefused { .. }, Some(target)) => {
                self.target_refused(&target, entitlement, circumstances)
            }
            (fault, _) => fault,
        })?;
        decision.audience = Some(grant.audience.id.clone());
        decision.passed(Chain::Grant);
        Ok(grant)
    }

    /// Why the client may not use `target`, as far as this replica can say without asking the database.
    fn target_refused<B: Basis>(
        &self,
        target: &str,
        entitlement: &Entitlement<'_, B>,
        circumstances: &Circumstances<'_, B>,
    ) -> GrantFault {
        let near = self.memory.directory.near_audience(target);
        let by_others = match near {
            Some(exact) if exact.as_str() == target => TargetRefused::NoPolicy,
            Some(near) => TargetRefused::NearOther(near),
            None => TargetRefused::Unknown,
        };
        let client = &entitlement.actor;
        let held_against = circumstances.of(client, entitlement.purpose);
        let why = why_refused(target, client.policies(), &held_against).unwrap_or(by_others);
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

fn offers<B: Basis>(entitlement: &Entitlement<'_, B>, look: &Look<'_>) -> Vec<Offer> {
    let offer = |policy: &&Policy| {
        let audience = look.audience(&policy.audience)?;
        Some(entitlement.offer(policy, audience))
    };
    entitlement.policies.iter().filter_map(offer).collect()
}
