//! Whether a client gets what it asks for: policy as plain data, decided in one place.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::audience::Audience;
use super::client::{AuthMethod, Client, GrantType};
use super::identifier::AudienceId;
use super::policy::{Circumstance, Obstacle, Policy, Unheld};
use super::refusal::{ExchangeFault, GrantFault, TargetRefused};
use super::scope::{Scope, ScopeSet};
use super::shown;
use super::timestamp::Seconds;
use super::token_request::TokenRequest;

/// So many scopes are compared with one that was refused.
const MOST_NEIGHBOURS: usize = 1000;

/// A policy of a client beside the audience that it is for.
#[derive(Clone, Debug)]
pub struct Offer {
    /// What the client may get.
    pub policy: Policy,
    /// Where.
    pub audience: Arc<Audience>,
    /// What the scopes must be among as well: those of a subject token.
    pub within: Option<ScopeSet>,
}

/// What a client gets.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The one audience.
    pub audience: Arc<Audience>,
    /// The scopes: within the requested and the permitted, never empty.
    pub scopes: ScopeSet,
    /// How long the token lives.
    pub lifetime: Seconds,
    /// The policy's extra claims.
    pub claims: Map<String, Value>,
}

/// The policies of `client` that hold for a request.
///
/// # Errors
/// A client without the grant, and a client for which no policy holds.
pub fn policies_that_hold<'a>(
    client: &Client,
    policies: &'a [Policy],
    circumstance: &Circumstance<'_>,
) -> Result<Vec<&'a Policy>, GrantFault> {
    let grant = circumstance.purpose.grant();
    if !client.grants.contains(&grant) {
        return Err(GrantFault::GrantNotRegistered(grant));
    }
    let holding: Vec<&Policy> = policies
        .iter()
        .filter(|policy| policy.obstacle(circumstance).is_none())
        .collect();
    if holding.is_empty() {
        let unheld = policies.iter().filter_map(|it| unheld(it, circumstance));
        Err(GrantFault::NoPolicy(unheld.collect()))
    } else {
        Ok(holding)
    }
}

/// That `client` may ask by `grant` from there at all, having authenticated so: else what the request brings need not be
/// looked at.
///
/// # Errors
/// A client without the grant, and a client of which no policy would hold, whatever the request brings.
pub fn check_may_ask(
    client: &Client,
    policies: &[Policy],
    (by, grant): ((IpAddr, AuthMethod), GrantType),
) -> Result<(), GrantFault> {
    if !client.grants.contains(&grant) {
        return Err(GrantFault::GrantNotRegistered(grant));
    }
    let mut obstacles = Vec::new();
    for policy in policies {
        match policy.obstacle_to_any(by, grant) {
            None => return Ok(()),
            Some(obstacle) => obstacles.push(unheld_for(policy, obstacle)),
        }
    }
    Err(GrantFault::NoPolicy(obstacles))
}

/// The reason for [`GrantFault::TargetRefused`], where it is one of the client's own policies: the one for `target`
/// that does not hold, or one that holds for an audience of almost that name.
#[must_use]
pub fn why_refused(
    target: &str,
    policies: &[Policy],
    circumstance: &Circumstance<'_>,
) -> Option<TargetRefused> {
    let unheld = |policy| unheld(policy, circumstance);
    if let Some(policy) = policies.iter().find(|it| it.audience.as_str() == target) {
        return unheld(policy).map(TargetRefused::Unheld);
    }
    policies
        .iter()
        .filter(|policy| policy.obstacle(circumstance).is_none())
        .take(MOST_NEIGHBOURS)
        .find(|policy| shown::is_neighbour(target, policy.audience.as_str()))
        .map(|policy| TargetRefused::NearOwn(policy.audience.clone()))
}

fn unheld(policy: &Policy, circumstance: &Circumstance<'_>) -> Option<Unheld> {
    let obstacle = policy.obstacle(circumstance)?;
    Some(unheld_for(policy, obstacle))
}

fn unheld_for(policy: &Policy, obstacle: Obstacle) -> Unheld {
    Unheld {
        audience: policy.audience.clone(),
        obstacle,
    }
}

/// Decides on `request` among the client's `offers`: no audience is guessed, no scope is left out silently.
///
/// # Errors
/// `invalid_target` and `invalid_scope` as DESIGN section 2 lists them.
pub fn decide(offers: &[Offer], request: &TokenRequest) -> Result<Grant, GrantFault> {
    let offer = choose(offers, request)?;
    let asked = match &request.scopes {
        Some(asked) => Cow::Borrowed(asked),
        None => default_scopes(offer)?,
    };
    let scopes = within_subject(within_policy(&asked, offer)?, offer)?;
    let lifetime = offer.audience.lifetime(offer.policy.token_lifetime);
    let claims = offer.policy.claims.clone();
    Ok(Grant {
        audience: Arc::clone(&offer.audience),
        scopes,
        lifetime,
        claims,
    })
}

