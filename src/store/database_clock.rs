//! The database's clock, which all replicas and commands share.
//!
//! Times that others read, and deletions, go by it, so a machine with a wrong clock does no harm to others (DESIGN
//! section 1). On SQLite it is the machine's own clock.

use std::time::Duration;

use crate::clock::Clock;
use crate::domain::timestamp::{Seconds, Timestamp};

/// How long expired rows are kept. The database's clock may be set back, a standby with another clock may take over,
/// and a replica's clock may differ by up to a minute.
pub const MARGIN: Seconds = Seconds::new(600);

/// The time on Postgres, in milliseconds: that of the statement, not of the transaction's begin.
macro_rules! postgres_time {
    () => {
        "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)"
    };
}
pub(super) use postgres_time;

/// The time on SQLite, in milliseconds.
macro_rules! sqlite_time {
    () => {
        "CAST(round(unixepoch('subsec') * 1000) AS INTEGER)"
    };
}
pub(super) use sqlite_time;

/// Where the database's time comes from.
#[derive(Clone, Debug, Default)]
pub(super) enum DatabaseClock {
    /// The database is asked.
    #[default]
    Asked,
    /// The time comes from this clock, which tests move; those of grantd also set two clocks apart.
    Following(Clock),
}

impl DatabaseClock {
    /// The time, where the database itself said `milliseconds` since the Unix epoch.
    pub(super) fn read(&self, milliseconds: i64) -> DatabaseTime {
        DatabaseTime(match self {
            Self::Asked => milliseconds,
            Self::Following(clock) => clock.unix_milliseconds(),
        })
    }
}

/// A time of the database's clock, in milliseconds since the Unix epoch. Only the store makes one, so a machine's
/// time cannot be passed by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DatabaseTime(i64);

impl DatabaseTime {
    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_milliseconds(self) -> i64 {
        self.0
    }

    /// The second that it is in.
    #[must_use]
    pub const fn second(self) -> Timestamp {
        Timestamp::from_unix(self.0.div_euclid(1000))
    }

    /// The first whole second that is not before it.
    #[must_use]
    pub const fn next_second(self) -> Timestamp {
        Timestamp::from_unix(self.0.saturating_add(999).div_euclid(1000))
    }

    /// What expired before this second may be deleted.
    #[must_use]
    pub fn forget_before(self) -> Timestamp {
        self.second().minus(MARGIN)
    }

    /// For tests of what is forgotten.
    #[cfg(test)]
    pub(crate) const fn from_unix(seconds: i64) -> Self {
        Self(seconds * 1000)
    }
}

/// What the database's clock said, and between which moments of the reader's monotonic clock it said so.
#[derive(Clone, Copy, Debug)]
pub struct ClockReading {
    /// What it said.
    pub database: DatabaseTime,
    /// When it was asked.
    pub asked: Duration,
    /// When the answer was there.
    pub answered: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_belongs_to_its_second_and_to_none_before_the_next() {
        let seconds = |time: DatabaseTime| (time.second().unix(), time.next_second().unix());
        assert_eq!(seconds(DatabaseTime(7000)), (7, 7));
        assert_eq!(seconds(DatabaseTime(7001)), (7, 8));
        assert_eq!(seconds(DatabaseTime(7999)), (7, 8));
    }
}
