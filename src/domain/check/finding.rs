//! What is said of a check that failed.

use std::borrow::Cow;

use super::Check;

/// A failed check: what came instead of what was expected, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding<'f> {
    /// The check.
    pub check: Check,
    /// What came, in words of the request; what may be a secret is cut, see [`shown`](crate::domain::shown).
    pub found: Cow<'f, str>,
    /// What an operator or the client's developer can do about it; `None` where nobody need.
    pub remedy: Option<Cow<'f, str>>,
}

impl<'f> Finding<'f> {
    /// Something that nobody need do anything about.
    #[must_use]
    pub fn new(check: Check, found: impl Into<Cow<'f, str>>) -> Self {
        Self {
            check,
            found: found.into(),
            remedy: None,
        }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn remedy(self, remedy: impl Into<Cow<'f, str>>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }

    /// The same, with one thing more that can be done about it.
    #[must_use]
    pub fn or(self, other: &'static str) -> Self {
        let both = self.remedy.as_ref().map(|it| format!("{it}; {other}"));
        self.remedy(both.map_or(Cow::Borrowed(other), Cow::Owned))
    }
}
