//! Faults of the store: all of them are ours, none is the client's.

/// Why the database did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is out of reach, or broke off.
    #[error("the database is out of reach: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// The database did not answer in time.
    #[error("the database did not answer within {0:?}")]
    Timeout(std::time::Duration),
    /// Another writer held the database longer than the wait allows.
    #[error("the database is busy: another writer holds it")]
    Busy,
    /// A statement that the database refuses.
    #[error("the database refused a statement: {0}")]
    Refused(#[source] sqlx::Error),
    /// A row that this version cannot read.
    #[error("{table}: the row of {key:?} cannot be read: {fault}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: String,
        /// The column, or what is wrong.
        fault: String,
    },
    /// An update touched another number of rows than it had to: somebody else was there first.
    #[error("{0} was changed by somebody else meanwhile; look again and repeat")]
    Conflict(String),
    /// The schema is older than this version.
    #[error(
        "the database schema is older than this grantd: run `grantd migrate` (or start with --migrate)"
    )]
    SchemaOlder,
    /// There is no SQLite database where the URL says.
    #[error(
        "there is no database at {}: run `grantd migrate` to make it (or start with --migrate), or correct the path",
        .0.display()
    )]
    NoDatabase(std::path::PathBuf),
    /// The file of a SQLite database cannot be made.
    #[error("the database {} cannot be made: {source}", path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// The schema is newer than this version.
    #[error("the database schema is newer than this grantd: run the newer version")]
    SchemaNewer,
    /// The migration itself failed.
    #[error("the migration failed: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The database URL is none.
    #[error("the database URL cannot be used: write postgres://USER@HOST/NAME or sqlite://PATH")]
    Url,
    /// What this replica remembers is older than it may be.
    #[error("the change feed could not be read for too long")]
    Stale,
    /// Nothing was loaded yet.
    #[error("not loaded yet")]
    NotLoaded,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(fault) if is_busy(fault.code().as_deref()) => Self::Busy,
            sqlx::Error::Database(fault) if is_outage(fault.code().as_deref()) => {
                Self::Unavailable(error)
            }
            sqlx::Error::Database(_)
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::Encode(_) => Self::Refused(error),
            _ => Self::Unavailable(error),
        }
    }
}

/// SQLite's `SQLITE_BUSY` family; Postgres' `lock_not_available`, `deadlock_detected` and
/// `serialization_failure` (whose codes all have five characters).
fn is_busy(code: Option<&str>) -> bool {
    code.is_some_and(|code| {
        let sqlite = code.len() < 5 && code.parse::<u32>().is_ok_and(|code| code & 0xff == 5);
        sqlite || ["55P03", "40P01", "40001"].contains(&code)
    })
}

/// Postgres' classes of shutdown, lost connection and exhausted resources.
fn is_outage(code: Option<&str>) -> bool {
    code.is_some_and(|code| ["57", "08", "53", "58"].iter().any(|class| code.starts_with(class)))
}
