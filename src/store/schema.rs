//! The schema's version: migrations are one set for both databases.

use std::collections::BTreeMap;

use super::Store;
use super::error::StoreError;
use super::sqlite_file;
use super::transaction::{Tx, on_db};
use crate::crypto::digest;

/// One file of `migrations/`, under the names of sqlx's own migrator, whose macro would compile both drivers twice.
struct Migration {
    version: i64,
    description: &'static str,
    sql: &'static str,
}

/// The migrations of this version, in their order.
const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    description: "initial",
    sql: include_str!("../../migrations/0001_initial.sql"),
}];

impl Store {
    /// Brings the schema to this version: all of it or nothing. Only one migrates at a time.
    ///
    /// sqlx's own way locks a session and gives statements a name, which a pooler in transaction mode loses.
    ///
    /// # Errors
    /// An unreachable database, a failed migration, or a schema that is newer.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        if let Some(path) = sqlite_file::of(&self.database.options.url) {
            sqlite_file::make(&path)?;
        }
        let migrating = async {
            let mut tx = self.begin_migration().await?;
            tx.make_table_of_migrations().await?;
            let applied = tx.applied_migrations().await?;
            let is_known = |version| MIGRATIONS.iter().any(|it| it.version == version);
            if !applied.keys().copied().all(is_known) {
                return Err(StoreError::SchemaNewer);
            }
            for migration in MIGRATIONS {
                match applied.get(&migration.version) {
                    None => tx.apply(migration).await?,
                    Some(checksum) if *checksum == migration.checksum() => {}
                    Some(_) => return Err(StoreError::Migration(migration.version)),
                }
            }
            tx.commit().await
        };
        self.database.judged(migrating).await
    }

    /// Whether the schema is the one of this version.
    ///
    /// # Errors
    /// [`StoreError::NoDatabase`], [`StoreError::SchemaOlder`], [`StoreError::SchemaNewer`], or a database out of reach.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        if let Some(path) = sqlite_file::of(&self.database.options.url).filter(|it| !it.exists()) {
            return Err(StoreError::NoDatabase(path));
        }
        let newest = MIGRATIONS
            .iter()
            .map(|migration| migration.version)
            .max()
            .unwrap_or_default();
        let applied = self.database.bounded(self.applied_version()).await?;
        match applied.cmp(&newest) {
            std::cmp::Ordering::Less => Err(StoreError::SchemaOlder),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(StoreError::SchemaNewer),
        }
    }

    async fn applied_version(&self) -> Result<i64, StoreError> {
        let mut tx = self.begin_snapshot().await?;
        match tx.newest_migration().await {
            // The table of migrations itself is missing: nothing was ever migrated.
            Err(StoreError::Refused {
                fault: sqlx::Error::Database(fault),
                ..
            }) if fault.code().as_deref() == Some("42P01")
                || fault.message().contains("no such table") =>
            {
                Ok(0)
            }
            Ok(version) => tx.commit().await.map(|()| version),
            Err(error) => Err(error),
        }
    }
}

impl Migration {
    fn checksum(&self) -> [u8; 48] {
        digest::sha384(self.sql.as_bytes())
    }
}

impl Tx {
    async fn newest_migration(&mut self) -> Result<i64, StoreError> {
        const NEWEST: &str = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success";
        Ok(on_db!(self, conn => sqlx::query_scalar(NEWEST).fetch_one(conn).await?))
    }

    /// The table of sqlx's own migrator, which `sqlx migrate info` reads.
    async fn make_table_of_migrations(&mut self) -> Result<(), StoreError> {
        const POSTGRES: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, \
             description TEXT NOT NULL, installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), \
             success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)";
        const SQLITE: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, \
             description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, \
             success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)";
        let create = match self {
            Self::Postgres(_) => POSTGRES,
            Self::Sqlite(_) => SQLITE,
        };
        on_db!(self, conn => sqlx::raw_sql(create).execute(conn).await.map(drop)?);
        Ok(())
    }

    /// The checksum of each migration that was applied.
    async fn applied_migrations(&mut self) -> Result<BTreeMap<i64, Vec<u8>>, StoreError> {
        let rows: Vec<(i64, Vec<u8>)> = on_db!(self, conn => {
            sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations WHERE success")
                .fetch_all(conn)
                .await?
        });
        Ok(rows.into_iter().collect())
    }

    async fn apply(&mut self, migration: &Migration) -> Result<(), StoreError> {
        on_db!(self, conn => {
            sqlx::raw_sql(migration.sql).execute(&mut *conn).await?;
            // Nobody reads how long it took.
            sqlx::query(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES ($1, $2, TRUE, $3, -1)",
            )
            .bind(migration.version)
            .bind(migration.description)
            .bind(migration.checksum().as_slice())
            .execute(conn)
            .await?;
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_migrations_is_applied_under_its_number_and_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path())
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, std::fs::read_to_string(path).unwrap())
            })
            .collect();
        files.sort();
        let listed: Vec<(String, String)> = MIGRATIONS
            .iter()
            .map(|it| {
                (
                    format!("{:04}_{}.sql", it.version, it.description),
                    it.sql.to_owned(),
                )
            })
            .collect();
        assert_eq!(listed, files);
    }
}
