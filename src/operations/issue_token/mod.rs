//! Issues an access token, as JWT of RFC 9068 or opaque. Each grant is one arm, which says for whom and within what; the client's
//! proof, the last look, binding, lifetime, signature and record are the same for all. A request that nobody sent is
//! judged by the same code, up to the signature.

mod binding;
mod circumstances;
mod client_credentials;
mod entitlement;
mod exchanged;
mod foreign_subject;
mod judge;
mod jwt_bearer;
mod maker;
mod sign;
mod token_exchange;
mod unsent;

pub use circumstances::{Asked, AskedGrant};
pub use sign::IssuedToken;
pub(super) use unsent::{Unsent, WouldIssue};

use super::Grantd;
use super::basis::{Proven, Shown};
use super::caller::Caller;
use super::error::OperationError;
use super::replay_cache::USE_OF_JTI;
use crate::domain::budget_fault::BudgetFault;
use crate::domain::check::Chain;
use crate::domain::decision::Decision;
use crate::domain::presented::{Presented, PresentedProof};
use crate::domain::refusal::GrantFault;
use circumstances::Circumstances;
use entitlement::Entitlement;
use judge::Ready;

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
        let read = self.read_brought(asked.grant, (&client, caller.source), decision);
        let (brought, unspent) = read.await?;
        if let Some(unspent) = unspent {
            let spent = self.authenticator.spend_foreign(unspent, decision).await?;
            spent.map_err(GrantFault::Assertion)?;
        }
        let circumstances = Circumstances {
            asked,
            source: caller.source,
            held: Shown {
                certificate: caller.certificate.as_ref(),
                proof: proof.as_ref(),
            },
            brought,
        };
        let issue = |ready: Ready<'_, Proven>, decision: &mut Decision| self.issue(ready, decision);
        self.decide_at_last(&client, &circumstances, decision, issue)
            .await
    }

    fn issue(
        &self,
        ready: Ready<'_, Proven>,
        decision: &mut Decision,
    ) -> Result<IssuedToken, OperationError> {
        self.take_token(&ready.entitlement)?;
        decision.passed(Chain::TokenBudget);
        let (token, jti) = self.sign(&ready)?;
        decision.issued(ready.grant, ready.confirmation, jti);
        Ok(token)
    }

    fn take_token(&self, entitlement: &Entitlement<'_, Proven>) -> Result<(), BudgetFault> {
        let client = entitlement.actor.client();
        client
            .max_tokens_per_minute
            .map_or(Ok(()), |most| self.budgets.take_token(&client.id, most))
    }
}