/// What is granted where the request names no scope.
fn default_scopes(offer: &Offer) -> Result<Cow<'_, ScopeSet>, GrantFault> {
    let (default, audience) = (&offer.policy.default_scopes, &offer.audience.id);
    if default.is_empty() {
        return Err(GrantFault::NoDefaultScopes(audience.clone()));
    }
    let Some(within) = &offer.within else {
        return Ok(Cow::Borrowed(default));
    };
    let of_both = default.iter().filter(|it| within.contains(it)).cloned();
    let of_both: ScopeSet = of_both.collect();
    if of_both.is_empty() {
        return Err(ExchangeFault::NoScopeOfSubject(audience.clone()).into());
    }
    Ok(Cow::Owned(of_both))
}

fn choose<'a>(offers: &'a [Offer], request: &TokenRequest) -> Result<&'a Offer, GrantFault> {
    match (&request.target, &request.scopes, offers) {
        (Some(target), _, _) => offers
            .iter()
            .find(|offer| offer.audience.id.as_str() == target)
            .ok_or_else(|| target_refused(target)),
        (None, Some(scopes), _) => by_scopes(offers, scopes),
        (None, None, [only]) => Ok(only),
        (None, None, []) => Err(GrantFault::NoPolicy(Vec::new())),
        (None, None, _) => Err(ambiguous(offers)),
    }
}

/// The one audience that the scopes belong to, RFC 9068 section 3.
fn by_scopes<'a>(offers: &'a [Offer], scopes: &ScopeSet) -> Result<&'a Offer, GrantFault> {
    let mut is_ambiguous = false;
    let mut owners: BTreeSet<&AudienceId> = BTreeSet::new();
    for scope in scopes.iter() {
        let mut having = offers
            .iter()
            .filter(|offer| offer.audience.scopes.contains_key(scope));
        match (having.next(), having.next()) {
            (None, _) => return Err(GrantFault::ScopeUnknown(shown_scope(scope, offers))),
            (Some(one), None) => {
                owners.insert(&one.audience.id);
            }
            (Some(_), Some(_)) => is_ambiguous = true,
        }
    }
    if is_ambiguous {
        return Err(ambiguous(offers));
    }
    let is_owner = |offer: &&Offer| owners.contains(&offer.audience.id);
    match (owners.len(), offers.iter().find(is_owner)) {
        (1, Some(offer)) => Ok(offer),
        _ => Err(GrantFault::ScopesOfSeveralAudiences(
            owners.into_iter().cloned().collect(),
        )),
    }
}

fn ambiguous(offers: &[Offer]) -> GrantFault {
    GrantFault::TargetAmbiguous(offers.iter().map(|it| it.audience.id.clone()).collect())
}

fn target_refused(target: &str) -> GrantFault {
    GrantFault::TargetRefused {
        target: shown::unknown_url(target),
        why: TargetRefused::Unknown,
    }
}

fn within_policy(scopes: &ScopeSet, offer: &Offer) -> Result<ScopeSet, GrantFault> {
    let unknown = |scope: &&Scope| !offer.audience.scopes.contains_key(scope);
    let refused = scopes
        .first_outside(&offer.policy.scopes)
        .or_else(|| scopes.iter().find(unknown));
    match refused {
        None => Ok(scopes.clone()),
        Some(scope) => Err(GrantFault::ScopeOutsidePolicy {
            audience: offer.audience.id.clone(),
            scope: shown_scope(scope, std::slice::from_ref(offer)),
        }),
    }
}

fn within_subject(scopes: ScopeSet, offer: &Offer) -> Result<ScopeSet, GrantFault> {
    let outside = offer
        .within
        .as_ref()
        .and_then(|it| scopes.first_outside(it));
    match outside {
        None => Ok(scopes),
        Some(scope) => Err(ExchangeFault::ScopeOutsideSubject {
            audience: offer.audience.id.clone(),
            scope: shown_scope(scope, std::slice::from_ref(offer)),
        }
        .into()),
    }
}

/// A scope that was refused, for the log: somebody may have typed a secret there.
fn shown_scope(scope: &Scope, offers: &[Offer]) -> String {
    let known = offers.iter().flat_map(|offer| offer.audience.scopes.keys());
    shown::unknown(
        scope.as_str(),
        known.map(Scope::as_str).take(MOST_NEIGHBOURS),
    )
}

#[cfg(test)]
mod tests;
