//! Tells the operator that the database is gone and that it is back, in pairs (DESIGN section 1).

use std::time::Duration;

use super::Feed;
use crate::operations::troubles::Trouble;
use crate::store::error::StoreError;

/// A reading that takes longer is reported before it ends: it may take as long as `statement_timeout`, but an operator
/// should know within two seconds.
const SLOW: Duration = Duration::from_millis(1500);

impl Feed {
    /// Waits for `reading`, and reports one that takes long.
    pub(super) async fn told_when_slow(
        &self,
        reading: impl Future<Output = Result<(), StoreError>>,
    ) -> Result<(), StoreError> {
        let mut reading = std::pin::pin!(reading);
        if let Ok(read) = tokio::time::timeout(SLOW, &mut reading).await {
            return read;
        }
        self.database_fails(&StoreError::Timeout {
            database: self.store.name(),
            limit: SLOW,
        });
        reading.await
    }

    /// The feed could not be read. Warm clients are served all the same until it is stale, unless what was read is
    /// not to be trusted.
    pub(super) fn database_fails(&self, error: &StoreError) {
        let mixed = if let StoreError::MixedStatements(database) = error {
            self.freshness.distrust(database);
            true
        } else {
            false
        };
        let message = error.to_string();
        if self.troubles.note(
            Trouble::Database,
            self.clocks.now(),
            (message.clone(), mixed),
        ) {
            let meanwhile = if self.check_fresh().is_ok() {
                "known clients are served until the change feed has not been read for max_staleness"
            } else {
                "nothing is issued until it can be read"
            };
            tracing::warn!("{message}; {meanwhile}");
        } else {
            tracing::debug!("still: {message}");
        }
    }

    /// The feed was read.
    pub(super) fn database_answers(&self) {
        if self.troubles.clear(Trouble::Database) {
            tracing::info!("{} is back", self.store.name());
        }
    }
}
