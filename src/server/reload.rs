//! SIGHUP: certificates, client CAs and the log's filter are read again (OPERATING section 9).

use std::io;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::service_manager::ServiceManager;
use crate::operations::background::blocking;
use crate::operations::reloads::{Reloadable, Reloads};
use crate::telemetry::filter;

/// What can be read again while the replica runs. The result of each is one log line.
pub(super) trait Reload: Send + Sync {
    fn reload(&self, reloads: &Reloads);
}

/// Reads the settings again: the log's filter that they ask for, or why they cannot be used.
pub type ReadFilter = Box<dyn Fn() -> Result<String, String> + Send + Sync>;

/// SIGHUP, caught from when this was made: one that comes while the replica starts is not lost.
pub struct Hangups {
    signal: Signal,
    read_filter: ReadFilter,
}

impl Hangups {
    /// Catches SIGHUP from now on.
    ///
    /// # Errors
    /// The signal cannot be caught.
    pub fn caught(read_filter: ReadFilter) -> io::Result<Self> {
        Ok(Self {
            signal: signal(SignalKind::hangup())?,
            read_filter,
        })
    }

    /// Reads everything again at each SIGHUP, until the process ends.
    pub(super) async fn keep_reloading(
        mut self,
        files: Vec<Arc<dyn Reload>>,
        reloads: Arc<Reloads>,
        manager: Arc<ServiceManager>,
    ) {
        // The filter first: the others are logged at the new level.
        let mut all: Vec<Arc<dyn Reload>> = vec![Arc::new(FilterOfSettings(self.read_filter))];
        all.extend(files);
        reloads.succeeded(Reloadable::Settings);
        while self.signal.recv().await.is_some() {
            manager.reloading();
            let (all, reloads) = (all.clone(), Arc::clone(&reloads));
            blocking(move || all.iter().for_each(|it| it.reload(&reloads))).await;
            manager.reloaded();
        }
        // No signal comes any more: the runtime ends.
        std::future::pending::<()>().await;
    }
}

struct FilterOfSettings(ReadFilter);

impl Reload for FilterOfSettings {
    fn reload(&self, reloads: &Reloads) {
        let applied = (self.0)().and_then(|filter| {
            filter::configure(&filter)
                .map(|()| filter)
                .map_err(|error| error.to_string())
        });
        match applied {
            Ok(filter) => {
                reloads.succeeded(Reloadable::Settings);
                tracing::info!(
                    log = filter,
                    "reloaded the settings: the log level applies now, everything else after a restart"
                );
            }
            Err(error) => {
                reloads.failed(Reloadable::Settings);
                // One line, however many faults there are.
                let error = error.replace('\n', "; ");
                tracing::error!("keeping the previous log level: {error}");
            }
        }
    }
}
