//! A client's name that none has, with the one that may be meant.

use crate::domain::shown;
use crate::store::Store;
use crate::store::error::StoreError;

/// So many names are compared with one that is unknown.
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
    /// Without a look at those that there are.
    #[must_use]
    pub fn alone(name: &str) -> Self {
        Self {
            name: shown::unknown(name, []),
            near: String::new(),
        }
    }

    /// With the name that `name` is but for a typing error, where there is one.
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
