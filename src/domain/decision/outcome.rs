//! How a request ended.

use crate::domain::check::Finding;
use crate::domain::refusal::Refusal;

/// How a request ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A token was issued.
    Issued,
    /// The token that was shown is active.
    Active,
    /// It is not.
    Inactive,
    /// The token is revoked, or was nothing that could be.
    Revoked,
    /// The fault is the client's.
    Refused(Refusal),
    /// The fault is ours; a sentence for the operator.
    Unavailable(String),
}

impl Outcome {
    /// `issued`, `active`, `inactive`, `revoked`, or the error code of the answer.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Revoked => "revoked",
            Self::Refused(refusal) => refusal.explain().error.as_str(),
            Self::Unavailable(_) => "temporarily_unavailable",
        }
    }

    /// The check that failed, and what to do about it.
    #[must_use]
    pub fn finding(&self) -> Option<Finding<'_>> {
        match self {
            Self::Refused(refusal) => Some(refusal.explain().finding),
            _ => None,
        }
    }
}
