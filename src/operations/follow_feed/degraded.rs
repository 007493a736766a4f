//! Which parts of this replica are degraded, as far as the feed and what it loads tell.

use super::Feed;
use crate::operations::troubles::{Degraded, Trouble};

impl Feed {
    /// The degraded parts; `key_sources` is what is wrong with the keys that clients publish by URL.
    #[must_use]
    pub fn degraded(&self, key_sources: Option<String>) -> Vec<Degraded> {
        self.look(Trouble::KeySources, key_sources.map(|it| (it, false)));
        self.look(Trouble::Keys, self.trouble_with_keys());
        let stale = self.check_fresh().err();
        self.look(Trouble::Feed, stale.map(|error| (error.to_string(), true)));
        self.troubles.all()
    }

    fn trouble_with_keys(&self) -> Option<(String, bool)> {
        match &*self.memory.keys.load() {
            None => Some(("the signing keys are not loaded".to_owned(), true)),
            Some(keys) => keys.unopened(self.clocks.database_now()).trouble(),
        }
    }

    fn look(&self, what: Trouble, trouble: Option<(String, bool)>) {
        match trouble {
            Some(trouble) => self.troubles.note(what, self.clocks.now(), trouble),
            None => self.troubles.clear(what),
        };
    }
}
