//! Whether a client gets what it asks for: policy as plain data, decided in one place.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::audience::Audience;
use super::client::{AuthMethod, Client, GrantType};
use super::identifier::AudienceId;
use super::policy::Policy;
use super::refusal::GrantFault;
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
        .filter(|policy| policy.holds(source, method))
        .collect();
    if holding.is_empty() {
        Err(GrantFault::NoPolicy)
    } else {
        Ok(holding)
    }
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
    let lifetime = offer
        .policy
        .token_lifetime
        .unwrap_or(offer.audience.token_lifetime)
        .min(offer.audience.max_token_lifetime);
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
            .ok_or(GrantFault::TargetRefused),
        (None, Some(scopes), _) => by_scopes(offers, scopes),
        (None, None, [only]) => Ok(only),
        (None, None, []) => Err(GrantFault::NoPolicy),
        (None, None, _) => Err(GrantFault::TargetAmbiguous),
    }
}

/// The one audience that the scopes belong to, RFC 9068 section 3.
fn by_scopes<'a>(offers: &'a [Offer], scopes: &ScopeSet) -> Result<&'a Offer, GrantFault> {
    let mut ambiguous = false;
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
            (Some(_), Some(_)) => ambiguous = true,
        }
    }
    if ambiguous {
        return Err(GrantFault::TargetAmbiguous);
    }
    let mut owners = owners.into_iter();
    match (owners.next(), owners.next()) {
        (Some(owner), None) => offers
            .iter()
            .find(|offer| &offer.audience.id == owner)
            .ok_or(GrantFault::TargetRefused),
        _ => Err(GrantFault::ScopesOfSeveralAudiences),
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
