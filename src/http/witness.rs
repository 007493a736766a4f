//! Who looks on while a request is judged: in `serve` nobody; in `grantd dev` the control listener, which shows tests
//! what was asked, and spoils answers as they wish.

use std::sync::Arc;

use axum::extract::Request;

use crate::domain::decision::{Decided, Decision, Outcome};

/// Somebody who looks on.
pub trait LooksOn: Send + Sync {
    /// Is shown how a request would end, before that is written down. Gives how it ends.
    fn judged(&self, decision: &Decision, outcome: Outcome) -> Outcome;

    /// Is shown what was written down.
    fn written(&self, decided: &Decided);
}

/// Whoever looks on. A layer around the router puts it into the extensions of a request; without one nobody does.
#[derive(Clone, Default)]
pub struct Witness(Option<Arc<dyn LooksOn>>);

impl Witness {
    /// This one looks on.
    #[must_use]
    pub fn new(looks_on: Arc<dyn LooksOn>) -> Self {
        Self(Some(looks_on))
    }

    /// The one of this request.
    pub(super) fn of(request: &mut Request) -> Self {
        request.extensions_mut().remove().unwrap_or_default()
    }

    pub(super) fn judged(&self, decision: &Decision, outcome: Outcome) -> Outcome {
        match &self.0 {
            Some(it) => it.judged(decision, outcome),
            None => outcome,
        }
    }

    pub(super) fn written(&self, decided: &Decided) {
        if let Some(it) = &self.0 {
            it.written(decided);
        }
    }
}
