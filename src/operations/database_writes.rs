//! Detects a database that can be read but not written: a full disk, a lock that is never released, a lost privilege.

use std::sync::Arc;
use std::time::Duration;

use super::follow_feed::Feed;
use super::troubles::Trouble;

/// How often failed writes are looked for.
const EVERY: Duration = Duration::from_secs(1);

impl Feed {
    pub(super) async fn keep_judging_writes(self: Arc<Self>) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.judge_writes().await;
        }
    }

    /// If a write has failed, tries another one, and reports the trouble if that fails, too. Clients that
    /// authenticate with secrets or certificates are still served.
    pub async fn judge_writes(&self) {
        let mut fault = self.store.write_fault();
        if fault.is_some() {
            let tried = self.store.try_to_write().await;
            fault = tried.err().and_then(|_| self.store.write_fault());
        }
        match fault {
            // It cannot be read either, which is reported already.
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
