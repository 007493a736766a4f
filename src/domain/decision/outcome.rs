//! How a request ended.

use crate::domain::certificate_fault::CertificateFault;
use crate::domain::check::Finding;
use crate::domain::client_assertion::AssertionFault;
use crate::domain::identifier::CredentialId;
use crate::domain::refusal::{ClientFault, Refusal};
use crate::domain::token_fault::TokenFault;

/// How a request ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A token was issued.
    Issued,
    /// The token that was shown is active.
    Active,
    /// It is not, and why.
    Inactive(TokenFault),
    /// The token is revoked, or there was nothing to revoke, and why.
    Revoked(Option<TokenFault>),
    /// The fault is the client's.
    Refused(Refusal),
    /// The fault is ours; a sentence for the operator.
    Unavailable(String),
    /// The client hung up before its answer, or the server stopped and waited no longer.
    Abandoned,
    /// It was judged, and something else was answered: a fault that a test of `grantd dev` asked for, its only maker.
    Spoiled(Box<Self>),
}

impl Outcome {
    /// `issued`, `active`, `inactive`, `revoked`, `abandoned`, `fault`, or the error code of the answer.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Active => "active",
            Self::Inactive(_) => "inactive",
            Self::Revoked(_) => "revoked",
            Self::Refused(refusal) => refusal.explain().error.as_str(),
            Self::Unavailable(_) => "temporarily_unavailable",
            Self::Abandoned => "abandoned",
            Self::Spoiled(_) => "fault",
        }
    }

    /// The check that failed, and what to do about it.
    #[must_use]
    pub fn finding(&self) -> Option<Finding<'_>> {
        match self {
            Self::Refused(refusal) => Some(refusal.explain().finding),
            Self::Inactive(fault) | Self::Revoked(Some(fault)) => Some(fault.explain()),
            Self::Spoiled(judged) => judged.finding(),
            Self::Issued
            | Self::Active
            | Self::Revoked(None)
            | Self::Unavailable(_)
            | Self::Abandoned => None,
        }
    }

    /// The credential that was right and does not count.
    #[must_use]
    pub const fn dead_credential(&self) -> Option<&CredentialId> {
        let Self::Refused(Refusal::Client(fault)) = self else {
            return None;
        };
        match fault {
            ClientFault::SecretNotYetActive(id)
            | ClientFault::SecretRetired(id)
            | ClientFault::SecretExpired(id)
            | ClientFault::Assertion(AssertionFault::DeadKey(id, _))
            | ClientFault::DeadIdentity(id, _)
            | ClientFault::Certificate(CertificateFault::NotLive(id, _)) => Some(id),
            _ => None,
        }
    }
}
