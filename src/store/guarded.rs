//! Work that may meet an answer which a driver cannot read.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use super::error::{DatabaseName, StoreError};

/// Runs what talks to the database: whatever it answers is an outage, not a panic.
///
/// On the heap: it holds both databases' work, and is wrapped several times.
pub(super) fn guarded<T>(
    work: impl Future<Output = Result<T, StoreError>>,
) -> impl Future<Output = Result<T, StoreError>> {
    let unreadable = |_| Err(StoreError::Unreadable(DatabaseName::UNSAID));
    AssertUnwindSafe(Box::pin(work))
        .catch_unwind()
        .map(move |done| done.unwrap_or_else(unreadable))
}
