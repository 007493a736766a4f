//! Connections to Postgres: which of the hosts can write.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use super::error::{DatabaseName, StoreError};
use super::options::DatabaseOptions;
use super::pg_connection::PgConn;
use super::rollback::Rollback;
use crate::domain::secret_format::Secret;

/// How old a connection grows, so that it follows a name that leads elsewhere now.
const LONGEST_LIFE: Duration = Duration::from_mins(30);
/// Tells what cannot write: a standby is in recovery, a demoted primary or a read-only session has
/// read-only transactions by default. By a simple query: nothing is prepared for it.
macro_rules! cannot_write {
    () => {
        "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean"
    };
}
pub(super) use cannot_write;
/// And statements of another client of this driver, on a connection that has prepared none yet: a pooler sits between.
const JUDGEMENT: &str = concat!(
    cannot_write!(),
    ", EXISTS (SELECT 1 FROM pg_prepared_statements WHERE name LIKE 'sqlx\\_s\\_%')"
);

/// The hosts of one database, of which one can write.
#[derive(Debug)]
pub(super) struct Hosts {
    all: Vec<Host>,
    /// The one that could write when it was last looked for.
    primary: AtomicUsize,
    /// Connections of an earlier one are not used any more.
    generation: AtomicU64,
    limit: Duration,
    prepared: bool,
}

#[derive(Debug)]
struct Host {
    options: PgConnectOptions,
    name: DatabaseName,
}

/// Connects to the one of the hosts that can write.
#[derive(Debug)]
pub(super) struct PostgresServer(pub(super) Arc<Hosts>);

impl Hosts {
    pub(super) fn new(urls: &[Secret], options: &DatabaseOptions) -> Result<Self, StoreError> {
        let all: Vec<Host> = urls.iter().map(Host::new).collect::<Result<_, _>>()?;
        // Together they take no longer than a request waits.
        let limit = options.acquire_timeout / u32::try_from(all.len()).unwrap_or(u32::MAX);
        let asked_in_url = urls
            .iter()
            .any(|url| url.expose().contains("statement-cache-capacity=0"));
        Ok(Self {
            all,
            primary: AtomicUsize::new(0),
            generation: AtomicU64::new(0),
            limit,
            prepared: options.prepared_statements && !asked_in_url,
        })
    }

    /// The host that is used, or was last.
    pub(super) fn name(&self) -> DatabaseName {
        self.primary()
            .map_or(DatabaseName::UNSAID, |host| host.name.clone())
    }

    /// Whether statements keep a name on the server. Without, a pooler is meant, which forgets `LISTEN` as well.
    pub(super) const fn is_prepared(&self) -> bool {
        self.prepared
    }

    /// How to reach the host that can write.
    pub(super) async fn primary_options(&self) -> Result<PgConnectOptions, StoreError> {
        drop(self.connect().await?);
        self.primary()
            .map(|host| host.options.clone())
            .ok_or(StoreError::NotLoaded)
    }

    fn primary(&self) -> Option<&Host> {
        self.all.get(self.primary.load(Ordering::Relaxed))
    }

    /// Tries each host, the one that was good last first.
    async fn connect(&self) -> Result<PgConn, StoreError> {
        let first = self.primary.load(Ordering::Relaxed);
        let mut faults = Vec::new();
        for number in (first..self.all.len()).chain(0..first) {
            let Some(host) = self.all.get(number) else {
                continue;
            };
            match self.connect_to(host).await {
                Ok(connection) => {
                    self.primary.store(number, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(mixed @ StoreError::MixedStatements(_)) => return Err(mixed),
                Err(error) if self.all.len() == 1 => return Err(error),
                Err(error) => faults.push(error.to_string()),
            }
        }
        Err(StoreError::NoPrimary(faults.join("; ")))
    }

    async fn connect_to(&self, host: &Host) -> Result<PgConn, StoreError> {
        let generation = self.generation.load(Ordering::Acquire);
        let connecting = async {
            let inner = PgConnection::connect_with(&host.options).await?;
            let mut connection = PgConn {
                inner,
                prepared: self.prepared,
                generation,
            };
            connection.judge().await?;
            Ok(connection)
        };
        let connected = tokio::time::timeout(self.limit, connecting).await;
        let slow = |_| StoreError::Timeout {
            database: DatabaseName::UNSAID,
            limit: self.limit,
        };
        connected
            .map_err(slow)
            .flatten()
            .map_err(|error| error.of(&host.name))
    }
}

impl Host {
    fn new(url: &Secret) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url.expose())
            .map_err(|_| StoreError::UrlParameter)?
            .application_name("grantd")
            // We have no floats, and PgBouncer refuses settings at start that it does not know.
            .extra_float_digits(None);
        let place = match options.get_socket() {
            Some(socket) => format!("{}:{}", socket.display(), options.get_port()),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        // Without a name Postgres takes the user's, which stays out of logs.
        let name = match options.get_database() {
            Some(name) => format!("{name} at {place}"),
            None => format!("at {place}"),
        };
        Ok(Self {
            options,
            name: DatabaseName::new(&name),
        })
    }
}

impl PgConn {
    /// Refuses a session that cannot write, and one on which prepared statements would be mixed up.
    async fn judge(&mut self) -> Result<(), StoreError> {
        let row = sqlx::raw_sql(JUDGEMENT).fetch_one(&mut self.inner).await?;
        if sqlx::Row::try_get(&row, 0)? {
            return Err(StoreError::ReadOnly(DatabaseName::UNSAID));
        }
        if self.prepared && sqlx::Row::try_get(&row, 1)? {
            return Err(StoreError::MixedStatements(DatabaseName::UNSAID));
        }
        Ok(())
    }
}

impl Manager for PostgresServer {
    type Type = PgConn;
    type Error = StoreError;

    async fn create(&self) -> Result<PgConn, StoreError> {
        self.0.connect().await
    }

    /// A connection that does not answer is one of many: all that were made before go with it.
    async fn recycle(
        &self,
        connection: &mut PgConn,
        metrics: &Metrics,
    ) -> RecycleResult<StoreError> {
        let generation = self.0.generation.load(Ordering::Acquire);
        if connection.generation != generation || metrics.age() > LONGEST_LIFE {
            return Err(RecycleError::message("left behind"));
        }
        if let Ok(answer) = tokio::time::timeout(self.0.limit, connection.inner.ping()).await {
            return Ok(answer.map_err(StoreError::from)?);
        }
        self.0
            .generation
            .store(generation.wrapping_add(1), Ordering::Release);
        Err(RecycleError::message("no answer"))
    }
}

impl Rollback for PostgresServer {
    async fn roll_back(connection: &mut PgConn) -> Result<(), sqlx::Error> {
        sqlx::raw_sql("ROLLBACK")
            .execute(connection)
            .await
            .map(drop)
    }
}
