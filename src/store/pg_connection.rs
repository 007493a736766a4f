//! A connection to Postgres whose statements have a name on the server, or none where a pooler would mix them up.

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use sqlx::postgres::{PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Either, Execute, Executor, Postgres, SqlStr};

/// A connection to Postgres that could write when it was made.
#[derive(Debug)]
pub(super) struct PgConn {
    pub(super) inner: PgConnection,
    /// Whether statements keep a name on the server.
    pub(super) prepared: bool,
    pub(super) generation: u64,
}

/// A query that is prepared without a name, whatever it says itself.
///
/// Such a statement lives until the next one, so a pooler that keeps a connection for a transaction cannot mix it
/// up. `statement_cache_capacity(0)` of the driver is another thing: each statement gets a name all the same.
struct Nameless<Q>(Q);

impl<'q, Q: Execute<'q, Postgres>> Execute<'q, Postgres> for Nameless<Q> {
    fn sql(self) -> SqlStr {
        self.0.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.0.statement()
    }

    fn take_arguments(
        &mut self,
    ) -> Result<Option<<Postgres as sqlx::Database>::Arguments>, sqlx::error::BoxDynError> {
        self.0.take_arguments()
    }

    fn persistent(&self) -> bool {
        false
    }
}

impl<'c> Executor<'c> for &'c mut PgConn {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if self.prepared {
            self.inner.fetch_many(query)
        } else {
            self.inner.fetch_many(Nameless(query))
        }
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if self.prepared {
            self.inner.fetch_optional(query)
        } else {
            self.inner.fetch_optional(Nameless(query))
        }
    }

    /// Nobody prepares apart: it would give the statement a name.
    fn prepare_with<'e>(
        self,
        _: SqlStr,
        _: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        Box::pin(async {
            Err(sqlx::Error::Protocol(
                "statements are prepared as they run".to_owned(),
            ))
        })
    }
}
