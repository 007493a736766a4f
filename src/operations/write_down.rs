//! The only place that records how a request was decided. Log line and audit event are views of the same value.

use std::net::IpAddr;
use std::time::Duration;

use super::Grantd;
use super::audit::Raised;
use super::metrics::TOKEN;
use crate::domain::budget_fault::BudgetFault;
use crate::domain::decision::{Decided, Decision, Outcome};
use crate::domain::refusal::{ClientFault, Refusal};
use crate::telemetry;

impl Grantd {
    /// Counts a request that was decided, and writes its log line, and its audit event where it was refused or abandoned,
    /// or its token is inactive.
    pub fn write_down(&self, decided: &mut Decided) {
        let known = self.known_client(decided);
        self.count(decided, known);
        let is_kept = matches!(
            decided.outcome,
            Outcome::Refused(_) | Outcome::Abandoned | Outcome::Inactive(_)
        );
        let known = known.filter(|_| is_kept).map(str::to_owned);
        if is_kept {
            self.recognise_neighbour(&mut decided.decision);
        }
        telemetry::log_decided(decided, self.settings.log.issued);
        if is_kept {
            self.keep(decided, known.as_deref());
        }
    }

    /// Counts a request in metrics and in the usage of tokens, before anything else is made of its record; `client` as
    /// [`Self::known_client`] tells it.
    fn count(&self, decided: &Decided, client: Option<&str>) {
        let is_wasted = self.memory.metrics.count(decided, client);
        if decided.decision.endpoint == TOKEN {
            let now = self.clocks.database_now();
            self.usage.note(decided, (client, is_wasted), now);
        }
    }

    /// The client id that a request named, where there is such a client, proven or not.
    fn known_client<'d>(&self, decided: &'d Decided) -> Option<&'d str> {
        let claimed = decided.decision.client.as_ref()?;
        let is_unknown = matches!(
            decided.outcome,
            Outcome::Refused(Refusal::Client(ClientFault::UnknownClient))
        );
        // What was refused before the client was looked up is known by memory alone.
        let is_known =
            || !is_unknown && self.memory.directory.ids().seem_to_have(claimed.as_text());
        (claimed.is_recognised() || is_known()).then(|| claimed.as_text())
    }

    /// Hands the audit event in, and the alert that it raises; `known` is the client that was named, where it exists.
    fn keep(&self, decided: &Decided, known: Option<&str>) {
        let now = self.clocks.database_now();
        self.audit.decided(decided, known, now);
        if let Some(raised) = known.and_then(|known| Raised::by(decided, known)) {
            self.audit.raise(&raised, now);
        }
    }

    /// How long an answer is delayed. Only refusals are, and only to an address that has failed to authenticate too
    /// often.
    #[must_use]
    pub fn lateness(&self, outcome: &Outcome, source: IpAddr) -> Duration {
        let Outcome::Refused(refusal) = outcome else {
            return Duration::ZERO;
        };
        let is_failure = matches!(
            refusal,
            Refusal::Client(_)
                | Refusal::Budget(BudgetFault::Failures(_) | BudgetFault::SourceFailures(_))
        );
        if is_failure {
            self.budgets.refused(source);
        }
        self.budgets.lateness(source)
    }

    /// Recognises a client whose id is almost the one that a refused request named, so that the log shows a typing error
    /// and hides a secret. It comes after the decision and whatever that was: no answer takes longer for one id than for
    /// another.
    fn recognise_neighbour(&self, decision: &mut Decision) {
        let Some(claimed) = &mut decision.client else {
            return;
        };
        if claimed
            .suspect()
            .is_some_and(|id| self.memory.directory.has_neighbour(id))
        {
            claimed.recognise();
        }
    }
}
