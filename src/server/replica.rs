//! One replica from its first connection to its last: its listeners, and what runs beside them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::bounds::Bounds;
use super::client_ca_files::ClientCaFiles;
use super::file_fault::FileFault;
use super::room::Room;
use super::serve::{Listener, Stops, serve};
use super::shutdown::Shutdown;
use super::sockets::Sockets;
use super::tls::Tls;
use crate::clock::Clock;
use crate::config::settings::{MTLS, OPERATIONS, PUBLIC, Settings};
use crate::crypto::sealing::SealingKeys;
use crate::http::health::HealthState;
use crate::http::routes::{self, Routes};
use crate::http::state::HttpState;
use crate::operations::Grantd;
use crate::operations::authenticate_client::TrustedCas;
use crate::operations::background::Background;
use crate::store::Store;

/// A replica that is ready to run.
pub struct Replica {
    /// What the settings are.
    pub settings: Arc<Settings>,
    /// The replica itself.
    pub grantd: Arc<Grantd>,
    /// What runs beside the requests.
    pub background: Background,
    /// What clients reach.
    pub routes: Routes,
    listeners: Vec<Listener>,
    draining: Arc<AtomicBool>,
}

/// Why a replica is not ready to run.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot start the hashing threads: {0}")]
    Threads(#[from] std::io::Error),
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
        let trusted = TrustedCas::default();
        let ca_files = settings.mtls.as_ref().map(|mtls| &mtls.client_ca_files);
        let ca_files = ClientCaFiles::load(ca_files.cloned().unwrap_or_default(), trusted.clone())?;
        let grantd = Grantd::new(store, clock, Arc::clone(&settings), sealing, trusted)?;
        let grantd = Arc::new(grantd);
        let mut background = grantd.background();
        if let Some(files) = ca_files {
            background = background.with("client CA files", files.keep_fresh());
        }
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
            background,
            routes,
            draining,
        })
    }

    /// Serves until `shutdown`, then drains.
    ///
    /// # Errors
    /// One line for the operator, where the replica cannot go on: a task ended that must run beside the requests, such as
    /// the one that reads the feed of a database whose schema is of another version.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), String> {
        let mut background = self.background;
        let (mut first, mut last) = (Vec::new(), Vec::new());
        for listener in self.listeners {
            let (trigger, stop) = Shutdown::manual();
            let name = format!("listener {}", listener.name);
            match listener.stops {
                Stops::First => first.push((name.clone(), trigger)),
                Stops::Last => last.push(trigger),
            }
            background = background.with(name, serve(listener, stop));
        }
        let mut running = background.start();
        let outcome = tokio::select! {
            () = shutdown.requested() => Ok(()),
            why = running.failed() => Err(why),
        };
        tracing::info!("stopping: finishing requests in flight");
        self.draining.store(true, Ordering::Relaxed);
        let told = first.into_iter().map(|(name, trigger)| {
            trigger.stop();
            name
        });
        running.finish(&told.collect::<Vec<_>>()).await;
        self.grantd.write_last().await;
        // They serve health checks until here; nothing of it is worth waiting for.
        drop(last);
        outcome
    }
}

/// The listeners that have sockets; those of strangers share one room.
fn listeners(
    settings: &Settings,
    mut sockets: Sockets,
    [public, health]: [Routes; 2],
) -> Result<Vec<Listener>, FileFault> {
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
    let has_sockets = |listener: &Listener| !listener.sockets.is_empty();
    Ok(all.into_iter().filter(has_sockets).collect())
}
