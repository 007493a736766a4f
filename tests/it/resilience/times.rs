//! From when to when things were so.

use std::sync::Mutex;
use std::time::Duration;

/// From when to when something was done, or was so; without an end it still is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) from: Duration,
    pub(super) to: Option<Duration>,
}

impl Span {
    pub(super) fn meets(self, other: Self) -> bool {
        let begins_before_the_end = |one: Self, two: Self| two.to.is_none_or(|to| one.from <= to);
        begins_before_the_end(self, other) && begins_before_the_end(other, self)
    }

    pub(super) fn is_before(self, at: Duration) -> bool {
        self.to.is_some_and(|to| to < at)
    }
}

/// The times at which one thing was so.
#[derive(Debug, Default)]
pub(super) struct Times(pub(super) Mutex<Vec<Span>>);

impl Times {
    pub(super) fn meet(&self, span: Span) -> bool {
        self.0.lock().unwrap().iter().any(|it| it.meets(span))
    }

    pub(super) fn begin(&self, span: Span) {
        self.0.lock().unwrap().push(span);
    }

    pub(super) fn end(&self, span: Span) {
        *self.0.lock().unwrap().last_mut().unwrap() = span;
    }
}
