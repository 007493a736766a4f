//! File descriptors: each connection is one, and without one nothing can be opened, not even for a health check.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::bounds::OPERATIONS_CONNECTIONS;
use crate::config::settings::Settings;

/// For standard streams, listeners, the runtime, TLS files and what a library opens now and then.
const OTHERS: usize = 48;
/// A connection of SQLite has up to three files: database, log and shared memory.
const OF_DATABASE: usize = 3;
/// The least number of connections, whatever the limit says.
const FEWEST: usize = 8;

/// Raises the soft limit of descriptors to the hard one, and cuts `[limits] connections` to what it leaves beside the
/// operations listener, the database's connections and files.
pub fn fit(settings: &mut Settings) {
    let Some(most) = raise() else { return };
    let wanted = settings.limits.connections;
    let connections = left(most, settings.database.max_connections).min(wanted);
    if connections < wanted {
        tracing::warn!(
            descriptors = most,
            wanted,
            connections,
            "the file descriptor limit allows fewer connections than [limits] connections: raise it (ulimit -n, LimitNOFILE=)"
        );
    }
    settings.limits.connections = connections;
}

/// Connections beside all else, with so many descriptors.
fn left(most: usize, database: u32) -> usize {
    // SQLite has one writer beside the readers of the pool.
    let database = usize::try_from(database.saturating_add(1))
        .unwrap_or(usize::MAX)
        .saturating_mul(OF_DATABASE);
    let reserve = OTHERS
        .saturating_add(OPERATIONS_CONNECTIONS)
        .saturating_add(database);
    most.saturating_sub(reserve).max(FEWEST)
}

/// The limit afterwards; `None` if there is no limit.
fn raise() -> Option<usize> {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: before.maximum,
        ..before
    };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(error) => {
            tracing::warn!(%error, "cannot raise the file descriptor limit");
            before.current
        }
    };
    now.map(|most| usize::try_from(most).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_and_operations_have_a_reserve() {
        assert_eq!(left(256, 10), 256 - 48 - 32 - 33);
        assert_eq!(left(65_536, 10), 65_536 - 113);
        assert_eq!(left(20, 10), FEWEST);
    }
}
