//! The schema's version: migrations are one set for both databases.

use sqlx::migrate::{MigrateError, Migrator};

use super::Store;
use super::database::Pools;
use super::error::StoreError;
use super::sqlite_file;

/// The migrations of this version.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

impl Store {
    /// Brings the schema to this version.
    ///
    /// # Errors
    /// A database out of reach, a failed migration, or a schema that is newer.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        if let Some(path) = sqlite_file::of(&self.database.options.url) {
            sqlite_file::make(&path)?;
        }
        let result = match &*self.database.pools() {
            Pools::Postgres(pool) => MIGRATIONS.run(pool).await,
            // sqlx lets only one migrate at a time on Postgres; here the one writer sees to it.
            Pools::Sqlite { writer, .. } => {
                let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
                match MIGRATIONS.run(&mut *tx).await {
                    Ok(()) => return Ok(tx.commit().await?),
                    failed => failed,
                }
            }
        };
        result.map_err(|error| match error {
            MigrateError::Execute(error) => error.into(),
            MigrateError::VersionMissing(_) => StoreError::SchemaNewer,
            error => StoreError::Migration(error),
        })
    }

    /// Whether the schema is the one of this version.
    ///
    /// # Errors
    /// [`StoreError::NoDatabase`], [`StoreError::SchemaOlder`], [`StoreError::SchemaNewer`], or a database out of reach.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        if let Some(path) = sqlite_file::of(&self.database.options.url).filter(|it| !it.exists()) {
            return Err(StoreError::NoDatabase(path));
        }
        let newest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
        let applied = self.database.bounded(self.applied_version()).await?;
        match applied.cmp(&newest) {
            std::cmp::Ordering::Less => Err(StoreError::SchemaOlder),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(StoreError::SchemaNewer),
        }
    }

    async fn applied_version(&self) -> Result<i64, StoreError> {
        const NEWEST: &str = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success";
        let result = match &*self.database.pools() {
            Pools::Postgres(pool) => sqlx::query_scalar(NEWEST).fetch_one(pool).await,
            Pools::Sqlite { readers, .. } => sqlx::query_scalar(NEWEST).fetch_one(readers).await,
        };
        match result {
            // The table of migrations itself is missing: nothing was ever migrated.
            Err(sqlx::Error::Database(fault))
                if fault.code().as_deref() == Some("42P01")
                    || fault.message().contains("no such table") =>
            {
                Ok(0)
            }
            other => Ok(other?),
        }
    }
}
