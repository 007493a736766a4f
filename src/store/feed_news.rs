//! Wakes a reader of the feed early: Postgres' `NOTIFY`. Polling is what readers rely on.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgListener;

use super::Store;
use super::database::{Database, Pools, postgres_pool};

/// How long a listener is trusted to hear anything; a connection that died silently hears nothing.
const TRUSTED: Duration = Duration::from_mins(1);
/// How long connecting a listener may take.
const CONNECTING: Duration = Duration::from_secs(2);

/// Waits for news of the feed.
#[derive(Debug)]
pub struct FeedWakeup {
    changed: Arc<tokio::sync::Notify>,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Store {
    /// Begins to listen, where the database can tell.
    #[must_use]
    pub fn feed_news(&self) -> FeedWakeup {
        let changed = Arc::new(tokio::sync::Notify::new());
        let task = match &*self.database.pools() {
            Pools::Postgres(_) => {
                Some(tokio::spawn(listen(Arc::clone(&self.database), Arc::clone(&changed))))
            }
            Pools::Sqlite { .. } => None,
        };
        FeedWakeup { changed, task }
    }
}

impl FeedWakeup {
    /// Returns when the feed may have changed, at the latest after `interval`.
    pub async fn wait(&mut self, interval: Duration) {
        let _ = tokio::time::timeout(interval, self.changed.notified()).await;
    }
}

impl Drop for FeedWakeup {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn listen(database: Arc<Database>, changed: Arc<tokio::sync::Notify>) {
    loop {
        if let Ok(Some(mut listener)) = tokio::time::timeout(CONNECTING, connect(&database)).await {
            while let Ok(Ok(_)) = tokio::time::timeout(TRUSTED, listener.recv()).await {
                changed.notify_one();
            }
        }
        tokio::time::sleep(CONNECTING).await;
    }
}

/// On a connection of its own: it is held for good, and the pool of the requests may have only one.
async fn connect(database: &Database) -> Option<PgListener> {
    let pool = postgres_pool(&database.options, 1).ok()?;
    let mut listener = PgListener::connect_with(&pool).await.ok()?;
    listener.listen("grantd_changes").await.ok()?;
    Some(listener)
}
