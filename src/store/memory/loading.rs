//! Whether all of something is in memory: a load counts only where no other began meanwhile.

/// The loads of one collection.
#[derive(Debug, Default)]
pub(super) struct Loading {
    newest: u64,
    is_done: bool,
}

impl Loading {
    /// The one that begins after this one; its number is [`Loading::newest`].
    #[must_use]
    pub(super) const fn next(&self) -> Self {
        Self {
            newest: self.newest + 1,
            is_done: false,
        }
    }

    /// The number of the newest load.
    #[must_use]
    pub(super) const fn newest(&self) -> u64 {
        self.newest
    }

    /// That load has ended.
    pub(super) const fn end(&mut self, load: u64) {
        self.is_done |= self.newest == load;
    }

    /// Whether the newest load has ended.
    #[must_use]
    pub(super) const fn is_done(&self) -> bool {
        self.is_done
    }
}
