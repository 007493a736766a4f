//! What a grant gives: all that tells one grant from another.

use crate::domain::policy::Policy;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::operations::authenticate_client::StandingClient;
use crate::operations::basis::Basis;

/// For whom a token may be, and within what.
#[derive(Debug)]
pub(super) struct Entitlement<'l, B: Basis> {
    /// Who the token is for: its `sub`.
    pub(super) subject: &'l str,
    /// Who acts with it: its `client_id`.
    pub(super) actor: StandingClient<'l, B>,
    /// What may be granted: one of these, which hold for this request.
    pub(super) policies: Vec<&'l Policy>,
    /// When the token ends at the latest; `None` leaves it to the policy.
    pub(super) until: Option<Timestamp>,
}

impl<B: Basis> Entitlement<'_, B> {
    /// How long a token lives that begins at `now` and that policy gives `granted`.
    pub(super) fn lifetime(&self, granted: Seconds, longest: Seconds, now: Timestamp) -> Seconds {
        lifetime(granted.min(longest), self.until, now)
    }
}

fn lifetime(most: Seconds, until: Option<Timestamp>, now: Timestamp) -> Seconds {
    let left = |until: Timestamp| u32::try_from(until.unix().saturating_sub(now.unix()).max(0));
    match until.map(left) {
        Some(Ok(left)) => most.min(Seconds::new(left)),
        Some(Err(_)) | None => most,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_outlives_neither_its_policy_nor_what_it_was_granted_for() {
        let at = Timestamp::from_unix;
        for (until, lives) in [
            (None, 300),
            (Some(at(1_100)), 100),
            (Some(at(2_000)), 300),
            (Some(at(900)), 0),
            (Some(at(i64::MAX)), 300),
        ] {
            let lifetime = lifetime(Seconds::new(300), until, at(1_000));
            assert_eq!(lifetime.get(), lives, "{until:?}");
        }
    }
}
