//! What a client or a source may spend (OPERATING section 5): failures that cost a full hash, and tokens.
//!
//! Only secrets that are not of the generated form cost such a hash, and one in the memory of verified secrets is judged
//! before anybody looks here; so clients with generated secrets, keys and certificates never meet the first budget.

mod table;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::settings::Budget;
use crate::domain::allowance::Allowance;
use crate::domain::budget_fault::BudgetFault;
use crate::domain::identifier::ClientId;
use crate::domain::timestamp::Seconds;
use table::SpentTable;

/// The longest that a refusal is held back.
const LATEST: Duration = Duration::from_secs(1);
const MINUTE: Seconds = Seconds::new(60);
/// How failures of a source are forgotten where it waits behind sources with fewer: one a minute. Of many sources that
/// attack together each gets a hash every few seconds; had it paid that back by then, nobody else would come before it.
const STANDING: Allowance = Allowance {
    events: NonZeroU32::new(60).expect("it is not zero"),
    per: Seconds::new(3600),
};

/// What each client and source has spent since the start, as far as it is remembered.
#[derive(Debug)]
pub struct Budgets {
    clock: Clock,
    spent: SpentTable,
    /// Of a client id at a source.
    failures: Option<Allowance>,
    /// Of a source, whatever ids it names.
    source_failures: Option<Allowance>,
}

/// Who spends what.
#[derive(Hash)]
enum Key<'k> {
    Failures(&'k str, Network),
    SourceFailures(Network),
    Standing(Network),
    Refusals(Network),
    Tokens(&'k str),
}

/// Where a source is: an IPv4 address, or the first 64 bits of an IPv6 address.
#[derive(Clone, Copy, Hash)]
enum Network {
    V4(u32),
    V6([u16; 4]),
}

impl Budgets {
    /// Budgets of which nothing is spent.
    #[must_use]
    pub fn new(settings: &Budget, clock: Clock) -> Self {
        Self {
            clock,
            spent: SpentTable::new(),
            failures: Allowance::new(settings.failures, settings.per),
            source_failures: Allowance::new(settings.source_failures, settings.per),
        }
    }

    /// Nothing of any budget is spent.
    pub(super) fn begin_anew(&self) {
        self.spent.clear();
    }

    /// Whether a secret may be hashed at full cost, for the client id that was presented, known or not. Returns how many
    /// failures of its source are not forgotten: who has fewer goes first.
    ///
    /// # Errors
    /// The client id at this source, or the source, is past its failures.
    pub fn may_fail(&self, client_id: &str, source: IpAddr) -> Result<u64, BudgetFault> {
        let network = Network::of(source);
        let key = Key::Failures(client_id, network);
        self.fits(self.failures, &key)
            .map_err(BudgetFault::Failures)?;
        let key = Key::SourceFailures(network);
        self.fits(self.source_failures, &key)
            .map_err(BudgetFault::SourceFailures)?;
        let standing = self.spent.spent(&Key::Standing(network));
        Ok(STANDING.outstanding(standing, self.now()))
    }

    /// A secret was hashed at full cost, and it was wrong.
    pub fn failed(&self, client_id: &str, source: IpAddr) {
        let network = Network::of(source);
        self.spend(self.failures, &Key::Failures(client_id, network));
        self.spend(self.source_failures, &Key::SourceFailures(network));
        let standing = self.source_failures.map(|_| STANDING);
        self.spend(standing, &Key::Standing(network));
    }

    /// A source failed to authenticate, by whatever method, or was past its failures already.
    pub fn refused(&self, source: IpAddr) {
        self.spend(self.source_failures, &Key::Refusals(Network::of(source)));
    }

    /// How long a refusal to a source is delayed, so that a guesser must wait for each answer.
    #[must_use]
    pub fn lateness(&self, source: IpAddr) -> Duration {
        let key = Key::Refusals(Network::of(source));
        let wait = self
            .fits(self.source_failures, &key)
            .err()
            .unwrap_or_default();
        wait.min(LATEST)
    }

    /// Takes one of the tokens that this replica may issue to the client in a minute.
    ///
    /// # Errors
    /// None is left.
    pub fn take_token(&self, client: &ClientId, per_minute: NonZeroU32) -> Result<(), BudgetFault> {
        let allowance = Allowance {
            events: per_minute,
            per: MINUTE,
        };
        let now = self.now();
        self.spent.change(&Key::Tokens(client.as_str()), |spent| {
            if let Some(wait) = allowance.wait(*spent, now) {
                return Err(BudgetFault::Tokens { wait, per_minute });
            }
            *spent = allowance.spend(*spent, now);
            Ok(())
        })
    }

    /// Whether one more event fits, or how long until it does.
    fn fits(&self, allowance: Option<Allowance>, key: &Key<'_>) -> Result<(), Duration> {
        let wait = allowance.and_then(|it| it.wait(self.spent.spent(key), self.now()));
        wait.map_or(Ok(()), Err)
    }

    fn spend(&self, allowance: Option<Allowance>, key: &Key<'_>) {
        if let Some(allowance) = allowance {
            let now = self.now();
            self.spent
                .change(key, |spent| *spent = allowance.spend(*spent, now));
        }
    }

    /// Milliseconds: setting the machine's clock does not move it.
    fn now(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Network {
    fn of(source: IpAddr) -> Self {
        match source.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => {
                let [first, second, third, fourth, ..] = address.segments();
                Self::V6([first, second, third, fourth])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timestamp::Timestamp;

    #[test]
    fn a_failure_is_held_against_its_source_for_a_minute_whatever_it_tries_next() {
        let clock = Clock::still(Timestamp::from_unix(1_000_000));
        let budgets = Budgets::new(&Budget::default(), clock.clone());
        let [here, elsewhere] = ["192.0.2.1", "192.0.2.2"].map(|it| it.parse().unwrap());
        budgets.failed("a", here);
        // Longer than it takes until one of 150 sources has its turn again.
        clock.advance(Seconds::new(30));
        assert_eq!(budgets.may_fail("b", here), Ok(1));
        assert_eq!(budgets.may_fail("a", elsewhere), Ok(0));
        clock.advance(Seconds::new(30));
        assert_eq!(budgets.may_fail("a", here), Ok(0));
    }
}
