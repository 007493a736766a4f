//! DPoP at the token endpoint, RFC 9449 section 5: from the header of a request to a key that a token may be bound to.
//!
//! A proof passes through types: unverified, signed (by the key that it carries), accepted (for this request, at
//! this time), fresh (never used before). Only a fresh one gives a thumbprint to bind to.

mod claims;
mod nonce;
mod proof;

pub use claims::{Checked, Expected, check_claims};
pub use nonce::Nonces;
pub use proof::{AcceptedProof, FreshProof, judge_proof};

use super::Grantd;
use super::error::OperationError;
use super::replay_cache::Spending;
use crate::domain::dpop_fault::DpopFault;
use crate::domain::presented::PresentedProof;
use crate::domain::target_uri::TargetUri;
use crate::domain::timestamp::Timestamp;

/// The kind of a proof's `jti` among all that are spent.
const KIND: &str = "dpop";

impl Grantd {
    /// Looks at the proof of a token request at `now`; a request without one stays without. Nothing is spent.
    ///
    /// # Errors
    /// A [`DpopFault`]; two of them name the nonce to use.
    pub(super) fn accept_proof(
        &self,
        presented: PresentedProof<'_>,
        now: Timestamp,
    ) -> Result<Option<AcceptedProof>, DpopFault> {
        let text = match presented {
            PresentedProof::Nothing => return Ok(None),
            PresentedProof::Several => return Err(DpopFault::SeveralProofs),
            PresentedProof::One(text) => text,
        };
        let uris = self.token_endpoint_uris();
        let expected = Expected {
            method: "POST",
            uris: &uris,
            nonces: &self.dpop_nonces,
            now,
        };
        judge_proof(text, self.profile, &expected).map(Some)
    }

    /// Spends the `jti` of a proof: it was never used with this key at this URI before (RFC 9449 section 11.1).
    ///
    /// # Errors
    /// [`DpopFault::Replayed`] or [`DpopFault::MadeBeforeLoss`], or an outage: a proof whose use cannot be kept proves nothing.
    pub(super) async fn spend_proof(
        &self,
        accepted: AcceptedProof,
    ) -> Result<FreshProof, OperationError> {
        let scope = [
            accepted.thumbprint().as_bytes(),
            accepted.uri().as_str().as_bytes(),
        ];
        let spent = self
            .spend(Spending {
                kind: KIND,
                scope: &scope,
                jti: accepted.jti(),
                made_at: accepted.issued_at(),
                dead_at: accepted.dead_at(),
            })
            .await?;
        Ok(accepted.fresh(spent)?)
    }

    /// The nonce that proofs shall hold from now on, where one is demanded.
    #[must_use]
    pub fn dpop_nonce(&self) -> Option<String> {
        self.dpop_nonces.demanded(self.clock.now())
    }

    /// Where the token endpoint can be reached: what a client may write into `htu`.
    fn token_endpoint_uris(&self) -> Vec<TargetUri> {
        let uris = [
            Some(self.token_endpoint.as_str()),
            self.mutual_token_endpoint.as_deref(),
        ];
        uris.into_iter()
            .flatten()
            .filter_map(TargetUri::parse)
            .collect()
    }
}
