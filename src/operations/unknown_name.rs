//! A client name that does not exist, with the one that may be meant.

use crate::domain::shown;
use crate::store::Store;
use crate::store::error::StoreError;

/// How many names an unknown one is compared with.
const MOST_NEIGHBOURS: i64 = 20_000;

/// There is no such client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no client {name}{near}; `grantd client list` shows those that there are")]
pub struct NoClient {
    /// Its name, as it may be shown.
    name: String,
    /// The one that may be meant, as a part of the sentence.
    near: String,
}

impl NoClient {
    /// Without looking for a similar one.
    #[must_use]
    pub fn alone(name: &str) -> Self {
        Self {
            name: shown::unknown(name, []),
            near: String::new(),
        }
    }

    /// With the existing name that differs from `name` by a typing error, if there is one.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn near(store: &Store, name: &str) -> Result<Self, StoreError> {
        let lengths = shown::lengths_of_neighbours(name);
        let ids = store.client_ids_by_length(lengths, MOST_NEIGHBOURS).await?;
        let near = ids.iter().find(|id| shown::is_neighbour(name, id));
        Ok(near.map_or_else(
            || Self::alone(name),
            |near| Self {
                name: shown::plain(name),
                near: format!("; did you mean {near}?"),
            },
        ))
    }
}
