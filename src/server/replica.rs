//! One replica from its first connection to its last: its listeners, and what runs beside them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinHandle;

use super::bounds::Bounds;
use super::client_ca_files::ClientCaFiles;
use super::file_fault::FileFault;
use super::room::Room;
use super::serve::{Listener, Stops, serve};
use super::shutdown::{Shutdown, Trigger};
use super::sockets::Sockets;
use super::tls::Tls;
use crate::clock::Clock;
use crate::config::settings::{MTLS, OPERATIONS, PUBLIC, Settings};
use crate::crypto::sealing::SealingKeys;
use crate::http::health::HealthState;
use crate::http::routes::{self, Routes};
use crate::http::state::HttpState;
use crate::operations::{Grantd, Queues};
use crate::store::Store;

/// A replica that is ready to run.
pub struct Replica {
    /// What the settings are.
    pub settings: Arc<Settings>,
    /// The replica itself.
    pub grantd: Arc<Grantd>,
    /// Its queues.
    pub queues: Queues,
    /// What clients reach.
    pub routes: Routes,
    listeners: Vec<Listener<Routes>>,
    client_cas: Option<ClientCaFiles>,
    draining: Arc<AtomicBool>,
}

/// Why a replica is not ready to run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system starts no thread.
    #[error("cannot start the threads that hash: {0}")]
    Threads(#[from] std::io::Error),
    /// A file that the settings name.
    #[error(transparent)]
    File(#[from] FileFault),
}

impl Replica {
    /// The replica that the settings describe, over `store`; it has loaded nothing yet. A listener without sockets is
    /// left out.
    ///
    /// # Errors
    /// Files that the settings name cannot be used, or there are no threads.
    pub fn new(
        settings: Settings,
        sockets: Sockets,
        store: Arc<Store>,
        clock: Clock,
        sealing: SealingKeys,
    ) -> Result<Self, StartError> {
        let settings = Arc::new(settings);
        let (grantd, queues) = Grantd::new(store, clock, &settings, sealing)?;
        let ca_files = settings.mtls.as_ref().map(|mtls| &mtls.client_ca_files);
        let client_cas = ClientCaFiles::load(ca_files.cloned().unwrap_or_default(), &grantd)?;
        let draining = Arc::default();
        let routes = routes::public(HttpState {
            grantd: Arc::clone(&grantd),
            settings: Arc::clone(&settings),
        });
        let health = routes::operations(HealthState {
            grantd: Arc::clone(&grantd),
            draining: Arc::clone(&draining),
        });
        Ok(Self {
            listeners: listeners(&settings, sockets, [routes.clone(), health])?,
            settings,
            grantd,
            queues,
            routes,
            client_cas,
            draining,
        })
    }

    /// Serves until `shutdown`, then drains.
    ///
    /// # Errors
    /// A sentence for the operator, where the replica cannot go on: a database schema of another version.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), String> {
        let grantd = self.grantd;
        let background = grantd.run(self.queues, self.settings.feed.poll_interval());
        let watching = self.client_cas.map(|it| tokio::spawn(it.keep_fresh()));
        let running = self.listeners.into_iter().map(Running::start);
        let (first, last): (Vec<_>, Vec<_>) = running.partition(|it| it.stops == Stops::First);

        let mut fatal = grantd.fatal();
        tokio::select! {
            () = shutdown.requested() => {}
            _ = fatal.wait_for(Option::is_some) => {}
        }
        tracing::info!("stopping: finishing requests in flight");
        self.draining.store(true, Ordering::Relaxed);
        finish(first).await;
        if let Some(watching) = watching {
            watching.abort();
        }
        grantd.stop(background).await;
        // They only serve health checks; nothing of it is worth waiting for.
        for listener in &last {
            listener.task.abort();
        }
        let reason = grantd.fatal().borrow().clone();
        reason.map_or(Ok(()), Err)
    }
}

/// The listeners that have sockets; those of strangers share one room.
fn listeners(
    settings: &Settings,
    mut sockets: Sockets,
    [public, health]: [Routes; 2],
) -> Result<Vec<Listener<Routes>>, FileFault> {
    let profile = settings.profile;
    let bounds = Bounds::of(&settings.limits);
    let room = Room::new(bounds);
    let of_public = settings.public.tls.clone();
    let of_mutual = settings.mutual_listener().map(|it| it.tls.clone());
    let all = [
        Listener {
            name: PUBLIC,
            sockets: sockets.take(PUBLIC),
            service: public.clone(),
            tls: of_public.map(|it| Tls::load(it, profile)).transpose()?,
            room: Arc::clone(&room),
            stops: Stops::First,
        },
        Listener {
            name: MTLS,
            sockets: sockets.take(MTLS),
            service: public,
            tls: of_mutual
                .map(|it| Tls::load_mutual(it, profile))
                .transpose()?,
            room,
            stops: Stops::First,
        },
        Listener {
            name: OPERATIONS,
            sockets: sockets.take(OPERATIONS),
            service: health,
            tls: None,
            room: Room::new(bounds.of_operations()),
            stops: Stops::Last,
        },
    ];
    let has_sockets = |listener: &Listener<_>| !listener.sockets.is_empty();
    Ok(all.into_iter().filter(has_sockets).collect())
}

/// A listener that accepts connections.
struct Running {
    name: &'static str,
    stops: Stops,
    stop: Trigger,
    task: JoinHandle<()>,
}

impl Running {
    fn start(listener: Listener<Routes>) -> Self {
        let (stop, shutdown) = Shutdown::manual();
        Self {
            name: listener.name,
            stops: listener.stops,
            stop,
            task: tokio::spawn(serve(listener, shutdown)),
        }
    }
}

/// Stops all of them at once, and waits until their requests are finished or cut.
async fn finish(listeners: Vec<Running>) {
    for listener in &listeners {
        listener.stop.stop();
    }
    for Running { name, task, .. } in listeners {
        if let Err(error) = task.await {
            tracing::error!(listener = name, %error, "a listener failed while it stopped");
        }
    }
}
