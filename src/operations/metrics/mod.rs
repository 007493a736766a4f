//! What is counted of requests: a view of the one record that is made of each (OPERATING sections 1 and 4). Labels name
//! what exists, and nothing that a stranger makes up; however much a stranger sends, memory does not grow.

mod by_client;
mod by_issuer;
mod client_series;
mod counts;
mod expose;
mod issuers;
mod labels;
mod requests;
mod waste;

use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::alert::Alert;
use crate::domain::budget_fault::BudgetFault;
use crate::domain::decision::{Decided, Outcome};
use crate::domain::refusal::Refusal;
use crate::domain::timestamp::Timestamp;
use crate::store::expiries::Expiry;
use crate::telemetry::metrics::{Counter, Histogram};
use by_client::ByClient;
use labels::{INTROSPECTION, REVOCATION};
use waste::RecentTokens;

pub(super) use by_issuer::ByIssuer;
pub(super) use expose::expose;
pub(super) use labels::{OTHER, TOKEN};

/// The upper bounds of durations, in seconds.
const DURATIONS: &[f64] = &[
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0,
];

/// What one replica has counted since its start.
#[derive(Debug)]
pub struct Metrics {
    started: Timestamp,
    pub(super) by_client: ByClient,
    pub(super) by_issuer: Arc<ByIssuer>,
    token_durations: Histogram,
    introspection_durations: Histogram,
    revocation_durations: Histogram,
    recent_tokens: RecentTokens,
    budgets: BudgetRefusals,
    pub(super) surveyed: Mutex<Surveyed>,
    /// Changes that were read from the feed.
    pub(super) feed_changes: Counter,
}

impl Metrics {
    /// Nothing was counted yet; at most `clients` have a label of their own.
    #[must_use]
    pub fn new(clients: usize, started: Timestamp) -> Self {
        let durations = || Histogram::new(DURATIONS);
        Self {
            started,
            by_client: ByClient::new(clients),
            by_issuer: Arc::default(),
            token_durations: durations(),
            introspection_durations: durations(),
            revocation_durations: durations(),
            recent_tokens: RecentTokens::new(),
            budgets: BudgetRefusals::default(),
            surveyed: Mutex::default(),
            feed_changes: Counter::default(),
        }
    }

    /// Counts a request that was decided; `client` where the id that it named is one. Tells whether it issued a token
    /// that was wasted.
    pub(super) fn count(&self, decided: &Decided, client: Option<&str>) -> bool {
        let Some(durations) = self.durations(decided.decision.endpoint) else {
            return false;
        };
        durations.observe(decided.took.as_secs_f64());
        self.budgets.count(&decided.outcome);
        let is_wasted = self.recent_tokens.is_wasted(decided);
        self.by_issuer.request(decided);
        // Who names no client that exists raises none.
        let alert = client.and_then(|_| Alert::of(&decided.outcome));
        self.by_client.note(client, |series| {
            series.request(&decided.decision, decided.outcome.as_str());
            series.wasted += u64::from(is_wasted);
            if let Some(alert) = alert {
                series.alerts.add(alert.as_str());
            }
        });
        is_wasted
    }

    /// An alert that no request raised, and the client that it is about.
    pub(super) fn raised(&self, (alert, client): (Alert, Option<&str>)) {
        self.by_client
            .note(client, |series| series.alerts.add(alert.as_str()));
    }

    /// Something of the client `id` changed: its labels are looked at again.
    pub(super) fn client_changed(&self, id: &str) {
        self.by_client.mark(id);
    }

    /// An audience changed.
    pub(super) fn audience_changed(&self) {
        self.by_client.mark_other();
    }

    /// Anything may have changed.
    pub(super) fn all_changed(&self) {
        self.by_client.mark_all();
    }

    fn durations(&self, endpoint: &str) -> Option<&Histogram> {
        match endpoint {
            TOKEN => Some(&self.token_durations),
            INTROSPECTION => Some(&self.introspection_durations),
            REVOCATION => Some(&self.revocation_durations),
            _ => None,
        }
    }
}

/// What was found when the database was asked last.
#[derive(Clone, Debug, Default)]
pub(super) struct Surveyed {
    pub(super) expiries: Vec<Expiry>,
    pub(super) used_assertions: Option<i64>,
}

/// Requests that met a budget which was spent.
#[derive(Debug, Default)]
struct BudgetRefusals {
    failures: Counter,
    tokens: Counter,
}

impl BudgetRefusals {
    fn count(&self, outcome: &Outcome) {
        let Outcome::Refused(Refusal::Budget(fault)) = outcome else {
            return;
        };
        match fault {
            BudgetFault::Failures(_) | BudgetFault::SourceFailures(_) => self.failures.increment(),
            BudgetFault::Tokens { .. } => self.tokens.increment(),
        }
    }
}
