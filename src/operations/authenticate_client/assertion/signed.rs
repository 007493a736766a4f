//! An assertion that a registered key of the client signed; what it says is still to be judged.

use super::accepted::AcceptedAssertion;
use crate::crypto::compact::CompactJws;
use crate::domain::client_assertion::{AssertionFault, AssertionRules, accept};
use crate::domain::identifier::CredentialId;
use crate::domain::timestamp::Timestamp;

/// A signed assertion, and the credential whose key signed it.
pub(super) struct SignedAssertion {
    jws: CompactJws,
    credential: CredentialId,
}

impl SignedAssertion {
    pub(super) fn new(jws: CompactJws, credential: CredentialId) -> Self {
        Self { jws, credential }
    }

    /// Judges the claims.
    pub(super) fn accept(
        self,
        rules: &AssertionRules<'_>,
        now: Timestamp,
    ) -> Result<AcceptedAssertion, AssertionFault> {
        let claims = accept(self.jws.claims(), rules, now)?;
        Ok(AcceptedAssertion::new(claims, self.credential))
    }
}
