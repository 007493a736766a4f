//! Whether clients cache their tokens: how many each got, and how many of them while an equal one was fresh.
//!
//! Exact, and begun anew by a reset: what metrics count is neither.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::domain::decision::{ClaimedClient, Decided, Delegation};
use crate::domain::identifier::AudienceId;
use crate::domain::scope::ScopeSet;
use crate::domain::timestamp::Timestamp;

/// So many clients are counted; further ones are not.
const MOST_CLIENTS: usize = 20_000;
/// Of one client so many kinds of tokens are told apart.
const MOST_KINDS: usize = 1000;

/// What was issued, by client.
#[derive(Default)]
pub(super) struct Waste(Mutex<HashMap<String, OfClient>>);

/// What one could use a token for: where, for what, and for whom.
type Kind = (AudienceId, ScopeSet, Option<Box<Delegation>>);

/// What one client got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) tokens: u64,
    pub(super) wasted: u64,
}

#[derive(Default)]
struct OfClient {
    counts: Counts,
    /// Until when a token has more than half of its life left, by what one could use it for.
    fresh_until: HashMap<Kind, Timestamp>,
}

impl Waste {
    /// Counts a token, where one was issued.
    pub(super) fn note(&self, decided: &Decided) {
        let decision = &decided.decision;
        let client = decision.client.as_ref().map(ClaimedClient::as_text);
        let granted = decision
            .audience
            .clone()
            .zip(decision.scopes_granted.clone());
        let kind =
            granted.map(|(audience, scopes)| (audience, scopes, decision.delegation.clone()));
        let fresh_until = decided.fresh_until();
        if let (Some(client), Some(kind), Some(fresh_until)) = (client, kind, fresh_until) {
            self.put(client, kind, (decision.at, fresh_until));
        }
    }

    fn put(&self, client: &str, kind: Kind, (now, fresh_until): (Timestamp, Timestamp)) {
        let mut clients = self.0.lock();
        if clients.len() >= MOST_CLIENTS && !clients.contains_key(client) {
            return;
        }
        let of = clients.entry(client.to_owned()).or_default();
        of.counts.tokens += 1;
        if of.fresh_until.get(&kind).is_some_and(|until| *until > now) {
            of.counts.wasted += 1;
        }
        if of.fresh_until.len() < MOST_KINDS || of.fresh_until.contains_key(&kind) {
            of.fresh_until.insert(kind, fresh_until);
        }
    }

    /// What `client` got.
    pub(super) fn of(&self, client: &str) -> Counts {
        let clients = self.0.lock();
        clients
            .get(client)
            .map_or_else(Counts::default, |it| it.counts)
    }

    /// Counts from nought.
    pub(super) fn forget(&self) {
        self.0.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scope::Scope;

    #[test]
    fn a_token_is_wasted_while_an_equal_one_has_more_than_half_of_its_life_left() {
        let waste = Waste::default();
        let got = |scope: &str, at| {
            let audience = AudienceId::parse("api").unwrap();
            let scopes = std::iter::once(Scope::parse(scope).unwrap()).collect();
            let at = Timestamp::from_unix(at);
            let fresh_until = Timestamp::from_unix(at.unix() + 150);
            waste.put("orders", (audience, scopes, None), (at, fresh_until));
            let Counts { tokens, wasted } = waste.of("orders");
            (tokens, wasted)
        };
        assert_eq!(got("read", 1000), (1, 0));
        assert_eq!(got("write", 1000), (2, 0));
        assert_eq!(got("read", 1149), (3, 1), "151 of 300 seconds are left");
        assert_eq!(
            got("read", 1299),
            (4, 1),
            "150 of 300 are left of the second one"
        );
        assert_eq!(waste.of("web-shop"), Counts::default());
        waste.forget();
        assert_eq!(got("read", 1300), (1, 0));
    }
}
