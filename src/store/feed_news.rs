//! Wakes a reader of the feed early: Postgres' `NOTIFY`, and on SQLite a look at `PRAGMA data_version`. Polling is what
//! readers rely on.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgListener;
use sqlx::{Connection as _, SqliteConnection};

use super::Store;
use super::database::{Database, Pools, postgres_pool, sqlite_reader};

/// How long a listener is trusted to hear anything; a connection that died silently hears nothing.
const TRUSTED: Duration = Duration::from_mins(1);
/// How long connecting may take, and the pause before the next attempt.
const CONNECTING: Duration = Duration::from_secs(2);
/// How often SQLite is asked whether another connection wrote. A look costs some 20 microseconds.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits for news of the feed.
#[derive(Debug)]
pub struct FeedWakeup {
    changed: Arc<tokio::sync::Notify>,
    task: tokio::task::JoinHandle<()>,
}

impl Store {
    /// Begins to listen.
    #[must_use]
    pub fn feed_news(&self) -> FeedWakeup {
        let changed = Arc::new(tokio::sync::Notify::new());
        let (database, notify) = (Arc::clone(&self.database), Arc::clone(&changed));
        let task = match &*self.database.pools() {
            Pools::Postgres(_) => tokio::spawn(listen(database, notify)),
            Pools::Sqlite { .. } => tokio::spawn(look(database, notify)),
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
        self.task.abort();
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

/// `data_version` differs once any other connection, of this process or another, has written.
async fn look(database: Arc<Database>, changed: Arc<tokio::sync::Notify>) {
    loop {
        if let Some(mut connection) = open(&database).await {
            let mut seen = data_version(&mut connection).await;
            while seen.is_some() {
                tokio::time::sleep(LOOK_EVERY).await;
                let now = data_version(&mut connection).await;
                if now != seen {
                    changed.notify_one();
                }
                seen = now;
            }
        }
        tokio::time::sleep(CONNECTING).await;
    }
}

async fn open(database: &Database) -> Option<SqliteConnection> {
    SqliteConnection::connect_with(&sqlite_reader(&database.options).ok()?).await.ok()
}

async fn data_version(connection: &mut SqliteConnection) -> Option<i64> {
    sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await.ok()
}
