//! From columns to domain types: what cannot be read is a corrupt row, never a panic.

use std::collections::HashMap;

use serde::de::DeserializeOwned;

use super::error::StoreError;
use crate::domain::timestamp::{Seconds, Timestamp};

/// How many rows one statement writes: SQLite takes 32,766 values, and a row has 17 at most.
pub(super) const ROWS_AT_ONCE: usize = 500;

/// The struct of a query's rows: each field is read from the column of its name.
///
/// By hand, because with sqlx's derive the drivers, TLS and SQLite are compiled a second time, for the macros' own use.
macro_rules! row {
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

/// Unix seconds of an optional instant.
pub(super) fn unix(instant: Option<Timestamp>) -> Option<i64> {
    instant.map(Timestamp::unix)
}
