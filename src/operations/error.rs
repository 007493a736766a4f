//! An operation ends in a refusal, which is the client's fault, or in an outage, which is ours.

use crate::crypto::hashing_pool::HashingError;
use crate::domain::dpop_fault::DpopFault;
use crate::domain::refusal::{ClientFault, GrantFault, Refusal, RequestFault};
use crate::store::error::StoreError;

/// Why an operation gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The client asked for what it cannot have.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// grantd cannot answer now; the same request may succeed later.
    #[error(transparent)]
    Unavailable(#[from] Outage),
}

/// Why grantd cannot answer now.
#[derive(Debug, thiserror::Error)]
pub enum Outage {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many secrets wait to be hashed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// No key of the audience's algorithm may sign now.
    #[error(
        "no signing key for {0} is active; `grantd apply` makes one, and the sealing key must be the one it was sealed with"
    )]
    NoSigningKey(crate::domain::algorithm::SigningAlgorithm),
    /// The audience's algorithm came after the replica had started, and its profile has no such tokens.
    #[error(
        "the profile forbids {0}; give the audience another algorithm with `grantd apply`, under this server's settings"
    )]
    ForbiddenAlgorithm(crate::domain::algorithm::SigningAlgorithm),
    /// Our clock and the database's are too far apart.
    #[error(
        "{0}: nothing is issued or introspected until they are within a minute; set both by NTP"
    )]
    ClocksApart(super::clocks::Apart),
    /// The signature itself failed.
    #[error("signing failed")]
    Signing,
    /// Tokens of this client stay dead for longer than a request may wait.
    #[error("tokens of this client are dead until a second that lies too far ahead")]
    TokensNotBefore,
    /// The replay cache could not be written.
    #[error("the use of a jti could not be written")]
    ReplayCache,
    /// Too many uses of a `jti` wait to be written.
    #[error("too many uses of a jti wait to be written")]
    ReplayQueueFull,
    /// Too many revocations wait to be written.
    #[error("too many revocations wait to be written")]
    RevocationsQueueFull,
    /// The task that does the work has ended.
    #[error("shutting down")]
    Ended,
}

impl From<StoreError> for OperationError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<HashingError> for OperationError {
    fn from(error: HashingError) -> Self {
        Self::Unavailable(error.into())
    }
}

macro_rules! refusals {
    ($($fault:ty),+) => {$(
        impl From<$fault> for OperationError {
            fn from(fault: $fault) -> Self {
                Self::Refused(fault.into())
            }
        }
    )+};
}

refusals!(RequestFault, ClientFault, DpopFault, GrantFault);

impl From<Refusal> for OperationError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<crate::domain::client_assertion::AssertionFault> for OperationError {
    fn from(fault: crate::domain::client_assertion::AssertionFault) -> Self {
        ClientFault::from(fault).into()
    }
}
