//! Removes expired rows and revocations.

use std::sync::Arc;
use std::time::Duration;

use super::memory::Memory;
use crate::store::Store;
use crate::store::audit_events::AuditRetention;

const EVERY: Duration = Duration::from_secs(30);

/// Removes expired rows from the database, and expired revocations from memory.
pub(super) struct Sweeper {
    pub(super) store: Arc<Store>,
    pub(super) memory: Arc<Memory>,
    pub(super) audit: AuditRetention,
}

impl Sweeper {
    pub(super) async fn keep_sweeping(self) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.sweep().await;
        }
    }

    /// Removes by the database's clock what has expired now.
    pub(super) async fn sweep(&self) {
        let now = match self.store.now().await {
            Ok(now) => now,
            Err(error) => {
                tracing::warn!(%error, "could not remove expired rows");
                return;
            }
        };
        if self.memory.revocations.prune(now) {
            self.memory.outdated.revocations.set();
        }
        loop {
            match self.store.sweep(now).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "could not remove expired rows");
                    return;
                }
            }
        }
        loop {
            match self.store.sweep_token_usage(now).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "could not roll up old token usage");
                    return;
                }
            }
        }
        if let Err(error) = self.store.sweep_audit_events(now, self.audit).await {
            tracing::warn!(%error, "could not remove old audit events");
        }
        if let Err(error) = self.store.prune_feed(now).await {
            tracing::warn!(%error, "could not remove old changes");
        }
    }
}
