//! A database that can be read but not written: a full disk, a lock that nobody gives back, a lost privilege.

use std::sync::Arc;
use std::time::Duration;

use super::follow_feed::Feed;
use super::troubles::Trouble;

/// How often it is looked whether a write failed.
const EVERY: Duration = Duration::from_secs(1);

impl Feed {
    pub(super) async fn keep_judging_writes(self: Arc<Self>) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.judge_writes().await;
        }
    }

    /// Where a write has failed, tries another one, and notes that it fails, too. Clients that prove themselves by
    /// secrets or certificates are served all the same.
    pub async fn judge_writes(&self) {
        let mut fault = self.store.write_fault();
        if fault.is_some() {
            let tried = self.store.try_to_write().await;
            fault = tried.err().and_then(|_| self.store.write_fault());
        }
        match fault {
            // It cannot be read either, which is told already.
            Some(_) if self.troubles.has(Trouble::Database) => {}
            Some(fault) => {
                let message = format!(
                    "the database can be read but not written: {fault}; client assertions, DPoP proofs and revocations \
                     are answered with 503"
                );
                let trouble = (message.clone(), false);
                if self
                    .troubles
                    .note(Trouble::Writes, self.clocks.now(), trouble)
                {
                    tracing::warn!("{message}");
                }
            }
            None => {
                if self.troubles.clear(Trouble::Writes) {
                    tracing::info!("{} can be written again", self.store.name());
                }
            }
        }
    }
}
