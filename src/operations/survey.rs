//! What metrics read from the database regularly, so that no scrape waits for it: which credentials end next, how many
//! spent assertions there are, and whether what labels name still exists.

use std::sync::Arc;
use std::time::Duration;

use super::clocks::Clocks;
use super::memory::Memory;
use super::metrics::{Metrics, Surveyed};
use crate::domain::client::ClientStatus;
use crate::domain::identifier::{AudienceId, ClientId, IssuerId};
use crate::store::Store;
use crate::store::error::StoreError;

const EVERY: Duration = Duration::from_secs(10);
/// The database is asked once in so many rounds.
const ASKED_IN: u32 = 3;
/// The most credentials that are shown: those that end first.
const MOST_EXPIRIES: i64 = 1000;
/// The most spent assertions that are counted: counting reads each of them.
const MOST_COUNTED: i64 = 1_000_000;

/// Asks regularly.
pub(super) struct Surveyor {
    pub(super) store: Arc<Store>,
    pub(super) memory: Arc<Memory>,
    pub(super) clocks: Arc<Clocks>,
}

impl Surveyor {
    pub(super) async fn keep_asking(self) {
        let mut round = 0_u32;
        loop {
            self.look_at_labels().await;
            if round.is_multiple_of(ASKED_IN) {
                self.ask().await;
            }
            round = round.wrapping_add(1);
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Does one round.
    pub(super) async fn survey(&self) {
        self.look_at_labels().await;
        self.ask().await;
    }

    async fn ask(&self) {
        match self.found().await {
            Ok(found) => *self.metrics().surveyed.lock() = found,
            // The reader of the feed reports that the database is out of reach.
            Err(error) => {
                tracing::debug!(%error, "could not read the database's part of the metrics");
            }
        }
    }

    async fn found(&self) -> Result<Surveyed, StoreError> {
        let now = self.clocks.database_now();
        Ok(Surveyed {
            expiries: self.store.next_expiries(now, MOST_EXPIRIES).await?,
            used_assertions: Some(self.store.count_used_assertions(MOST_COUNTED).await?),
        })
    }

    /// Forgets the series of what is gone or retired. What cannot be looked at now stays marked.
    async fn look_at_labels(&self) {
        let looked_at = async {
            self.look_at_clients().await?;
            self.look_at_audiences().await?;
            self.look_at_issuers().await
        };
        if let Err(error) = looked_at.await {
            tracing::debug!(%error, "could not check which labels of metrics still exist");
        }
    }

    async fn look_at_clients(&self) -> Result<(), StoreError> {
        let clients = &self.metrics().by_client;
        for name in clients.outdated() {
            // Before it is looked at: what changes meanwhile marks it again.
            clients.unmark(&name);
            if let Err(error) = self.look_at_client(&name).await {
                clients.mark(&name);
                return Err(error);
            }
        }
        Ok(())
    }

    async fn look_at_client(&self, name: &str) -> Result<(), StoreError> {
        let clients = &self.metrics().by_client;
        let known = match ClientId::parse(name) {
            Ok(id) => self.memory.directory.client(&id).await?,
            Err(_) => None,
        };
        match known.filter(|it| it.client.status != ClientStatus::Deleted) {
            Some(known) => clients.keep_only(name, &known, self.clocks.database_now()),
            None => clients.forget(name),
        }
        Ok(())
    }

    async fn look_at_audiences(&self) -> Result<(), StoreError> {
        let clients = &self.metrics().by_client;
        let gone = self.gone_of(clients.outdated_audiences()).await;
        match &gone {
            Ok(gone) => clients.forget_audiences(gone),
            Err(_) => clients.mark_other(),
        }
        gone.map(drop)
    }

    async fn look_at_issuers(&self) -> Result<(), StoreError> {
        if self.metrics().by_issuer.all().is_empty() {
            return Ok(());
        }
        let issuers = self.memory.directory.issuers().await?;
        let is_trusted = |id: &IssuerId| issuers.get(id).is_some();
        self.metrics().by_issuer.keep_only(is_trusted);
        Ok(())
    }

    /// Those of `audiences` that do not exist any more.
    async fn gone_of(&self, audiences: Vec<Box<str>>) -> Result<Vec<Box<str>>, StoreError> {
        let mut gone = Vec::new();
        for name in audiences {
            if let Ok(id) = AudienceId::parse(&name)
                && self.memory.directory.audience(&id).await?.is_none()
            {
                gone.push(name);
            }
        }
        Ok(gone)
    }

    fn metrics(&self) -> &Metrics {
        &self.memory.metrics
    }
}
