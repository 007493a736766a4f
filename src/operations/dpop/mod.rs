//! DPoP at the token endpoint, RFC 9449 section 5: from the header of a request to a key that a token may be bound to.
//!
//! A proof passes through types: unverified, signed (by the key that it carries), accepted (for this request, at
//! this time), fresh (never used before). Only a fresh one gives a thumbprint to bind to.

mod claims;
mod nonce;
mod proof;

pub use claims::{Expected, check_claims};
pub use nonce::Nonces;
pub use proof::{AcceptedProof, FreshProof, judge_proof};

use std::sync::Arc;

use super::error::OperationError;
use super::replay_cache::ReplayCache;
use crate::config::settings::Settings;
use crate::crypto::sealing::SealingKeys;
use crate::domain::dpop_fault::DpopFault;
use crate::domain::presented::PresentedProof;
use crate::domain::profile::Profile;
use crate::domain::target_uri::TargetUri;
use crate::domain::timestamp::Timestamp;

/// Where the token endpoint is below the issuer.
pub(super) const TOKEN_PATH: &str = "/oauth2/token";

/// Judges the proofs of token requests.
#[derive(Debug)]
pub struct Proofs {
    profile: Profile,
    /// Where the token endpoint can be reached: what a client may write into `htu`.
    uris: Vec<TargetUri>,
    nonces: Nonces,
    replay_cache: Arc<ReplayCache>,
}

impl Proofs {
    /// For the token endpoint that the settings publish.
    #[must_use]
    pub fn new(settings: &Settings, sealing: &SealingKeys, replay_cache: Arc<ReplayCache>) -> Self {
        let issuer = settings.issuer.clone();
        // Assertions are for the issuer wherever they are sent (RFC 8705 section 5); proofs are for one of these.
        let uris = [
            Some(issuer.endpoint(TOKEN_PATH)),
            settings.mutual_endpoint(TOKEN_PATH),
        ];
        let uris = uris.iter().flatten();
        Self {
            profile: settings.profile,
            uris: uris.filter_map(|uri| TargetUri::parse(uri)).collect(),
            nonces: Nonces::new(issuer, sealing, settings.dpop.require_nonce),
            replay_cache,
        }
    }

    /// Checks the proof of a token request at `now`, if it has one, without spending its `jti`.
    ///
    /// # Errors
    /// A [`DpopFault`]; two of them name the nonce to use.
    pub(super) fn accept(
        &self,
        presented: PresentedProof<'_>,
        now: Timestamp,
    ) -> Result<Option<AcceptedProof>, DpopFault> {
        let text = match presented {
            PresentedProof::Nothing => return Ok(None),
            PresentedProof::Several => return Err(DpopFault::SeveralProofs),
            PresentedProof::One(text) => text,
        };
        let expected = Expected {
            method: "POST",
            uris: &self.uris,
            nonces: &self.nonces,
            now,
        };
        judge_proof(text, self.profile, &expected).map(Some)
    }

    /// Spends the `jti` of a proof, which must not have been used with this key at this URI before (RFC 9449 section
    /// 11.1).
    ///
    /// # Errors
    /// [`DpopFault::Replayed`] or [`DpopFault::MadeBeforeLoss`], or an outage: a proof whose use cannot be kept proves nothing.
    pub(super) async fn spend(
        &self,
        accepted: AcceptedProof,
    ) -> Result<FreshProof, OperationError> {
        let (thumbprint, uri) = (accepted.key().clone(), accepted.said().clone());
        let scope = [thumbprint.as_bytes(), uri.as_str().as_bytes()];
        Ok(accepted.spend(&self.replay_cache, &scope).await??)
    }

    /// The nonce that proofs must have from `now` on, if one is required.
    #[must_use]
    pub fn nonce(&self, now: Timestamp) -> Option<String> {
        self.nonces.demanded(now)
    }
}
