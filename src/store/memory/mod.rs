//! What a replica remembers of the store, and how it forgets what changed (DESIGN section 1).

pub mod directory;
pub mod fingerprint;
pub mod issuers;
pub mod known_ids;
mod loading;
pub mod look;
pub mod revocations;
pub mod subjects;
