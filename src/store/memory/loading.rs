//! What is loaded whole into memory: a load counts only where no other began meanwhile.

/// `T`, and whether all of it is there.
#[derive(Debug, Default)]
pub(super) struct Loading<T> {
    pub(super) held: T,
    newest: u64,
    is_done: bool,
}

impl<T: Default> Loading<T> {
    /// Forgets everything before a load; gives the number of this load.
    pub(super) fn begin(&mut self) -> u64 {
        *self = Self {
            newest: self.newest + 1,
            ..Self::default()
        };
        self.newest
    }

    /// The load of this number has ended.
    pub(super) const fn end(&mut self, load: u64) {
        self.is_done |= self.newest == load;
    }

    /// Whether the newest load has ended.
    pub(super) const fn is_done(&self) -> bool {
        self.is_done
    }
}
