//! Allows a client scopes at an audience, and denies them: what was issued by a denied policy is dead within a second.

use std::collections::BTreeSet;

use super::apply_catalog::part::{Leaving, Part};
use super::apply_catalog::{ApplyOptions, Plan};
use super::change_error::{ChangeError, no_audience, no_client};
use crate::domain::audience::Audience;
use crate::domain::client::{Client, GrantType};
use crate::domain::glob::Glob;
use crate::domain::identifier::{AudienceId, ClientId, IssuerId};
use crate::domain::known_client::KnownClient;
use crate::domain::policy::{Exchange, Policy, SubjectSource};
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::shown;
use crate::store::Store;

/// What a client is to get in addition to what it may get already.
#[derive(Clone, Debug)]
pub struct Allowed {
    /// The client.
    pub client: ClientId,
    /// The audience.
    pub audience: AudienceId,
    /// The scopes; none: all that the audience has now.
    pub scopes: ScopeSet,
    /// Which of these are granted where a request names none.
    pub default_scopes: ScopeSet,
    /// The grants that the policy holds for; none: as before.
    pub grants: Vec<GrantType>,
    /// Which tokens may be exchanged for one of the audience as well; none: as before.
    pub exchange: Option<Exchange>,
    /// Whose tokens are grants for the audience; none: as before, and the subjects, too.
    pub issuer: Option<IssuerId>,
    /// Of whom these tokens may speak; none: of anybody.
    pub subjects: Vec<Glob>,
}

/// Allows it. A policy that was disabled holds again; what was issued before it was denied stays dead.
///
/// # Errors
/// No such client or audience, scopes that it does not have, what the profile forbids, or a database out of reach.
pub async fn allow_policy(
    store: &Store,
    allowed: &Allowed,
    options: ApplyOptions<'_>,
) -> Result<(Plan, Policy), ChangeError> {
    let Allowed {
        client, audience, ..
    } = allowed;
    let one = (std::slice::from_ref(client), std::slice::from_ref(audience));
    let mut part = Part::begin(store, one.0, one.1).await?;
    let Some(known) = part.client(client).cloned() else {
        drop(part);
        return Err(no_client(store, client).await);
    };
    let Some(at) = part.audience(audience) else {
        drop(part);
        return Err(no_audience(store, audience).await);
    };
    let policy = widened(policy_of(&known, audience), allowed, at);
    part.wish_client(known.client, vec![policy.clone()]);
    part.check_profile(options.profile)?;
    let plan = part
        .bring_about((Some("policy_allowed"), client.as_str()), options)
        .await?;
    Ok((plan, policy))
}

/// Denies `scopes`, or where none are given the whole policy; gives what is left of it.
///
/// # Errors
/// No such client, policy or scope in it, or a database out of reach.
pub async fn deny_policy(
    store: &Store,
    (client, audience): (&ClientId, &AudienceId),
    scopes: &ScopeSet,
    options: ApplyOptions<'_>,
) -> Result<(Plan, Option<Policy>), ChangeError> {
    let one = (std::slice::from_ref(client), std::slice::from_ref(audience));
    let mut part = Part::begin(store, one.0, one.1).await?;
    let Some(known) = part.client(client).cloned() else {
        drop(part);
        return Err(no_client(store, client).await);
    };
    let Some(policy) = policy_of(&known, audience) else {
        return Err(no_policy(&known, audience));
    };
    if let Some(other) = scopes.first_outside(&policy.scopes) {
        return Err(not_allowed(&known.client, policy, other));
    }
    let left = narrowed(policy, scopes);
    if let Some(policy) = &left {
        part.wish_client(known.client, vec![policy.clone()]);
        part.let_go(Leaving::TokensOf(client.clone(), audience.clone()));
    } else {
        part.let_go(Leaving::Policy(client.clone(), audience.clone()));
    }
    let plan = part
        .bring_about((Some("policy_denied"), client.as_str()), options)
        .await?;
    Ok((plan, left))
}

fn policy_of<'k>(known: &'k KnownClient, audience: &AudienceId) -> Option<&'k Policy> {
    known.policies.iter().find(|it| &it.audience == audience)
}

/// The policy that permits what `old` does and what is allowed now.
fn widened(old: Option<&Policy>, allowed: &Allowed, audience: &Audience) -> Policy {
    let old = old.map_or_else(|| Policy::bare(audience.id.clone()), Clone::clone);
    let all = || audience.scopes.keys().cloned().collect();
    let new = if allowed.scopes.is_empty() {
        all()
    } else {
        allowed.scopes.clone()
    };
    let both = |one: &ScopeSet, other: &ScopeSet| one.iter().chain(other.iter()).cloned().collect();
    Policy {
        scopes: both(&old.scopes, &new),
        default_scopes: both(&old.default_scopes, &allowed.default_scopes),
        grants: if allowed.grants.is_empty() {
            old.grants
        } else {
            allowed.grants.clone()
        },
        exchange: match (old.exchange, allowed.exchange.clone()) {
            (Some(old), Some(new)) => Some(exchange_beside(old, new)),
            (old, new) => new.or(old),
        },
        subjects: subjects_after((old.issuer.as_ref(), old.subjects), allowed),
        issuer: allowed.issuer.clone().or(old.issuer),
        enabled: true,
        ..old
    }
}

