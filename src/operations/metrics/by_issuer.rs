//! The series of trusted issuers. There are as many as the operator trusts, and a request is counted without a lock.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::domain::client::GrantType;
use crate::domain::decision::{Decided, Outcome};
use crate::domain::identifier::IssuerId;
use crate::domain::policy::SubjectSource;
use crate::domain::refusal::{ExchangeFault, GrantFault, Refusal};
use crate::domain::trusted_issuer::IssuerUse;
use crate::telemetry::metrics::Counter;

/// The series of issuers, by id.
#[derive(Debug, Default)]
pub(in crate::operations) struct ByIssuer(ArcSwap<Series>);

type Series = BTreeMap<IssuerId, Arc<IssuerSeries>>;

/// What is counted of one issuer.
#[derive(Debug, Default)]
pub(in crate::operations) struct IssuerSeries {
    of_clients: Tokens,
    exchanged: Tokens,
    grants: Tokens,
    /// Fetches of its keys.
    pub(in crate::operations) fetched: Counter,
    pub(in crate::operations) failed: Counter,
}

/// What came of tokens that were to be one thing.
#[derive(Debug, Default)]
struct Tokens {
    accepted: Counter,
    refused: Counter,
    unavailable: Counter,
}

impl ByIssuer {
    /// Counts something of `issuer`, which is trusted.
    pub(in crate::operations) fn note(&self, issuer: &IssuerId, count: impl FnOnce(&IssuerSeries)) {
        if let Some(series) = self.0.load().get(issuer) {
            return count(series);
        }
        self.0.rcu(|all| {
            let mut all = Series::clone(all);
            all.entry(issuer.clone()).or_default();
            all
        });
        // Where it was forgotten at this moment, it is trusted no more.
        if let Some(series) = self.0.load().get(issuer) {
            count(series);
        }
    }

    /// Counts the tokens of issuers that a request brought.
    pub(super) fn request(&self, decided: &Decided) {
        let (decision, outcome) = (&decided.decision, &decided.outcome);
        if let Some(issuer) = &decision.issuer {
            let is_refused = matches!(outcome, Outcome::Refused(Refusal::Client(_)));
            self.note(issuer, |it| it.of_clients.count(outcome, is_refused));
        }
        if let Some(SubjectSource::Issuer(issuer)) = &decision.from {
            let is_refused = matches!(
                outcome,
                Outcome::Refused(Refusal::Grant(
                    GrantFault::Assertion(_)
                        | GrantFault::Exchange(ExchangeFault::ForeignSubject(_))
                ))
            );
            self.note(issuer, |it| {
                let tokens = match decision.grant {
                    Some(GrantType::JwtBearer) => &it.grants,
                    _ => &it.exchanged,
                };
                tokens.count(outcome, is_refused);
            });
        }
    }

    /// Forgets the issuers of which `is_trusted` is false.
    pub(in crate::operations) fn keep_only(&self, is_trusted: impl Fn(&IssuerId) -> bool) {
        if self.0.load().keys().all(&is_trusted) {
            return;
        }
        self.0.rcu(|all| {
            let mut all = Series::clone(all);
            all.retain(|id, _| is_trusted(id));
            all
        });
    }

    pub(in crate::operations) fn all(&self) -> Arc<Series> {
        self.0.load_full()
    }
}

impl IssuerSeries {
    /// How many of its tokens were to be what, and what came of them; those that there were.
    pub(super) fn tokens(&self) -> impl Iterator<Item = (IssuerUse, &'static str, u64)> {
        let each = [
            (IssuerUse::Client, &self.of_clients),
            (IssuerUse::Exchange, &self.exchanged),
            (IssuerUse::Grant, &self.grants),
        ];
        let all = each.into_iter().flat_map(|(what, tokens)| {
            [
                (what, "accepted", tokens.accepted.get()),
                (what, "refused", tokens.refused.get()),
                (what, "unavailable", tokens.unavailable.get()),
            ]
        });
        all.filter(|(.., number)| *number > 0)
    }
}

impl Tokens {
    /// What is refused for another reason than the token counts as accepted: there was nothing wrong with it.
    fn count(&self, outcome: &Outcome, is_refused: bool) {
        match outcome {
            _ if is_refused => self.refused.increment(),
            Outcome::Unavailable(_) | Outcome::Abandoned => self.unavailable.increment(),
            _ => self.accepted.increment(),
        }
    }
}
