//! Looks on at one request, and lets a fault take the place of its answer.

use parking_lot::Mutex;

use crate::control::endpoint::Endpoint;
use crate::control::faults::{Struck, Target};
use crate::control::state::Control;
use crate::crypto::random::random_bytes;
use crate::domain::decision::{ClaimedClient, Decided, Decision, Outcome};
use crate::http::witness::LooksOn;

/// What is seen of one request.
pub(super) struct Sight {
    control: Control,
    endpoint: Endpoint,
    seen: Mutex<Seen>,
}

/// What was seen.
#[derive(Default)]
pub(super) struct Seen {
    /// Where an endpoint judged it.
    pub(super) decided: Option<Decided>,
    /// Whether one did, so that faults were looked for.
    pub(super) is_judged: bool,
    /// The fault that strikes.
    pub(super) struck: Option<Struck>,
}

impl Sight {
    pub(super) fn new(control: Control, endpoint: Endpoint) -> Self {
        Self {
            control,
            endpoint,
            seen: Mutex::default(),
        }
    }

    /// What was seen so far.
    pub(super) fn take(&self) -> Seen {
        std::mem::take(&mut *self.seen.lock())
    }

    /// The fault that strikes.
    pub(super) fn struck_by(&self, client_id: Option<&str>, is_issued: bool) -> Option<Struck> {
        let target = Target {
            endpoint: self.endpoint,
            client_id,
            is_issued,
        };
        self.control.faults().strike(target, chance)
    }
}

impl LooksOn for Sight {
    fn judged(&self, decision: &Decision, outcome: Outcome) -> Outcome {
        let client_id = decision.client.as_ref().map(ClaimedClient::as_text);
        let struck = self.struck_by(client_id, matches!(outcome, Outcome::Issued));
        let spoils = struck.as_ref().is_some_and(|it| it.spec.spoils());
        let mut seen = self.seen.lock();
        (seen.is_judged, seen.struck) = (true, struck);
        if spoils {
            Outcome::Spoiled(Box::new(outcome))
        } else {
            outcome
        }
    }

    fn written(&self, decided: &Decided) {
        self.seen.lock().decided = Some(decided.clone());
    }
}

/// From 0 to below 1.
fn chance() -> f64 {
    let bits = u32::from_le_bytes(random_bytes());
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}
