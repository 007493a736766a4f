//! An assertion that is judged and not spent: by the code that judges it in a request, and beside that each claim by itself,
//! so that everything that is wrong with it is told.

use serde_json::{Map, Value};

use super::Authenticator;
use super::client_assertion::Assertion;
use crate::crypto::compact::CompactJws;
use crate::domain::check::Check;
use crate::domain::client::AuthMethod;
use crate::domain::client_assertion::{AssertionFault, claimed_client, judge_each, made_at};
use crate::domain::decision::Decision;
use crate::domain::foreign_token::{self, ForeignFault};
use crate::domain::jwt_claims::JudgedClaim;
use crate::domain::refusal::ClientFault;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::operations::error::OperationError;
use crate::operations::foreign_tokens::{ForeignToken, scope_of};
use crate::operations::replay_cache::{Spending, Spent};
use crate::operations::signed_once::Kind as _;
use crate::store::error::StoreError;

impl Authenticator {
    /// All of client authentication by an assertion but its last step, which spends it.
    ///
    /// # Errors
    /// What a request with this assertion would be refused for, or a database out of reach.
    pub(in super::super) async fn judge_assertion(
        &self,
        assertion: &str,
        decision: &mut Decision,
    ) -> Result<(), OperationError> {
        decision.method = Some(AuthMethod::PrivateKeyJwt);
        let proven = self.prove_by_assertion((None, assertion, false), decision);
        proven.await.map(drop)
    }

    /// Each check of the claims by itself, and whether the `jti` is spent. None where no claims can be read, or they are of
    /// no client.
    ///
    /// # Errors
    /// A database out of reach.
    pub(in super::super) async fn judge_claims(
        &self,
        assertion: &str,
    ) -> Result<Vec<JudgedClaim<ClientFault>>, StoreError> {
        let Ok(jws) = CompactJws::parse(assertion) else {
            return Ok(Vec::new());
        };
        if let Some(issuer) = self.foreign_tokens.claimed_issuer(&jws).await? {
            let judged = self.judge_foreign_claims(jws.claims(), &issuer).await?;
            return Ok(judged.into_iter().map(JudgedClaim::widened).collect());
        }
        let judged = self.judge_own_claims(jws.claims()).await?;
        Ok(judged.into_iter().map(JudgedClaim::widened).collect())
    }

    async fn judge_foreign_claims(
        &self,
        claims: &Map<String, Value>,
        issuer: &TrustedIssuer,
    ) -> Result<Vec<JudgedClaim<ForeignFault>>, StoreError> {
        let (rules, now) = (self.foreign_tokens.rules(issuer), self.clocks.now());
        let mut judged = foreign_token::judge_each(claims, &rules, now);
        let Ok(Some(once)) = foreign_token::accept(claims, &rules, now) else {
            return Ok(judged);
        };
        let spending = Spending {
            kind: ForeignToken::NAME,
            scope: &scope_of(&issuer.url),
            jti: &once.jti,
            made_at: once.life.made_at,
            dead_at: now,
        };
        judged.extend(of_use(
            self.replay_cache.look(spending).await?,
            (Check::ForeignOnce, ForeignFault::Replayed),
            (Check::ForeignSinceLoss, ForeignFault::MadeBeforeLoss),
        ));
        Ok(judged)
    }

    async fn judge_own_claims(
        &self,
        claims: &Map<String, Value>,
    ) -> Result<Vec<JudgedClaim<AssertionFault>>, StoreError> {
        let claimed = claimed_client(claims).unwrap_or_default();
        let Some(known) = self.find_client(claimed).await? else {
            return Ok(Vec::new());
        };
        let (rules, now) = (self.assertion_rules(&known), self.clocks.now());
        let mut judged = judge_each(claims, &rules, now);
        let jti = judged.iter().find(|it| it.check == Check::AssertionJti);
        if !jti.is_some_and(|it| matches!(it.result, Some(Ok(_)))) {
            return Ok(judged);
        }
        let spending = Spending {
            kind: Assertion::NAME,
            scope: &[known.client.id.as_str().as_bytes()],
            jti: claims
                .get("jti")
                .and_then(Value::as_str)
                .unwrap_or_default(),
            made_at: made_at(claims, &rules).unwrap_or(now),
            dead_at: now,
        };
        judged.extend(of_use(
            self.replay_cache.look(spending).await?,
            (Check::AssertionOnce, AssertionFault::Replayed),
            (Check::AssertionSinceLoss, AssertionFault::MadeBeforeLoss),
        ));
        Ok(judged)
    }
}

fn of_use<F>(
    spent: Spent,
    (once, replayed): (Check, F),
    (since_loss, made_before): (Check, F),
) -> [JudgedClaim<F>; 2] {
    let fresh = |is_so: bool, found: &str, fault| {
        Some(if is_so {
            Ok(found.to_owned())
        } else {
            Err(fault)
        })
    };
    [
        JudgedClaim {
            check: once,
            result: fresh(spent != Spent::Replay, "not used yet", replayed),
        },
        JudgedClaim {
            check: since_loss,
            result: fresh(spent != Spent::Forgotten, "made since then", made_before),
        },
    ]
}
