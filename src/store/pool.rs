//! A pool of connections, which says why there is none.

use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Manager, Metrics, Object, PoolError, RecycleResult};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::error::{DatabaseName, StoreError};
use super::rollback::Rollback;

/// Connections that `M` makes, at most so many.
pub(super) struct Pool<M: Manager> {
    connections: managed::Pool<M>,
    /// How long one is waited for where all are in use.
    limit: Duration,
}

impl<M: Manager> std::fmt::Debug for Pool<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("status", &self.connections.status())
            .finish_non_exhaustive()
    }
}

impl<M: Manager<Error = StoreError>> Pool<M> {
    pub(super) fn new(manager: M, most: u32, limit: Duration) -> Result<Self, StoreError> {
        let connections = managed::Pool::builder(manager)
            .max_size(usize::try_from(most).unwrap_or(1))
            .wait_timeout(Some(limit))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|_| crowded(limit))?;
        Ok(Self { connections, limit })
    }

    /// A connection that was tried just now, or a new one.
    ///
    /// # Errors
    /// Why none can be made, or that none came free.
    pub(super) async fn acquire(&self) -> Result<Object<M>, StoreError> {
        self.connections.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            _ => crowded(self.limit),
        })
    }
}

const fn crowded(limit: Duration) -> StoreError {
    StoreError::Crowded {
        database: DatabaseName::UNSAID,
        limit,
    }
}

/// How often, and how long apart, a file that is being changed to WAL is tried again: two seconds.
const WAL_TRIES: u32 = 40;
const WAL_PAUSE: Duration = Duration::from_millis(50);

/// A file of SQLite.
#[derive(Debug)]
pub(super) struct SqliteFile(pub(super) SqliteConnectOptions);

impl Manager for SqliteFile {
    type Type = SqliteConnection;
    type Error = StoreError;

    async fn create(&self) -> Result<SqliteConnection, StoreError> {
        let mut tries = 0;
        loop {
            match SqliteConnection::connect_with(&self.0)
                .await
                .map_err(StoreError::from)
            {
                // The change of a new file to WAL does not wait for another that changes it.
                Err(StoreError::Busy(_)) if tries < WAL_TRIES => tries += 1,
                made => return made,
            }
            tokio::time::sleep(WAL_PAUSE).await;
        }
    }

    /// A file does not go away, and what an error left in a transaction never comes home.
    async fn recycle(&self, _: &mut SqliteConnection, _: &Metrics) -> RecycleResult<StoreError> {
        Ok(())
    }
}

impl Rollback for SqliteFile {
    async fn roll_back(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        sqlx::raw_sql("ROLLBACK")
            .execute(connection)
            .await
            .map(drop)
    }
}
