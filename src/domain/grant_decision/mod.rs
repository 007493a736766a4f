//! Whether a client gets what it asks for: policy as plain data, decided in one place.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::audience::Audience;
use super::client::{AuthMethod, Client, GrantType};
use super::identifier::AudienceId;
use super::policy::{Policy, Unheld};
use super::refusal::{GrantFault, TargetRefused};
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

/// The policies of `client` that hold for a request from `source` by `method`.
///
/// # Errors
/// A client without the grant, and a client for which no policy holds.
pub fn policies_that_hold<'a>(
    client: &Client,
    policies: &'a [Policy],
    grant: GrantType,
    (source, method): (IpAddr, AuthMethod),
) -> Result<Vec<&'a Policy>, GrantFault> {
    if !client.grants.contains(&grant) {
        return Err(GrantFault::GrantNotRegistered(grant));
    }
    let holding: Vec<&Policy> = policies
        .iter()
        .filter(|policy| policy.obstacle(source, method).is_none())
        .collect();
    if holding.is_empty() {
        let unheld = policies.iter().filter_map(|it| unheld(it, source, method));
        Err(GrantFault::NoPolicy(unheld.collect()))
    } else {
        Ok(holding)
    }
}

/// The reason for [`GrantFault::TargetRefused`], where it is one of the client's own policies: the one for `target`
/// that does not hold, or one that holds for an audience of almost that name.
#[must_use]
pub fn why_refused(
    target: &str,
    policies: &[Policy],
    (source, method): (IpAddr, AuthMethod),
) -> Option<TargetRefused> {
    let unheld = |policy| unheld(policy, source, method);
    if let Some(policy) = policies.iter().find(|it| it.audience.as_str() == target) {
        return unheld(policy).map(TargetRefused::Unheld);
    }
    policies
        .iter()
        .filter(|policy| policy.obstacle(source, method).is_none())
        .take(MOST_NEIGHBOURS)
        .find(|policy| shown::is_neighbour(target, policy.audience.as_str()))
        .map(|policy| TargetRefused::NearOwn(policy.audience.clone()))
}

fn unheld(policy: &Policy, source: IpAddr, method: AuthMethod) -> Option<Unheld> {
    let obstacle = policy.obstacle(source, method)?;
    Some(Unheld {
        audience: policy.audience.clone(),
        obstacle,
    })
}

/// Decides on `request` among the client's `offers`: no audience is guessed, no scope is left out silently.
///
/// # Errors
/// `invalid_target` and `invalid_scope` as DESIGN section 2 lists them.
pub fn decide(offers: &[Offer], request: &TokenRequest) -> Result<Grant, GrantFault> {
    let offer = choose(offers, request)?;
    let asked = match &request.scopes {
        Some(scopes) => scopes,
        None if offer.policy.default_scopes.is_empty() => {
            return Err(GrantFault::NoDefaultScopes(offer.audience.id.clone()));
        }
        None => &offer.policy.default_scopes,
    };
    let scopes = within_policy(asked, offer)?;
    let lifetime = offer.audience.lifetime(offer.policy.token_lifetime);
    let claims = offer.policy.claims.clone();
    Ok(Grant {
        audience: Arc::clone(&offer.audience),
        scopes,
        lifetime,
        claims,
    })
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
