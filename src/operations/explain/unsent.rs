//! A token request that nobody sent.

use serde_json::json;
use uuid::Uuid;

use super::stopped::behind;
use super::{Explained, ending};
use crate::domain::client::{AuthMethod, GrantType};
use crate::domain::decision::{ClaimedClient, Decision, Judged, Outcome};
use crate::domain::presented::PresentedProof;
use crate::domain::presented_exchange::ACCESS_TOKEN;
use crate::operations::Grantd;
use crate::operations::caller::Caller;
use crate::operations::error::OperationError;
use crate::operations::issue_token::{Asked, AskedGrant, Unsent, WouldIssue};
use crate::store::error::StoreError;

/// What an operator supposes of a request.
#[derive(Clone, Copy, Debug)]
pub struct Supposed<'a> {
    /// Its client, any text.
    pub client: &'a str,
    /// How the client proves itself.
    pub method: AuthMethod,
    /// Its `grant_type`, any text.
    pub grant: &'a str,
    /// Its `subject_token` or `assertion`, any text.
    pub subject_token: Option<&'a str>,
    /// Its `scope`.
    pub scope: Option<&'a str>,
    /// Its `audience`.
    pub audience: Option<&'a str>,
    /// Whether it brings a DPoP proof.
    pub brings_proof: bool,
}

/// What would come of the request, and what would be issued, if it came from `caller`.
///
/// # Errors
/// A database out of reach.
pub async fn explain_unsent(
    grantd: &Grantd,
    supposed: Supposed<'_>,
    caller: &Caller,
) -> Result<Explained, StoreError> {
    let at = grantd.clock().now();
    let mut decision = Decision::new(Uuid::nil(), "token", at, (caller.source, None));
    decision.client = Some(ClaimedClient::new(supposed.client));
    decision.method = Some(supposed.method);
    let (outcome, would) = match judge(grantd, supposed, caller, &mut decision).await {
        Ok(would) => (Outcome::Issued, Some(would)),
        Err(error) => (ending(error)?, None),
    };
    let mut explained = Explained::of_unsent(decision, outcome);
    let is_judged = |it: &Judged| it.passed == Some(false) || it.check.needs_no_sender();
    explained.checks.retain(is_judged);
    let of_tokens = ["holder", "jti"];
    explained
        .about
        .retain(|(name, _)| !of_tokens.contains(name));
    explained.about.push(("would_issue", json!(would)));
    explained.stopped = behind(grantd.store(), &explained, at).await?;
    Ok(explained)
}

async fn judge(
    grantd: &Grantd,
    supposed: Supposed<'_>,
    caller: &Caller,
    decision: &mut Decision,
) -> Result<WouldIssue, OperationError> {
    let named = GrantType::asked_for(supposed.grant)?;
    let parameter = |name| match name {
        "subject_token" | "assertion" => supposed.subject_token,
        "subject_token_type" => supposed.subject_token.map(|_| ACCESS_TOKEN),
        _ => None,
    };
    let grant = AskedGrant::read(named, parameter, decision)?;
    let unsent = Unsent {
        client: supposed.client,
        method: supposed.method,
        asked: Asked {
            grant,
            scope: supposed.scope,
            resources: &[],
            audience: supposed.audience,
            proof: PresentedProof::Nothing,
        },
        brings_proof: supposed.brings_proof,
    };
    grantd.judge_unsent(unsent, caller, decision).await
}
