//! When to stop: SIGTERM, SIGINT, of `grantd dev` also SIGHUP, or a test that says so.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// The exit status of a process that was told twice: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// How far the stop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Running,
    /// Everything is served, but each connection is told to go.
    Leaving,
    Stopping,
}

/// What SIGHUP means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hangup {
    /// The terminal is gone, and with it the reason to run.
    Stops,
    /// Somebody else takes the signal.
    IsElsewhere,
}

/// Says whether the server should stop; clones say the same.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<Stage>);

/// Makes a [`Shutdown`] come. Dropping it does so too.
#[derive(Debug)]
pub struct Trigger(watch::Sender<Stage>);

impl Trigger {
    /// Says that the stop comes.
    pub fn leave(&self) {
        self.0.send_replace(Stage::Leaving);
    }

    /// Asks for the stop.
    pub fn stop(&self) {
        self.0.send_replace(Stage::Stopping);
    }
}

impl Shutdown {
    /// One that comes when the trigger says so.
    #[must_use]
    pub fn manual() -> (Trigger, Self) {
        let (sender, receiver) = watch::channel(Stage::Running);
        (Trigger(sender), Self(receiver))
    }

    /// One that comes with the first SIGTERM or SIGINT, or SIGHUP where that `hangup` stops. The second ends the process
    /// at once.
    ///
    /// # Errors
    /// The signals cannot be caught.
    pub fn on_signals(hangup: Hangup) -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangup = if hangup == Hangup::IsElsewhere || is_hangup_ignored() {
            None
        } else {
            Some(signal(SignalKind::hangup())?)
        };
        let (trigger, shutdown) = Self::manual();
        tokio::spawn(async move {
            for already_asked in [false, true] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                    Some(()) = received(&mut hangup) => {}
                }
                if already_asked {
                    crate::telemetry::last_words("");
                    std::process::exit(INTERRUPTED);
                }
                trigger.stop();
            }
        });
        Ok(shutdown)
    }

    /// The same, which comes also when `end` does.
    #[must_use]
    pub fn or_when(self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        let (trigger, shutdown) = Self::manual();
        tokio::spawn(async move {
            tokio::select! {
                () = self.requested() => {}
                () = end => {}
            }
            trigger.stop();
        });
        shutdown
    }

    /// Whether the stop was asked for.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() == Stage::Stopping
    }

    /// Waits until the stop is about to come.
    pub async fn announced(&self) {
        self.reached(Stage::Leaving).await;
    }

    /// Waits until the stop is asked for.
    pub async fn requested(&self) {
        self.reached(Stage::Stopping).await;
    }

    async fn reached(&self, stage: Stage) {
        // An error means that the trigger is gone: nobody could ask any more, so stop.
        let _ = self.0.clone().wait_for(|now| *now >= stage).await;
    }
}

async fn received(signal: &mut Option<Signal>) -> Option<()> {
    match signal {
        Some(signal) => signal.recv().await,
        None => std::future::pending().await,
    }
}

/// Whether we were started to outlive our terminal, as `nohup` does: a handler of ours would undo that. Linux tells it
/// in a file; the standard library has no way to ask, and elsewhere the signal is caught.
fn is_hangup_ignored() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return false;
    };
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & 1 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_reaches_every_clone() {
        let (trigger, shutdown) = Shutdown::manual();
        let clone = shutdown.clone();
        assert!(!clone.is_requested());
        trigger.leave();
        clone.announced().await;
        assert!(!clone.is_requested());
        trigger.stop();
        clone.requested().await;
        assert!(shutdown.is_requested());
    }

    #[tokio::test]
    async fn another_end_is_one_more_reason() {
        let (trigger, shutdown) = Shutdown::manual();
        let never = shutdown.clone().or_when(std::future::pending());
        assert!(!never.is_requested());
        shutdown.or_when(std::future::ready(())).requested().await;
        assert!(!never.is_requested());
        trigger.stop();
        never.requested().await;
    }

    #[tokio::test]
    async fn a_lost_trigger_is_a_stop() {
        let (trigger, shutdown) = Shutdown::manual();
        drop(trigger);
        shutdown.requested().await;
    }
}
