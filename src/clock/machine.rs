//! The machine's wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// The machine's wall time, in milliseconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one reader of the machine's clock"
)]
pub(super) fn unix_milliseconds() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
