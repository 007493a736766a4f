//! A client assertion, whoever has it: what a request with it would come to, and each claim by itself.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use serde_json::{Value, json};
use uuid::Uuid;

use super::identities::compare;
use super::stopped::behind;
use super::{Explained, ending};
use crate::crypto::compact::CompactJws;
use crate::domain::check::{Chain, Check};
use crate::domain::client_assertion::issued_at;
use crate::domain::decision::{Decision, Judged, Outcome};
use crate::domain::jwt_claims::JudgedClaim;
use crate::domain::refusal::{ClientFault, Refusal};
use crate::domain::shown::{plain, unknown, unknown_or_none};
use crate::domain::timestamp::Timestamp;
use crate::operations::Grantd;
use crate::store::error::StoreError;

/// What an assertion is that would prove its client.
const ACCEPTED: &str = "accepted";

/// What a request with this assertion would come to. Its `jti` is not spent, and whether it is spent already is told.
///
/// # Errors
/// A database out of reach.
pub async fn explain_assertion(grantd: &Grantd, assertion: &str) -> Result<Explained, StoreError> {
    let at = grantd.clock().now();
    let from = (Ipv4Addr::LOCALHOST.into(), None);
    let mut decision = Decision::new(Uuid::nil(), "token", at, from);
    let authenticator = &grantd.authenticator;
    let judged = authenticator
        .judge_assertion(assertion, &mut decision)
        .await;
    let claims = authenticator.judge_claims(assertion).await?;
    let is_accepted = judged.is_ok();
    let outcome = match judged {
        Ok(()) => ends_by_its_use(&claims).map_or(Outcome::Issued, refused),
        Err(error) => ending(error)?,
    };
    if is_accepted && matches!(outcome, Outcome::Issued) {
        decision.passed(match decision.issuer {
            Some(_) => Chain::ForeignFresh,
            None => Chain::AssertionFresh,
        });
    }
    let mut explained = Explained::of_unsent(decision, outcome);
    if explained.is_granted() {
        ACCEPTED.clone_into(&mut explained.outcome);
    }
    explained.checks.retain(|it| is_of_assertions(it.check));
    overlay(&mut explained, claims);
    explained.about = about(&explained, assertion, at);
    explained.identities = compare(grantd, assertion, at).await?;
    explained.stopped = behind(grantd.store(), &explained, at).await?;
    Ok(explained)
}

/// All that is right with an assertion is worth nothing where it was used.
fn ends_by_its_use(claims: &[JudgedClaim<ClientFault>]) -> Option<ClientFault> {
    let of_use = claims.iter().filter(|it| {
        matches!(
            it.check.chain(),
            Chain::AssertionFresh | Chain::ForeignFresh
        )
    });
    let mut faults = of_use.filter_map(|it| it.result.clone()?.err());
    faults.next()
}

fn refused(fault: ClientFault) -> Outcome {
    Outcome::Refused(Refusal::Client(fault))
}

fn is_of_assertions(check: Check) -> bool {
    matches!(
        check.chain(),
        Chain::AssertionForm
            | Chain::Client
            | Chain::AssertionKey
            | Chain::AssertionClaims
            | Chain::Standing
            | Chain::AssertionFresh
            | Chain::ForeignToken
            | Chain::ForeignClaims
            | Chain::Identity
            | Chain::ForeignFresh
    )
}

/// A request ends with the first check that fails; here every claim is told, and what to do about each.
fn overlay(explained: &mut Explained, claims: Vec<JudgedClaim<ClientFault>>) {
    let mut remedies: Vec<String> = explained.remedy.take().into_iter().collect();
    for claim in claims {
        let (passed, found) = match claim.result {
            None => continue,
            Some(Ok(found)) => (true, found),
            Some(Err(fault)) => {
                let refusal = Refusal::Client(fault);
                let finding = refusal.explain().finding;
                remedies.extend(finding.remedy.map(Cow::into_owned));
                (false, finding.found.into_owned())
            }
        };
        let judged = Judged {
            check: claim.check,
            found: Some(found),
            passed: Some(passed),
        };
        let known = explained
            .checks
            .iter_mut()
            .find(|it| it.check == claim.check);
        match known {
            Some(known) => *known = judged,
            None => explained.checks.push(judged),
        }
    }
    explained.checks.sort_by_key(|it| it.check);
    let mut told = Vec::new();
    for remedy in remedies {
        if !told.contains(&remedy) {
            told.push(remedy);
        }
    }
    explained.remedy = (!told.is_empty()).then(|| told.join("; "));
}

/// What is known of it; the skew is that of its `iat`, in seconds: negative where it is behind the clock of the servers.
fn about(explained: &Explained, assertion: &str, now: Timestamp) -> Vec<(&'static str, Value)> {
    let jws = CompactJws::parse(assertion).ok();
    let claims = jws.as_ref().map(CompactJws::claims);
    let issued_at = claims.and_then(issued_at);
    let skew = issued_at.map(|at| at.unix().saturating_sub(now.unix()));
    let jti = claims.and_then(|it| it.get("jti")?.as_str());
    let credential = explained.text("credential");
    let kid = |jws: &CompactJws| match (jws.kid(), credential) {
        (Some(kid), Some(_)) => plain(kid),
        (kid, _) => unknown_or_none(kid, []),
    };
    vec![
        ("client", json!(explained.text("client"))),
        ("issuer", json!(explained.text("issuer"))),
        ("credential", json!(credential)),
        ("kid", json!(jws.as_ref().map(kid))),
        ("alg", json!(jws.as_ref().map(|it| unknown(it.alg(), [])))),
        ("jti", json!(jti.map(|it| unknown(it, [])))),
        ("issued_at", json!(issued_at)),
        ("now", json!(now)),
        ("skew_seconds", json!(skew)),
    ]
}