/// Tokens from further places may be exchanged. What bounds that stays, where nothing else is stated.
fn exchange_beside(old: Exchange, new: Exchange) -> Exchange {
    let both: BTreeSet<SubjectSource> = old.from.into_iter().chain(new.from).collect();
    Exchange {
        from: both.into_iter().collect(),
        subjects: if new.subjects.is_empty() {
            old.subjects
        } else {
            new.subjects
        },
        keep: if new.keep.is_empty() {
            old.keep
        } else {
            new.keep
        },
        lifetime: new.lifetime.or(old.lifetime),
        scopes_from_subject: old.scopes_from_subject || new.scopes_from_subject,
        rebind: old.rebind || new.rebind,
    }
}

/// Subjects are those of one issuer.
fn subjects_after((issuer, old): (Option<&IssuerId>, Vec<Glob>), allowed: &Allowed) -> Vec<Glob> {
    let is_same = allowed.issuer.is_none() || allowed.issuer.as_ref() == issuer;
    if is_same && allowed.subjects.is_empty() {
        old
    } else {
        allowed.subjects.clone()
    }
}

/// What is left of `policy` without `scopes`; nothing, where these are none or all.
fn narrowed(policy: &Policy, scopes: &ScopeSet) -> Option<Policy> {
    let without = |set: &ScopeSet| -> ScopeSet {
        let kept = set.iter().filter(|it| !scopes.contains(it));
        kept.cloned().collect()
    };
    let left = without(&policy.scopes);
    (!scopes.is_empty() && !left.is_empty()).then(|| Policy {
        default_scopes: without(&policy.default_scopes),
        scopes: left,
        ..policy.clone()
    })
}

fn no_policy(known: &KnownClient, audience: &AudienceId) -> ChangeError {
    let has: Vec<&str> = known
        .policies
        .iter()
        .map(|it| it.audience.as_str())
        .collect();
    ChangeError::NoPolicy {
        client: known.client.id.clone(),
        audience: audience.clone(),
        has: match has.join(", ") {
            none if none.is_empty() => "none at all".to_owned(),
            some => format!("one for {some}"),
        },
    }
}

fn not_allowed(client: &Client, policy: &Policy, scope: &Scope) -> ChangeError {
    ChangeError::NotAllowed {
        client: client.id.clone(),
        audience: policy.audience.clone(),
        scope: shown::unknown(scope.as_str(), policy.scopes.iter().map(Scope::as_str)),
        has: policy.scopes.to_string().replace(' ', ", "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy(scopes: &str, default: &str) -> Policy {
        Policy {
            scopes: set(scopes),
            default_scopes: set(default),
            ..Policy::bare(AudienceId::parse("api").unwrap())
        }
    }

    fn set(text: &str) -> ScopeSet {
        text.split_whitespace()
            .map(|it| Scope::parse(it).unwrap())
            .collect()
    }

    #[test]
    fn what_is_denied_goes_from_the_default_as_well_and_all_of_it_is_the_whole_policy() {
        let old = policy("a b c", "a b");
        assert_eq!(narrowed(&old, &set("b")), Some(policy("a c", "a")));
        assert_eq!(narrowed(&old, &set("a b c")), None);
        assert_eq!(narrowed(&old, &set("")), None);
    }

    #[test]
    fn what_is_allowed_comes_to_what_is_there_and_enables_it() {
        let audience: Audience =
            serde_json::from_value(json!({"id": "api", "scopes": ["a", "b"]})).unwrap();
        let allowed = |scopes, default| Allowed {
            client: ClientId::parse("c").unwrap(),
            audience: audience.id.clone(),
            scopes: set(scopes),
            default_scopes: set(default),
            grants: Vec::new(),
            exchange: None,
            issuer: None,
            subjects: Vec::new(),
        };
        let mut old = policy("a", "a");
        old.enabled = false;
        assert_eq!(
            widened(Some(&old), &allowed("b", ""), &audience),
            policy("a b", "a")
        );
        assert_eq!(
            widened(None, &allowed("", "b"), &audience),
            policy("a b", "b")
        );
        assert_eq!(widened(None, &allowed("b", ""), &audience), policy("b", ""));
    }
}
