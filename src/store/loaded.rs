//! What a replica keeps in memory is read with its place in the feed.

use super::feed::FeedPosition;

/// What was read, and the feed's number in the same snapshot.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The value.
    pub value: T,
    /// The feed at that moment.
    pub feed: FeedPosition,
}
