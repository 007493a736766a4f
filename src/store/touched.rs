//! Updates check the rows that they touched: who met somebody else's change hears of it.

use std::collections::BTreeSet;

use super::error::StoreError;

/// A conflict if the statement did not touch all of `keys`: another writer changed them.
pub(super) fn touched_each<'a>(
    keys: impl IntoIterator<Item = &'a str>,
    touched: &[String],
) -> Result<(), StoreError> {
    let touched: BTreeSet<&str> = touched.iter().map(String::as_str).collect();
    match keys.into_iter().find(|key| !touched.contains(key)) {
        Some(key) => Err(StoreError::Conflict(key.to_owned())),
        None => Ok(()),
    }
}

/// A conflict if an update did not touch exactly one row: another writer changed it.
pub(super) fn touched_one(touched: u64, key: &str) -> Result<(), StoreError> {
    if touched == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict(key.to_owned()))
    }
}
