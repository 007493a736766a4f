//! Wakes a reader of the feed early: Postgres' `NOTIFY`, and on SQLite a look at `PRAGMA data_version`. Polling is what
//! readers rely on.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use tokio::task::{JoinError, JoinHandle};

use super::Store;
use super::database::Database;
use super::error::StoreError;
use super::guarded::guarded;
use super::postgres::Hosts;

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
    /// Gone where it ended: behind a pooler it has nothing to do.
    task: Option<JoinHandle<()>>,
}

impl Store {
    /// Begins to listen.
    #[must_use]
    pub fn feed_news(&self) -> FeedWakeup {
        let changed = Arc::new(tokio::sync::Notify::new());
        let database = Arc::clone(&self.database);
        let notify = Arc::clone(&changed);
        let task = match (database.hosts().map(Arc::clone), database.sqlite_reader()) {
            (Some(hosts), _) => Some(tokio::spawn(listen(database, hosts, notify))),
            (None, Some(file)) => Some(tokio::spawn(look(file, notify))),
            (None, None) => None,
        };
        FeedWakeup { changed, task }
    }
}

impl FeedWakeup {
    /// Returns when the feed may have changed, at the latest after `interval`. Where what listens panicked, so does this.
    pub async fn wait(&mut self, interval: Duration) {
        let changed = tokio::time::timeout(interval, self.changed.notified());
        let Some(task) = &mut self.task else {
            let _ = changed.await;
            return;
        };
        let ended = tokio::select! {
            _ = changed => return,
            ended = task => ended,
        };
        self.task = None;
        if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
            resume_unwind(panic);
        }
    }
}

impl Drop for FeedWakeup {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn listen(database: Arc<Database>, hosts: Arc<Hosts>, changed: Arc<tokio::sync::Notify>) {
    if !hosts.is_prepared() {
        tracing::debug!("LISTEN does not work behind a pooler: changes are found by polling only");
        return;
    }
    let mut replaced = database.replaced();
    loop {
        match tokio::time::timeout(CONNECTING, guarded(connect(&hosts))).await {
            Ok(Ok(mut listener)) => {
                let hearing = async {
                    // `None`: the connection is lost; the next one may have to be to another host.
                    while let Ok(Ok(Some(_))) =
                        tokio::time::timeout(TRUSTED, listener.try_recv()).await
                    {
                        changed.notify_one();
                    }
                };
                tokio::select! {
                    () = hearing => {}
                    _ = replaced.changed() => {}
                }
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "LISTEN is not possible; changes are found by polling");
            }
            Err(_) => {
                tracing::debug!(
                    "LISTEN is not possible: connecting takes too long; changes are found by polling"
                );
            }
        }
        tokio::time::sleep(CONNECTING).await;
    }
}

/// On a connection of its own: it is held for good, and the pool of the requests may have only one.
async fn connect(hosts: &Hosts) -> Result<PgListener, StoreError> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_lazy_with(hosts.primary_options().await?);
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen("grantd_changes").await?;
    Ok(listener)
}

/// `data_version` differs once any other connection, of this process or another, has written.
async fn look(file: SqliteConnectOptions, changed: Arc<tokio::sync::Notify>) {
    loop {
        if let Ok(mut connection) = SqliteConnection::connect_with(&file).await {
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

async fn data_version(connection: &mut SqliteConnection) -> Option<i64> {
    sqlx::query_scalar("PRAGMA data_version")
        .fetch_one(connection)
        .await
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(task: impl Future<Output = ()> + Send + 'static) -> FeedWakeup {
        FeedWakeup {
            changed: Arc::default(),
            task: Some(tokio::spawn(task)),
        }
    }

    #[tokio::test]
    async fn who_waits_goes_down_with_what_listens() {
        let mut news = listening(async { assert_eq!(std::hint::black_box(1), 2) });
        let waiting = tokio::spawn(async move { news.wait(Duration::from_mins(1)).await });
        assert!(waiting.await.unwrap_err().is_panic());
    }

    #[tokio::test]
    async fn where_nothing_can_listen_any_more_the_interval_still_passes() {
        let mut news = listening(async {});
        news.wait(Duration::from_mins(1)).await;
        news.wait(Duration::from_millis(1)).await;
        assert!(news.task.is_none());
    }
}
