//! The life of a signing key: announced, active, retired, gone (DESIGN section 5).

use super::timestamp::Timestamp;

/// When a key does what. `announced_at <= activates_at`, and `retires_at <= expires_at` where they are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLife {
    /// When it was made: from here on it stands in the JWKS of each replica that has read of it.
    pub announced_at: Timestamp,
    /// From here on it signs, where no younger key does.
    pub activates_at: Timestamp,
    /// From here on it signs nothing more.
    pub retires_at: Option<Timestamp>,
    /// From here on it verifies nothing more and leaves the JWKS: its last token has expired.
    pub expires_at: Option<Timestamp>,
}

impl KeyLife {
    /// A key that is announced at `now` and active from `activates_at` on, without an end.
    #[must_use]
    pub const fn from(now: Timestamp, activates_at: Timestamp) -> Self {
        Self {
            announced_at: now,
            activates_at,
            retires_at: None,
            expires_at: None,
        }
    }

    /// Whether it may sign at `now`.
    #[must_use]
    pub fn signs(&self, now: Timestamp) -> bool {
        self.activates_at <= now && self.retires_at.is_none_or(|at| at > now)
    }

    /// Whether it stands in the JWKS at `now`, and tokens that it signed are accepted.
    #[must_use]
    pub fn verifies(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_key_that_signs_is_published(
            (announced, wait, active, after, now) in (0..99_i64, 0..99_i64, 0..99_i64, 0..99_i64, 0..500_i64),
        ) {
            let at = Timestamp::from_unix;
            let life = KeyLife {
                announced_at: at(announced),
                activates_at: at(announced + wait),
                retires_at: Some(at(announced + wait + active)),
                expires_at: Some(at(announced + wait + active + after)),
            };
            if life.signs(at(now)) {
                prop_assert!(life.verifies(at(now)));
            }
        }
    }
}
