//! From columns to domain types: what cannot be read is a corrupt row, never a panic.

use std::collections::HashMap;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, QueryBuilder};

use super::error::StoreError;
use super::transaction::{Tx, on_db};
use crate::domain::identifier::ClientId;
use crate::domain::timestamp::{Seconds, Timestamp};

/// How many rows one statement writes: SQLite takes 32,766 values, and a row has 17 at most.
pub(super) const ROWS_AT_ONCE: usize = 500;

/// The struct of a query's rows: each field is read from the column of its name. With `of "table"`, each column of the
/// table is declared here alone: what is read, listed and written follows.
///
/// By hand, because with sqlx's derive the drivers, TLS and SQLite are compiled a second time, for the macros' own use.
macro_rules! row {
    ($(#[$doc:meta])* struct $row:ident of $table:literal { $first:ident: $type:ty, $($column:ident: $types:ty,)+ }) => {
        $crate::store::row::row! {
            $(#[$doc])*
            struct $row { $first: $type, $($column: $types,)+ }
        }

        // Not each table is written over.
        const _: fn(&[&str]) -> String = $row::overwriting;

        impl $row {
            /// Columns by name: a newer schema may add some while this version still runs.
            const SELECT: &str = concat!(
                "SELECT ", stringify!($first), $(", ", stringify!($column),)+ " FROM ", $table
            );
            const INSERT: &str = concat!(
                "INSERT INTO ", $table, " (", stringify!($first), $(", ", stringify!($column),)+ ") "
            );

            /// See [`overwriting`]($crate::store::row::overwriting).
            fn overwriting(kept: &[&str]) -> String {
                let columns = [stringify!($first), $(stringify!($column)),+];
                $crate::store::row::overwriting($table, &columns, kept)
            }

            /// Pushes each value, in the order of the columns.
            fn push<'q, DB>(self, row: &mut sqlx::query_builder::Separated<'_, DB, &'static str>)
            where
                DB: sqlx::Database,
                $type: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
                $($types: sqlx::Encode<'q, DB> + sqlx::Type<DB>,)+
            {
                row.push_bind(self.$first);
                $(row.push_bind(self.$column);)+
            }
        }
    };
    ($(#[$doc:meta])* struct $row:ident { $($column:ident: $type:ty,)+ }) => {
        $(#[$doc])*
        struct $row {
            $($column: $type,)+
        }

        impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for $row
        where
            &'static str: sqlx::ColumnIndex<R>,
            $($type: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,)+
        {
            fn from_row(row: &'r R) -> sqlx::Result<Self> {
                Ok(Self {
                    $($column: row.try_get(stringify!($column))?,)+
                })
            }
        }
    };
}
pub(super) use row;

/// Where a column stands, for the error.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) table: &'static str,
    pub(super) key: &'a str,
}

impl Row<'_> {
    /// The value, or the row is corrupt.
    pub(super) fn read<T>(self, column: &str, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or_else(|| self.corrupt(column))
    }

    /// A JSON document.
    pub(super) fn json<T: DeserializeOwned>(
        self,
        column: &str,
        text: &str,
    ) -> Result<T, StoreError> {
        self.read(column, serde_json::from_str(text).ok())
    }

    /// A text whose shape in a document says what it is.
    pub(super) fn text<T: DeserializeOwned>(
        self,
        column: &str,
        text: &str,
    ) -> Result<T, StoreError> {
        let text: StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
        self.read(column, T::deserialize(text).ok())
    }

    /// A JSON list of texts, each read by `parse`.
    pub(super) fn list<T>(
        self,
        column: &str,
        text: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, StoreError> {
        let texts: Vec<String> = self.json(column, text)?;
        self.read(column, texts.iter().map(|text| parse(text)).collect())
    }

    /// A span of seconds.
    pub(super) fn seconds(self, column: &str, value: i64) -> Result<Seconds, StoreError> {
        self.read(column, u32::try_from(value).ok().map(Seconds::new))
    }

    fn corrupt(self, column: &str) -> StoreError {
        StoreError::Corrupt {
            table: self.table,
            key: self.key.to_owned(),
            fault: format!("column {column}"),
        }
    }
}

impl Tx {
    /// The rows that `select` reads of a table in which each belongs to a client: those of one, or all.
    pub(super) async fn rows_of<R>(
        &mut self,
        select: &str,
        client: Option<&ClientId>,
    ) -> Result<Vec<R>, StoreError>
    where
        R: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        Ok(on_db!(self, conn => {
            let mut statement = QueryBuilder::new(select);
            if let Some(client) = client {
                statement.push(" WHERE client_id = ").push_bind(client.as_str());
            }
            statement.build_query_as().fetch_all(conn).await?
        }))
    }
}

/// What was read of each client, by client id.
pub(super) fn grouped<T>(
    read: impl Iterator<Item = Result<(String, T), StoreError>>,
) -> Result<HashMap<String, Vec<T>>, StoreError> {
    let mut of: HashMap<String, Vec<T>> = HashMap::new();
    for read in read {
        let (client, member) = read?;
        of.entry(client).or_default().push(member);
    }
    Ok(of)
}

/// A JSON list of texts.
pub(super) fn list_text<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<_> = values
        .into_iter()
        .map(|value| serde_json::Value::String(value.to_string()))
        .collect();
    serde_json::Value::Array(texts).to_string()
}

/// A JSON object.
pub(super) fn object_text(members: &serde_json::Map<String, serde_json::Value>) -> String {
    serde_json::Value::Object(members.clone()).to_string()
}

/// Seconds of an optional span.
pub(super) fn seconds(span: Option<Seconds>) -> Option<i64> {
    span.map(|span| span.get().into())
}

/// The assignments of an upsert into `table` that overwrites all of `columns` but `kept`. A mark of killed tokens never
/// goes back: of the one that stands there and the one that is written the later stays.
pub(super) fn overwriting(table: &str, columns: &[&str], kept: &[&str]) -> String {
    let assignment = |column: &&str| match *column {
        mark @ "tokens_not_before" => format!(
            "{mark} = CASE WHEN {table}.{mark} > excluded.{mark} THEN {table}.{mark} ELSE excluded.{mark} END"
        ),
        column => format!("{column} = excluded.{column}"),
    };
    let written = columns.iter().filter(|column| !kept.contains(column));
    written.map(assignment).collect::<Vec<_>>().join(", ")
}

/// Unix seconds of an optional instant.
pub(super) fn unix(instant: Option<Timestamp>) -> Option<i64> {
    instant.map(Timestamp::unix)
}
