//! One source of keys: the last good set, and whose turn it is to ask for the next.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::fault::KeysFault;
use super::place::{Fresh, Place, Whose};
use super::turns::Lane;
use crate::crypto::key_set::KeySet;
use crate::domain::key_source::Standing;

/// Between the beginnings of two fetches, where a request needs the keys.
const APART: Duration = Duration::from_secs(10);
/// The same after a failure, where no request needs them. Keys of a client that were never had, or are too old, are asked
/// for twice as late with each further failure in a row, up to the other: a stranger's one request has begun it.
const AGAIN: Duration = Duration::from_mins(1);
const MOST_AGAIN: Duration = Duration::from_hours(1);
/// How long the last good set stays while its source fails.
const KEYS_MAX_AGE: Duration = Duration::from_hours(24);

/// A source.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) whose: Whose,
    pub(super) place: Place,
    state: Mutex<State>,
    /// Told when a fetch ends.
    ended: watch::Sender<()>,
}

/// All times are those of [`Clock::elapsed`](crate::clock::Clock::elapsed).
#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// When the last fetch began.
    begun_at: Option<Duration>,
    is_running: bool,
    /// Why the last fetch failed.
    failure: Option<String>,
    /// How many failed in a row.
    failures: u32,
    /// When a request last asked for its keys.
    asked_at: Duration,
}

#[derive(Debug)]
struct Held {
    set: Arc<KeySet>,
    /// When the fetch that brought it began.
    fetched_at: Duration,
    due_at: Duration,
}

/// Ends a fetch, however it ends.
pub(super) struct Running<'a>(&'a Source);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.state.lock().is_running = false;
        self.0.ended.send_replace(());
    }
}

impl Source {
    pub(super) fn new(whose: Whose, place: Place, now: Duration) -> Self {
        Self {
            whose,
            place,
            state: Mutex::new(State {
                asked_at: now,
                ..State::default()
            }),
            ended: watch::Sender::new(()),
        }
    }

    /// Its keys, unless they are too old to be trusted.
    pub(super) fn held(&self, now: Duration) -> Option<Arc<KeySet>> {
        let state = self.state.lock();
        Some(Arc::clone(&self.good(&state, now)?.set))
    }

