//! The scopes of a request: whatever somebody sent, until they are granted.

use std::fmt;

use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::shown;

/// The scopes that were asked for by name. Each is shown by the rule of [`shown::unknown`] until they are granted.
#[derive(Clone, PartialEq, Eq)]
pub struct AskedScopes {
    scopes: ScopeSet,
    are_granted: bool,
}

impl AskedScopes {
    /// Scopes of which nothing is known yet.
    #[must_use]
    pub const fn new(scopes: ScopeSet) -> Self {
        Self {
            scopes,
            are_granted: false,
        }
    }

    /// All of them exist.
    pub(super) const fn grant(&mut self) {
        self.are_granted = true;
    }
}

impl fmt::Display for AskedScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.are_granted {
            return self.scopes.fmt(f);
        }
        let shown = self.scopes.iter().map(Scope::as_str);
        let shown: Vec<String> = shown.map(|scope| shown::unknown(scope, [])).collect();
        f.write_str(&shown.join(" "))
    }
}

impl fmt::Debug for AskedScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
