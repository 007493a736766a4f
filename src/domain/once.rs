//! The `jti` and times that make a client assertion or a DPoP proof valid once.

use super::timestamp::Timestamp;

/// Its name, and how long that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// Its `jti`, 1 to 256 bytes.
    pub jti: String,
    /// How long it counts.
    pub life: Life,
}

/// When it was made and when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When it was made, at the earliest.
    pub made_at: Timestamp,
    /// From here on it is refused for its age alone: until then its `jti` must be remembered.
    pub dead_at: Timestamp,
}
