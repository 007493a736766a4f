//! Which answer is right when: by what was stopped, when the database was away, and when a replica was down.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use grantd::clock::Clock;

use super::times::{Span, Times};

/// So long after it was stopped a replica may answer as before: DESIGN section 1.
const GRACE: Duration = Duration::from_secs(1);

/// A command on the client that is stopped now and then.
#[derive(Clone, Copy, Debug)]
struct Act {
    at: Span,
    verb: Verb,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Disable,
    Enable,
    RevokeTokens,
}

/// What a request must get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    Yes,
    No,
    /// A replica may not have heard of the change.
    Either,
}

/// What happened, and how each request was answered.
pub(super) struct Law {
    clock: Clock,
    troubles: Times,
    down: [Times; 2],
    acts: Mutex<Vec<Act>>,
    counts: Mutex<BTreeMap<&'static str, usize>>,
    faults: Mutex<Vec<String>>,
}

impl Law {
    pub(super) fn new() -> Self {
        Self {
            clock: Clock::system(),
            troubles: Times::default(),
            down: [Times::default(), Times::default()],
            acts: Mutex::default(),
            counts: Mutex::default(),
            faults: Mutex::default(),
        }
    }

    /// Something begins now.
    pub(super) fn begun(&self) -> Span {
        let from = self.clock.monotonic();
        Span { from, to: None }
    }

    /// It ends now.
    pub(super) fn ended(&self, begun: Span) -> Span {
        let to = Some(self.clock.monotonic());
        Span { to, ..begun }
    }

    /// The database is away from the begin of `trouble` until it ends: requests may get 503.
    pub(super) async fn during_trouble(&self, trouble: impl AsyncFnOnce()) {
        let begun = self.begun();
        self.troubles.begin(begun);
        trouble().await;
        self.troubles.end(self.ended(begun));
    }

    /// A replica is down from the begin of `absence` until it ends: its connections may be refused or closed.
    pub(super) fn while_down(&self, replica: usize, absence: impl FnOnce()) {
        let begun = self.begun();
        self.down[replica].begin(begun);
        absence();
        self.down[replica].end(self.ended(begun));
    }

    /// Does `verb` by `command`.
    pub(super) fn act(&self, verb: Verb, command: impl FnOnce()) {
        let at = self.begun();
        self.acts.lock().unwrap().push(Act { at, verb });
        command();
        let at = self.ended(at);
        *self.acts.lock().unwrap().last_mut().unwrap() = Act { at, verb };
    }

    /// From when each replica must know a change: after a second in which it could read of it.
    fn settled(&self, change: Span) -> Option<Duration> {
        let mut since = change.to?;
        for trouble in self.troubles.0.lock().unwrap().iter() {
            let is_in_the_way =
                trouble.from < since + GRACE && trouble.to.is_none_or(|to| to > since);
            if is_in_the_way {
                since = trouble.to?;
            }
        }
        Some(since + GRACE)
    }

    /// Whether the client that is stopped now and then must get a token.
    pub(super) fn may_get_tokens(&self, asked: Span) -> Right {
        let mut right = Right::Yes;
        for act in self.acts.lock().unwrap().iter() {
            let then = match act.verb {
                Verb::Disable => Right::No,
                Verb::Enable => Right::Yes,
                Verb::RevokeTokens => continue,
            };
            if asked.is_before(act.at.from) {
                break;
            }
            right = match self.settled(act.at) {
                Some(settled) if settled <= asked.from => then,
                _ => return Right::Either,
            };
        }
        right
    }

    /// Whether its token, which it got during `got`, is dead at `asked`.
    pub(super) fn is_killed(&self, got: Span, asked: Span) -> Right {
        let kills = self.acts.lock().unwrap().clone();
        let kills = kills.iter().filter(|it| it.verb != Verb::Enable);
        let mut killed = Right::No;
        for kill in kills.filter(|it| !asked.is_before(it.at.from)) {
            let settled = self.settled(kill.at);
            // A replica that had not heard of it issues tokens that die, too.
            let is_after = settled.is_some_and(|settled| got.from > settled);
            killed = match (got.is_before(kill.at.from), settled) {
                _ if is_after => killed,
                (true, Some(settled)) if settled <= asked.from => return Right::Yes,
                _ => Right::Either,
            };
        }
        killed
    }

    /// Whether a token that was revoked during `revoked` is dead at `asked`.
    pub(super) fn is_revoked(&self, revoked: Span, asked: Span) -> Right {
        match self.settled(revoked) {
            _ if asked.is_before(revoked.from) => Right::No,
            Some(settled) if settled <= asked.from => Right::Yes,
            _ => Right::Either,
        }
    }

    /// Status and answer, unless it is one of the errors that trouble excuses.
    pub(super) fn answered(
        &self,
        (what, replica, asked): (&str, usize, Span),
        answer: io::Result<(u16, String)>,
    ) -> Option<(u16, String)> {
        match answer {
            Err(error) if is_lost(&error) && self.down[replica].meet(asked) => {
                self.count("lost");
                None
            }
            Err(error) => {
                self.fault(&format!("{what} at replica {replica}: {error}"));
                None
            }
            Ok((503, answer)) => {
                let told = answer.to_ascii_lowercase();
                let is_whole = told.contains("\r\nretry-after: ")
                    && told.contains("\"error\":\"temporarily_unavailable\"");
                if !is_whole || !self.troubles.meet(asked) {
                    self.fault(&format!("{what} at replica {replica}, {asked:?}: {answer}"));
                }
                self.count("503");
                None
            }
            Ok(answer) => Some(answer),
        }
    }

    /// Counts an answer of this kind.
    pub(super) fn count(&self, kind: &'static str) {
        *self.counts.lock().unwrap().entry(kind).or_default() += 1;
    }

    pub(super) fn counts(&self) -> BTreeMap<&'static str, usize> {
        self.counts.lock().unwrap().clone()
    }

    /// Notes what was wrong.
    pub(super) fn fault(&self, fault: &str) {
        let troubles = self.troubles.0.lock().unwrap().clone();
        let acts = self.acts.lock().unwrap().clone();
        let mut faults = self.faults.lock().unwrap();
        if faults.len() < 10 {
            faults.push(format!("{fault}\n  troubles {troubles:?}\n  acts {acts:?}"));
        }
    }

    /// That every answer so far was right.
    #[track_caller]
    pub(super) fn assert_kept(&self, after: &str) {
        let faults = self.faults.lock().unwrap().join("\n");
        let counts = self.counts();
        assert!(faults.is_empty(), "{after}: {counts:?}\n{faults}");
    }
}

/// Whether there was no connection, or it ended before an answer was whole; a server that is silent is another thing.
fn is_lost(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, UnexpectedEof};
    [
        BrokenPipe,
        ConnectionRefused,
        ConnectionReset,
        UnexpectedEof,
    ]
    .contains(&error.kind())
}
