//! The life of a signing key: announced, active, retired, expired (DESIGN section 5).

pub mod lineup;
pub mod periods;

use super::client::named;
use super::timestamp::{Seconds, Timestamp};

/// How long before it begins or ends to sign that is written: by then every replica that reads the feed knows.
pub const ACTIVATION_DELAY: Seconds = Seconds::new(2);

/// When a key does what, by the database's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLife {
    /// When it was made: from here on it stands in the JWKS of each replica that has read of it.
    pub announced_at: Timestamp,
    /// When it begins to sign; `None` while it is announced as the next key.
    pub activates_at: Option<Timestamp>,
    /// From here on it signs nothing more.
    pub retires_at: Option<Timestamp>,
    /// From here on it verifies nothing more and leaves the JWKS: its last token has expired.
    pub expires_at: Option<Timestamp>,
    /// Since when it neither signs nor verifies, whatever a clock says that is set back.
    pub compromised_at: Option<Timestamp>,
    /// The longest that a token lives that it may have signed.
    pub longest_token: Seconds,
}

named! {
    /// Where a key stands in its life.
    KeyState {
        /// In the JWKS, and signs nothing yet.
        Announced = "announced",
        /// Signs.
        Active = "active",
        /// Signs nothing more; its tokens are accepted.
        Retired = "retired",
        /// Not in the JWKS any more.
        Expired = "expired",
    }
}

impl KeyLife {
    /// The next key, announced at `now`.
    #[must_use]
    pub const fn announced(now: Timestamp) -> Self {
        Self {
            announced_at: now,
            activates_at: None,
            retires_at: None,
            expires_at: None,
            compromised_at: None,
            longest_token: Seconds::new(0),
        }
    }

    /// A key that is announced at `now` and active from `activates_at` on, without an end.
    #[must_use]
    pub const fn from(now: Timestamp, activates_at: Timestamp) -> Self {
        Self {
            activates_at: Some(activates_at),
            ..Self::announced(now)
        }
    }

    /// Whether it signs at `now`.
    #[must_use]
    pub fn signs(&self, now: Timestamp) -> bool {
        self.compromised_at.is_none()
            && self.activates_at.is_some_and(|at| at <= now)
            && self.retires_at.is_none_or(|at| at > now)
    }

    /// When it will begin to sign, where that is after `now` and nothing comes before it.
    #[must_use]
    pub fn begins_after(&self, now: Timestamp) -> Option<Timestamp> {
        let ends = self.retires_at;
        self.activates_at
            .filter(|begin| *begin > now && ends.is_none_or(|end| end > *begin))
            .filter(|_| self.compromised_at.is_none())
    }

    /// Whether it stands in the JWKS at `now`, and tokens that it signed are accepted.
    #[must_use]
    pub fn verifies(&self, now: Timestamp) -> bool {
        self.compromised_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }

    /// Whether a replica needs its private half at `now` or later.
    #[must_use]
    pub fn is_needed(&self, now: Timestamp) -> bool {
        self.compromised_at.is_none() && self.retires_at.is_none_or(|at| at > now)
    }

    /// Where it stands at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> KeyState {
        if !self.verifies(now) {
            KeyState::Expired
        } else if self.retires_at.is_some_and(|at| at <= now) {
            KeyState::Retired
        } else if self.signs(now) {
            KeyState::Active
        } else {
            KeyState::Announced
        }
    }
}

#[cfg(test)]
mod tests;
