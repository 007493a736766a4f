//! Faults of the store. None of them is the client's fault.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::database_url::DatabaseUrlFault;

/// Which database a fault is of: its name, host and port, never user or password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseName(Option<Arc<str>>);

/// Why a database operation failed.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{database} is out of reach: {fault}")]
    Unavailable {
        database: DatabaseName,
        /// What the driver says.
        fault: sqlx::Error,
    },
    /// The session cannot write: a standby, a demoted primary, or a read-only session. What it returns may be stale.
    #[error("{0} is read-only: a standby or a demoted primary")]
    ReadOnly(DatabaseName),
    /// None of several hosts can be used; with the reason for each.
    #[error("no host of the database URL can be used: {0}")]
    NoPrimary(String),
    #[error("{database} did not answer within {limit:?}")]
    Timeout {
        database: DatabaseName,
        limit: Duration,
    },
    #[error(
        "no connection to {database} came free within {limit:?}: all of max_connections are in use"
    )]
    Crowded {
        database: DatabaseName,
        limit: Duration,
    },
    #[error("{0} is busy: another writer holds it")]
    Busy(DatabaseName),
    #[error("{database} refused a statement: {}", Told(fault))]
    Refused {
        database: DatabaseName,
        /// What the driver says.
        fault: sqlx::Error,
    },
    /// A prepared statement was mixed up with another: a pooler shares one connection among several clients.
    #[error(
        "{0} mixes up the statements of its clients, as a pooler in transaction mode does: set [database] prepared_statements = false (in a URL alone: ?statement-cache-capacity=0) and restart, or let the pooler pool sessions"
    )]
    MixedStatements(DatabaseName),
    /// An answer that the driver cannot read, and that made it panic.
    #[error("cannot read the answer of {0}: it does not match the statement")]
    Unreadable(DatabaseName),
    #[error("{table}: the row of {key:?} cannot be read: {fault}")]
    Corrupt {
        table: &'static str,
        key: String,
        fault: String,
    },
    /// An update touched the wrong number of rows: another writer was first.
    #[error("{0} was changed by somebody else in the meantime: look again, then retry")]
    Conflict(String),
    #[error(
        "the database schema is older than this grantd: run `grantd migrate` (or start with --migrate)"
    )]
    SchemaOlder,
    /// There is no SQLite database where the URL says.
    #[error(
        "there is no database at {}: run `grantd migrate` to create it (or start with --migrate), or correct the path",
        .0.display()
    )]
    NoDatabase(std::path::PathBuf),
    #[error("cannot create the database {}: {source}", path.display())]
    File {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the database schema is newer than this grantd: run the newer version")]
    SchemaNewer,
    #[error(
        "the applied migration {0} differs from the one in this grantd: run the version that applied it"
    )]
    Migration(i64),
    #[error("the database URL cannot be used: {0}")]
    Url(#[from] DatabaseUrlFault),
    /// The database URL cannot be used by the driver.
    #[error("the database URL cannot be used: a parameter has an unknown value")]
    UrlParameter,
    #[error("the change feed has not been read for too long")]
    Stale,
    #[error("not loaded yet")]
    NotLoaded,
}

impl DatabaseName {
    /// Not known yet; added by the store.
    pub const UNSAID: Self = Self(None);

    /// The database `name`, with where it is.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Some(name.into()))
    }
}

impl fmt::Display for DatabaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(name) => write!(f, "the database {name}"),
            None => f.write_str("the database"),
        }
    }
}

impl StoreError {
    /// Whether the database did not do what it was asked to, whoever asks and for what.
    #[must_use]
    pub const fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. }
                | Self::ReadOnly(_)
                | Self::NoPrimary(_)
                | Self::Timeout { .. }
                | Self::Crowded { .. }
                | Self::Busy(_)
                | Self::Refused { .. }
                | Self::MixedStatements(_)
                | Self::Unreadable(_)
        )
    }

    /// Adds the name of the database, if there is none yet.
    #[must_use]
    pub(super) fn of(mut self, name: &DatabaseName) -> Self {
        match &mut self {
            Self::Unavailable { database, .. }
            | Self::Timeout { database, .. }
            | Self::Crowded { database, .. }
            | Self::Refused { database, .. }
            | Self::ReadOnly(database)
            | Self::Busy(database)
            | Self::MixedStatements(database)
            | Self::Unreadable(database)
                if database.0.is_none() =>
            {
                database.clone_from(name);
            }
            _ => {}
        }
        self
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(fault: sqlx::Error) -> Self {
        let database = DatabaseName::UNSAID;
        match &fault {
            sqlx::Error::Database(told) => {
                let code = told.code();
                match code
                    .as_deref()
                    .map_or(Meaning::Refused, |code| meaning(code, told.message()))
                {
                    Meaning::Busy => Self::Busy(database),
                    Meaning::ReadOnly => Self::ReadOnly(database),
                    Meaning::Mixed => Self::MixedStatements(database),
                    Meaning::Outage => Self::Unavailable { database, fault },
                    Meaning::Refused => Self::Refused { database, fault },
                }
            }
            // Rows have the columns that their statement has, unless it is another one's row.
            sqlx::Error::ColumnIndexOutOfBounds { .. } | sqlx::Error::ColumnNotFound(_) => {
                Self::MixedStatements(database)
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => {
                Self::Refused { database, fault }
            }
            _ => Self::Unavailable { database, fault },
        }
    }
}

/// What a code of either database means.
enum Meaning {
    Busy,
    ReadOnly,
    Mixed,
    Outage,
    Refused,
}

/// The codes of Postgres (SQLSTATE, appendix A of its manual) have five characters, those of SQLite are numbers of
/// at most four.
fn meaning(code: &str, message: &str) -> Meaning {
    if code.len() < 5 {
        // The low byte is the family.
        return match code.parse::<u32>().map(|code| code & 0xff) {
            // SQLITE_BUSY
            Ok(5) => Meaning::Busy,
            // SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN
            Ok(10 | 13 | 14) => Meaning::Outage,
            _ => Meaning::Refused,
        };
    }
    match code {
        // lock_not_available, deadlock_detected, serialization_failure
        "55P03" | "40P01" | "40001" => Meaning::Busy,
        // read_only_sql_transaction
        "25006" => Meaning::ReadOnly,
        // invalid_sql_statement_name, duplicate_prepared_statement
        "26000" | "42P05" => Meaning::Mixed,
        // protocol_violation: "bind message supplies 1 parameters, but prepared statement "sqlx_s_1" requires 2"
        "08P01" if message.contains("prepared statement") => Meaning::Mixed,
        // Shutdown, lost connection, exhausted resources, failures of the system.
        _ if ["57", "08", "53", "58"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            Meaning::Outage
        }
        _ => Meaning::Refused,
    }
}

/// What the driver says, without values: Postgres repeats those that it cannot read (class 22, data exception).
struct Told<'a>(&'a sqlx::Error);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self
            .0
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
        {
            Some(code) if code.len() == 5 && code.starts_with("22") => {
                write!(f, "a value that it cannot take (SQLSTATE {code})")
            }
            _ => self.0.fmt(f),
        }
    }
}
