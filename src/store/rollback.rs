//! What either database must be able to do for a transaction.

use deadpool::managed::Manager;

use super::error::StoreError;

/// How the transaction of a connection is given up.
pub(super) trait Rollback: Manager<Error = StoreError, Type: 'static> + 'static {
    fn roll_back(
        connection: &mut Self::Type,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}
