//! Whoever waits, for a request to come or a delay to end: until a test begins anew, or the process ends.

use std::time::Duration;

use tokio::sync::watch;

use crate::server::shutdown::Shutdown;

/// What ends each wait.
pub(super) struct Waiting {
    /// Counts how often all were released.
    released: watch::Sender<u64>,
    shutdown: Shutdown,
}

impl Waiting {
    /// Nobody waits; once `shutdown` comes nobody will.
    pub(super) fn new(shutdown: Shutdown) -> Self {
        Self {
            released: watch::Sender::default(),
            shutdown,
        }
    }

    /// Releases all who wait now.
    pub(super) fn release(&self) {
        self.released.send_modify(|times| *times += 1);
    }

    /// Waits for `span`; `false` where the wait was ended before.
    pub(super) async fn wait(&self, span: Duration) -> bool {
        tokio::select! {
            () = self.ended() => false,
            () = tokio::time::sleep(span) => true,
        }
    }

    /// Waits until everybody is released.
    pub(super) async fn ended(&self) {
        let mut released = self.released.subscribe();
        tokio::select! {
            _ = released.changed() => {}
            () = self.shutdown.requested() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than any test.
    const FOR_EVER: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn who_waits_is_released_at_once() {
        let (trigger, shutdown) = Shutdown::manual();
        let waiting = Waiting::new(shutdown);
        assert!(waiting.wait(Duration::from_millis(1)).await);
        let release = async { waiting.release() };
        let (whole, ()) = tokio::join!(waiting.wait(FOR_EVER), release);
        assert!(!whole);
        let stop = async { trigger.stop() };
        let (whole, ()) = tokio::join!(waiting.wait(FOR_EVER), stop);
        assert!(!whole);
        assert!(!waiting.wait(FOR_EVER).await, "also who comes later");
    }
}
