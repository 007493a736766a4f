//! Where a value stands, as errors name it.

use std::fmt;

/// The keys that lead to a value.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    /// What stands before the key of the outermost table.
    Top(&'p str),
    /// A key, and what divides it from the keys before.
    Key(&'p Path<'p>, &'p str, &'static str),
}

impl<'p> Path<'p> {
    pub(super) const fn with(&'p self, key: &'p str, divider: &'static str) -> Self {
        Self::Key(self, key, divider)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top(title) => f.write_str(title),
            Self::Key(Path::Top(title), key, _) => write!(f, "{title}{key}"),
            Self::Key(path, key, divider) => write!(f, "{path}{divider}{key}"),
        }
    }
}
