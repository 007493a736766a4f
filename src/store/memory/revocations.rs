//! Live revocations in memory, as fingerprints: introspecting a live token asks no database.
//!
//! A fingerprint that is there must be confirmed by SQL; one that is not there proves that the token is not
//! revoked, once all revocations are loaded.

use std::collections::HashMap;

use parking_lot::RwLock;

use super::fingerprint::Fingerprints;
use super::loading::Loading;
use crate::store::database_clock::DatabaseTime;
use crate::store::revoked_tokens::RevokedToken;

/// Revocations that are held at most (16 bytes each and the map's own); past it the database is asked.
const MOST: usize = 2_000_000;

/// The revocations that this replica knows of.
#[derive(Debug)]
pub struct Revocations {
    fingerprints: Fingerprints,
    inner: RwLock<Loading<Inner>>,
    most: usize,
}

impl Default for Revocations {
    fn default() -> Self {
        Self {
            fingerprints: Fingerprints::default(),
            inner: RwLock::default(),
            most: MOST,
        }
    }
}

#[derive(Debug, Default)]
struct Inner {
    live: HashMap<u64, i64>,
    overflown: bool,
}

impl Revocations {
    /// Whether the token is surely not revoked; else the database must be asked.
    #[must_use]
    pub fn surely_not(&self, jti: &str) -> bool {
        let inner = self.inner.read();
        inner.is_done()
            && !inner.held.overflown
            && !inner.held.live.contains_key(&self.fingerprints.short(jti))
    }

    /// Adds revocations that hold.
    pub fn add(&self, tokens: &[RevokedToken]) {
        let inner = &mut self.inner.write().held;
        for token in tokens {
            if inner.live.len() >= self.most {
                inner.overflown = true;
                return;
            }
            inner
                .live
                .insert(self.fingerprints.short(&token.jti), token.expires_at.unix());
        }
    }

    /// Forgets everything before a load; gives the number of this load.
    #[must_use]
    pub fn begin_load(&self) -> u64 {
        self.inner.write().begin()
    }

    /// All revocations are in, unless another load began meanwhile.
    pub fn end_load(&self, load: u64) {
        self.inner.write().end(load);
    }

    /// Whether all revocations are in memory.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.inner.read().is_done()
    }

    /// Forgets revocations of tokens that have expired by the database's clock, with the margin that rows have, too:
    /// a clock that is set back revives none.
    ///
    /// Returns whether a load is due, because there was no room for all of them and now there is.
    pub fn prune(&self, now: DatabaseTime) -> bool {
        let inner = &mut self.inner.write().held;
        inner
            .live
            .retain(|_, expires_at| *expires_at >= now.forget_before().unix());
        inner.overflown && inner.live.len() < self.most / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timestamp::Timestamp;

    /// The margin after the second in which [`token`] expires.
    const KEPT_UNTIL: i64 = 700;

    fn token(jti: &str) -> RevokedToken {
        RevokedToken {
            jti: jti.into(),
            expires_at: Timestamp::from_unix(100),
        }
    }

    #[test]
    fn nothing_is_sure_before_all_is_loaded() {
        let revocations = Revocations::default();
        assert!(!revocations.surely_not("a"));
        let load = revocations.begin_load();
        revocations.add(&[token("b")]);
        assert!(!revocations.surely_not("a"));
        revocations.end_load(load);
        assert!(revocations.surely_not("a"));
        assert!(!revocations.surely_not("b"));
        assert!(!revocations.prune(DatabaseTime::from_unix(KEPT_UNTIL)));
        assert!(!revocations.surely_not("b"));
        assert!(!revocations.prune(DatabaseTime::from_unix(KEPT_UNTIL + 1)));
        assert!(revocations.surely_not("b"));
    }

    #[test]
    fn where_there_was_no_room_nothing_is_sure_until_all_is_loaded_again() {
        let revocations = Revocations {
            most: 2,
            ..Revocations::default()
        };
        let load = revocations.begin_load();
        revocations.add(&["a", "b", "c"].map(token));
        revocations.end_load(load);
        assert!(!revocations.surely_not("c") && !revocations.surely_not("d"));
        assert!(!revocations.prune(DatabaseTime::from_unix(KEPT_UNTIL)));
        assert!(revocations.prune(DatabaseTime::from_unix(KEPT_UNTIL + 1)));
        assert!(!revocations.surely_not("d"));
        let load = revocations.begin_load();
        revocations.end_load(load);
        assert!(revocations.surely_not("d"));
    }

    #[test]
    fn a_load_that_another_one_overtook_does_not_count() {
        let revocations = Revocations::default();
        let first = revocations.begin_load();
        let second = revocations.begin_load();
        revocations.end_load(first);
        assert!(!revocations.is_loaded());
        revocations.end_load(second);
        assert!(revocations.is_loaded());
    }
}
