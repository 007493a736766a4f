//! SQL past the store, for what no operation does: tampering, and looking at everything that is stored.

use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

use crate::harness::Database;

/// Runs one statement; gives the number of rows that it touched.
pub(crate) async fn execute(database: &Database, sql: &str) -> u64 {
    let sql = AssertSqlSafe(sql.to_owned());
    if database.is_postgres() {
        let pool = PgPool::connect(&database.url).await.unwrap();
        sqlx::query(sql)
            .execute(&pool)
            .await
            .unwrap()
            .rows_affected()
    } else {
        let pool = SqlitePool::connect(&database.url).await.unwrap();
        sqlx::query(sql)
            .execute(&pool)
            .await
            .unwrap()
            .rows_affected()
    }
}

/// The one column of a query as texts; NULL is empty.
pub(crate) async fn texts(database: &Database, sql: &str) -> Vec<String> {
    let sql = AssertSqlSafe(sql.to_owned());
    let rows: Vec<Option<String>> = if database.is_postgres() {
        let pool = PgPool::connect(&database.url).await.unwrap();
        sqlx::query_scalar(sql).fetch_all(&pool).await.unwrap()
    } else {
        let pool = SqlitePool::connect(&database.url).await.unwrap();
        sqlx::query_scalar(sql).fetch_all(&pool).await.unwrap()
    };
    rows.into_iter().map(Option::unwrap_or_default).collect()
}

/// Every value of every column of every table.
pub(crate) async fn everything(database: &Database) -> Vec<String> {
    let columns = if database.is_postgres() {
        "SELECT table_name || ' ' || column_name FROM information_schema.columns \
         WHERE table_schema = current_schema()"
    } else {
        "SELECT tables.name || ' ' || columns.name FROM sqlite_master AS tables, \
         pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'"
    };
    let mut values = Vec::new();
    for column in texts(database, columns).await {
        let (table, column) = column.split_once(' ').unwrap();
        // The migrations' checksums are bytes of ours, and no text.
        if !table.starts_with('_') {
            let sql = format!("SELECT CAST({column} AS TEXT) FROM {table}");
            values.extend(texts(database, &sql).await);
        }
    }
    values
}
