//! One replica from its first connection to its last: it loads, serves, drains, and writes what is left (OPERATING
//! section 9).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::replica::Replica;
use super::serve::{Stops, serve};
use super::shutdown::{Shutdown, Trigger};
use crate::operations::Grantd;
use crate::operations::background::Running;

/// How long requests wait for a replica that starts.
const LOADING: Duration = Duration::from_secs(2);
/// How often it is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(5);

impl Replica {
    /// Serves until `shutdown`, then drains: first it is unready for `drain_delay` and serves all the same, then
    /// requests in flight are finished, then what waits is written.
    ///
    /// # Errors
    /// One line for the operator, if the replica cannot go on: a task ended that must run beside the requests, such as
    /// the reader of the feed when the schema has another version.
    pub async fn run(mut self, shutdown: Shutdown) -> Result<(), String> {
        let mut background = std::mem::take(&mut self.background);
        if let Some(hangups) = self.hangups.take() {
            let files = std::mem::take(&mut self.reloadable);
            let (reloads, manager) = (Arc::clone(self.grantd.reloads()), Arc::clone(&self.manager));
            let reloading = hangups.keep_reloading(files, reloads, manager);
            background = background.with("reloading", reloading);
        }
        let (telling, living) = (Arc::clone(&self.manager), Arc::clone(&self.manager));
        background = background
            .with(
                "service manager",
                telling.keep_telling(Arc::clone(&self.grantd)),
            )
            .with("watchdog", living.keep_alive());
        let (mut first, mut last) = (Vec::new(), Vec::new());
        for listener in std::mem::take(&mut self.listeners) {
            let (trigger, stop) = Shutdown::manual();
            let name = format!("listener {}", listener.name);
            let grantd = Arc::clone(&self.grantd);
            match listener.stops {
                Stops::First => {
                    first.push((name.clone(), trigger));
                    let serving = async move {
                        loaded(&grantd, &stop).await;
                        serve(listener, stop).await;
                    };
                    background = background.with(name, serving);
                }
                Stops::Last => {
                    last.push(trigger);
                    background = background.with(name, serve(listener, stop));
                }
            }
        }
        let mut running = background.start();
        let outcome = tokio::select! {
            () = shutdown.requested() => Ok(()),
            why = running.failed() => Err(why),
        };
        let outcome = match outcome {
            Ok(()) => self.leave(&first, &mut running).await,
            // A replica that cannot go on does not wait for a load balancer.
            Err(why) => {
                self.stops_within(Duration::ZERO);
                Err(why)
            }
        };
        tracing::info!("stopping: finishing requests in flight");
        let told = first.into_iter().map(|(name, trigger)| {
            trigger.stop();
            name
        });
        running.finish(&told.collect::<Vec<_>>()).await;
        self.grantd.write_last().await;
        // They served health checks until now; none of these is worth waiting for.
        drop(last);
        outcome
    }

    /// Is unready from now on, and serves for `drain_delay` all the same.
    async fn leave(
        &self,
        listeners: &[(String, Trigger)],
        running: &mut Running,
    ) -> Result<(), String> {
        let delay = self.settings.limits.drain_delay.duration();
        self.stops_within(delay);
        if delay.is_zero() {
            return Ok(());
        }
        tracing::info!("stopping: unready, serving for {delay:?} more");
        for (_, trigger) in listeners {
            trigger.leave();
        }
        tokio::select! {
            () = sleep(delay) => Ok(()),
            why = running.failed() => Err(why),
        }
    }

    fn stops_within(&self, delay: Duration) {
        self.draining.store(true, Ordering::Relaxed);
        let drain = self.settings.limits.drain_timeout.duration();
        self.manager.stopping(delay + drain);
    }
}

/// Waits until the keys are loaded, for a moment at most: connections wait in the kernel's backlog meanwhile, and a
/// restart whose socket systemd keeps refuses nobody. Without a database the answer must be 503 rather than silence.
async fn loaded(grantd: &Grantd, stop: &Shutdown) {
    let loading = async {
        while !grantd.has_loaded() {
            sleep(LOOK_EVERY).await;
        }
    };
    tokio::select! {
        _ = timeout(LOADING, loading) => {}
        () = stop.requested() => {}
    }
}
