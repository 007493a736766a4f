//! Takes a table away from under running replicas, and gives it back.

use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

use crate::harness::Database;

impl Database {
    /// Every statement that names the table fails from here on.
    pub(crate) async fn hide_table(&self, table: &str) {
        self.execute(&format!("ALTER TABLE {table} RENAME TO hidden_{table}"))
            .await;
    }

    /// The table is back.
    pub(crate) async fn show_table(&self, table: &str) {
        self.execute(&format!("ALTER TABLE hidden_{table} RENAME TO {table}"))
            .await;
    }

    /// Runs a statement beside grantd.
    pub(crate) async fn execute(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        if self.is_postgres() {
            let pool = PgPool::connect(&self.url).await.unwrap();
            sqlx::query(statement).execute(&pool).await.unwrap();
            pool.close().await;
        } else {
            let pool = SqlitePool::connect(&self.url).await.unwrap();
            sqlx::query(statement).execute(&pool).await.unwrap();
            pool.close().await;
        }
    }
}
