//! How long a key is announced before it signs, signs, and stays in the JWKS afterwards.

use super::KeyLife;
use crate::domain::timestamp::{Seconds, Timestamp};

/// A token may be issued by a clock that is this far ahead of the database's.
const AHEAD: Seconds = Seconds::new(2);

/// What the settings say of the lives of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPeriods {
    /// How long one key signs; `None` means until it is rotated by hand.
    pub rotation: Option<Seconds>,
    /// How long verifiers cache the JWKS.
    pub jwks_max_age: Seconds,
    /// How long a replica may go on issuing without hearing of a change.
    pub max_staleness: Seconds,
    /// The longest token lifetime, whatever audiences say.
    pub max_lifetime: Seconds,
}

/// From the announcement of a key to its first signature: longer than a JWKS without it may be cached that comes from a
/// replica which has not heard of it. The shortest rotation, too.
#[must_use]
pub const fn notice(jwks_max_age: Seconds, max_staleness: Seconds) -> Seconds {
    let known = jwks_max_age.get().saturating_add(max_staleness.get());
    Seconds::new(known.saturating_add(1))
}

impl KeyPeriods {
    /// From when on every verifier has the key.
    #[must_use]
    pub fn known_from(&self, key: &KeyLife) -> Timestamp {
        key.announced_at
            .plus(notice(self.jwks_max_age, self.max_staleness))
    }

    /// When the last token of a key has expired that retires at `retires_at`: a replica which has not heard of it may
    /// sign for `max_staleness` more.
    #[must_use]
    pub fn last_expiry(&self, key: &KeyLife, retires_at: Timestamp) -> Timestamp {
        let last_signature = retires_at.plus(self.max_staleness).plus(AHEAD);
        last_signature.plus(key.longest_token)
    }
}