    fn good<'s>(&self, state: &'s State, now: Duration) -> Option<&'s Held> {
        let is_young = |it: &&Held| now.saturating_sub(it.fetched_at) < KEYS_MAX_AGE;
        let held = state.held.as_ref();
        held.filter(|it| self.place.is_here() || is_young(it))
    }

    /// Whether its keys are so new that no fetch may bring newer ones yet.
    pub(super) fn is_new(&self, now: Duration) -> bool {
        let state = self.state.lock();
        let held = state.held.as_ref();
        held.is_some_and(|it| self.place.is_here() || now.saturating_sub(it.fetched_at) < APART)
    }

    /// How long ago the keys that are used were fetched; nothing where they never are.
    pub(super) fn age(&self, now: Duration) -> Option<Duration> {
        let state = self.state.lock();
        let held = self.good(&state, now).filter(|_| !self.place.is_here())?;
        Some(now.saturating_sub(held.fetched_at))
    }

    pub(super) fn was_asked_for(&self, now: Duration) {
        self.state.lock().asked_at = now;
    }

    pub(super) fn was_idle_for(&self, now: Duration) -> Duration {
        now.saturating_sub(self.state.lock().asked_at)
    }

    pub(super) fn is_due(&self, now: Duration) -> bool {
        let state = self.state.lock();
        let is_needed = matches!(self.whose, Whose::Issuer(_)) || self.good(&state, now).is_some();
        let doublings = state.failures.saturating_sub(1).min(6);
        let again = if is_needed {
            AGAIN
        } else {
            (AGAIN * (1 << doublings)).min(MOST_AGAIN)
        };
        let after_failure = state.begun_at.unwrap_or_default() + again;
        match &state.held {
            Some(_) if self.place.is_here() => false,
            Some(held) if state.failure.is_none() => held.due_at <= now,
            _ => after_failure <= now,
        }
    }

    /// Whom its fetch waits for; nobody where there is nothing to fetch.
    pub(super) fn lane(&self) -> Option<Lane> {
        let state = self.state.lock();
        Some(match &self.place {
            Place::OfIssuer(_) if self.place.is_here() => return None,
            Place::OfIssuer(_) if state.failure.is_some() => Lane::FailingIssuers,
            Place::OfIssuer(_) => Lane::Issuers,
            Place::OfClient(_) if state.failure.is_some() => Lane::FailingClients,
            Place::OfClient(_) if state.held.is_none() => Lane::NewClients,
            Place::OfClient(_) => Lane::Clients,
        })
    }

    pub(super) fn is_running(&self) -> bool {
        self.state.lock().is_running
    }

    /// Whether the caller is to fetch now, and everybody else waits.
    pub(super) fn begin(&self, now: Duration) -> bool {
        let mut state = self.state.lock();
        let is_soon = |begun: Duration| now.saturating_sub(begun) < APART;
        let is_whole = self.place.is_here() && state.held.is_some();
        if is_whole || state.is_running || state.begun_at.is_some_and(is_soon) {
            return false;
        }
        state.is_running = true;
        state.begun_at = Some(now);
        true
    }

    pub(super) const fn running(&self) -> Running<'_> {
        Running(self)
    }

    /// Tells when a fetch ends that ends from now on.
    pub(super) fn ended(&self) -> watch::Receiver<()> {
        self.ended.subscribe()
    }

    /// Takes what the fetch brought. The log hears of a failure, of keys that are left out, and of the end of either,
    /// once each.
    pub(super) fn take(&self, read: Result<Fresh, KeysFault>) {
        let mut state = self.state.lock();
        let begun_at = state.begun_at.unwrap_or_default();
        match read {
            Ok(fresh) => {
                self.tell_left_out(state.held.as_ref(), &fresh.set);
                state.failures = 0;
                if state.failure.take().is_some() {
                    tracing::info!(of = %self.whose, credential = self.whose.credential(), "keys can be fetched again");
                }
                state.held = Some(Held {
                    fetched_at: begun_at,
                    due_at: begun_at + fresh.good_for(),
                    set: fresh.set,
                });
            }
            Err(fault) => {
                let why = fault.to_string();
                if state.failure.as_ref() != Some(&why) {
                    let kept = if state.held.is_some() {
                        "the last good ones are used for up to a day"
                    } else {
                        "there are none yet, so it is answered 503"
                    };
                    tracing::warn!(of = %self.whose, credential = self.whose.credential(), %why, "keys could not be fetched: {kept}");
                }
                state.failure = Some(why);
                state.failures = state.failures.saturating_add(1);
            }
        }
    }

    fn tell_left_out(&self, before: Option<&Held>, new: &KeySet) {
        let left_out = new.why_left_out();
        if let Some(why) = left_out.as_ref()
            && before.and_then(|it| it.set.why_left_out()).as_ref() != Some(why)
        {
            tracing::info!(of = %self.whose, credential = self.whose.credential(), %why, "keys of a set are left out");
        }
    }

    /// Why its last fetch failed.
    pub(super) fn why_failing(&self) -> Option<String> {
        self.state.lock().failure.clone()
    }

    /// Where its keys cannot be fetched and the last good ones are `old`: how old they are, and why there are no newer ones.
    pub(super) fn outdated(&self, old: Duration, now: Duration) -> Option<(Duration, String)> {
        let state = self.state.lock();
        let why = state.failure.clone()?;
        let age = now.saturating_sub(state.held.as_ref()?.fetched_at);
        (age >= old).then_some((age, why))
    }

    /// What an outage of it is told as.
    pub(super) fn failure(&self) -> String {
        let why = self.why_failing();
        why.unwrap_or_else(|| "no answer yet".to_owned())
    }

    pub(super) fn standing(&self, now: Duration) -> Standing {
        match (self.why_failing(), self.held(now)) {
            (None, _) => Standing::Current,
            (Some(_), Some(_)) => Standing::Stale,
            (Some(_), None) => Standing::Unavailable,
        }
    }
}
