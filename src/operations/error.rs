//! The two ways in which an operation fails: a refusal is the client's fault, an outage is ours.

use std::sync::Arc;
use std::time::Duration;

use crate::crypto::hashing_pool::HashingError;
use crate::domain::budget_fault::BudgetFault;
use crate::domain::dpop_fault::DpopFault;
use crate::domain::foreign_token::ForeignFault;
use crate::domain::refusal::{ClientFault, ExchangeFault, GrantFault, Refusal, RequestFault};
use crate::store::error::StoreError;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The client may not have what it asked for.
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
    /// The keys of somebody else cannot be fetched, so nobody can tell whether he signed: whose, and why.
    #[error("the keys of {0} could not be fetched: {1}")]
    KeySource(String, String),
    /// No key with the audience's algorithm is active.
    #[error(
        "no signing key for {0} is active; `grantd apply` makes one, and the sealing key must be the one it was sealed with"
    )]
    NoSigningKey(crate::domain::algorithm::SigningAlgorithm),
    /// The audience got an algorithm that the profile forbids after this replica had started.
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
    /// The client's tokens are not valid before a second that is further ahead than a request may wait.
    #[error("tokens of this client are revoked up to a time too far ahead")]
    TokensNotBefore,
    /// Something that must be stored before the answer was not.
    #[error("{what} could not be written: {why}")]
    NotWritten {
        /// What was being written: `the use of a jti` or `the revocation`.
        what: &'static str,
        /// Why.
        why: Unwritten,
    },
}

/// Why an item was not written, as far as its caller knows.
#[derive(Debug, thiserror::Error)]
pub enum Unwritten {
    /// The database.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// No answer within this time; it may still be written.
    #[error("it took longer than {0:?}, and may have been written all the same")]
    Slow(Duration),
    /// The queue is full.
    #[error("too many are waiting")]
    Full,
    /// The writing task has ended.
    #[error("the process is stopping")]
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

refusals!(
    RequestFault,
    ClientFault,
    DpopFault,
    GrantFault,
    ExchangeFault,
    BudgetFault
);

impl From<Refusal> for OperationError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ForeignFault> for OperationError {
    fn from(fault: ForeignFault) -> Self {
        ClientFault::from(fault).into()
    }
}

impl From<crate::domain::client_assertion::AssertionFault> for OperationError {
    fn from(fault: crate::domain::client_assertion::AssertionFault) -> Self {
        ClientFault::from(fault).into()
    }
}
