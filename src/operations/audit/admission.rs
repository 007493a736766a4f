//! Which events of one batch are kept. A batch is written each second, so this bounds a second: a hundred at most, and
//! the first ones of each known client before any flood. Anybody can name a client; only a request that its credential
//! proves is surely its own. So strangers cannot fill some of the room at all, and some only with the names of known
//! clients.

use std::collections::HashSet;

/// Events that are kept of one batch.
const MOST: usize = 100;
/// How many of them any events may take.
const OF_ANYBODY: usize = 70;
/// How many of them any events, or the first that name a client, may take.
const OF_NAMED: usize = 85;

/// Whom an event is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rank<'a> {
    /// Nothing.
    Any,
    /// This client, which exists, and whether one of its credentials proved the request.
    Of(&'a str, bool),
    /// It is an alert, of which there are few.
    Alert,
}

/// What was admitted since the last batch.
#[derive(Debug, Default)]
pub(super) struct Admission {
    admitted: usize,
    clients: HashSet<(Box<str>, bool)>,
}

impl Admission {
    /// Whether one more may be kept.
    pub(super) fn admits(&mut self, rank: Rank<'_>) -> bool {
        let most = match rank {
            Rank::Alert => MOST,
            Rank::Of(client, is_proven) if self.is_first(client, is_proven) => {
                if is_proven {
                    MOST
                } else {
                    OF_NAMED
                }
            }
            Rank::Of(..) | Rank::Any => OF_ANYBODY,
        };
        let admits = self.admitted < most;
        if admits {
            self.admitted += 1;
            if let Rank::Of(client, is_proven) = rank {
                self.clients.insert((client.into(), is_proven));
            }
        }
        admits
    }

    fn is_first(&self, client: &str, is_proven: bool) -> bool {
        // At most a hundred, and only looked through where the room is short.
        self.admitted < OF_ANYBODY
            || !self
                .clients
                .iter()
                .any(|(known, proven)| **known == *client && *proven == is_proven)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of `number` are admitted.
    fn admitted(admission: &mut Admission, rank: Rank<'_>, number: usize) -> usize {
        (0..number).filter(|_| admission.admits(rank)).count()
    }

    #[test]
    fn a_flood_of_strangers_leaves_room_for_each_known_client() {
        let mut admission = Admission::default();
        assert_eq!(admitted(&mut admission, Rank::Any, 10_000), OF_ANYBODY);
        assert_eq!(admitted(&mut admission, Rank::Of("reader", false), 9), 1);
        assert_eq!(admitted(&mut admission, Rank::Of("worker", false), 9), 1);
        assert_eq!(admitted(&mut admission, Rank::Of("reader", true), 9), 1);
    }

    #[test]
    fn a_flood_of_known_names_leaves_room_for_what_is_proven_and_for_alerts() {
        let mut admission = Admission::default();
        let names: Vec<String> = (0..1000).map(|number| format!("client{number}")).collect();
        let flood = names
            .iter()
            .filter(|name| admission.admits(Rank::Of(name, false)));
        assert_eq!(flood.count(), OF_NAMED);
        assert_eq!(admitted(&mut admission, Rank::Of("client1", true), 9), 1);
        assert_eq!(
            admitted(&mut admission, Rank::Alert, 1000),
            MOST - OF_NAMED - 1
        );
        assert_eq!(admitted(&mut admission, Rank::Of("client2", true), 1), 0);
    }
}
