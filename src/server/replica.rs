//! What one replica is made of: its listeners, and what runs beside them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::bounds::Bounds;
use super::client_ca_files::ClientCaFiles;
use super::file_fault::FileFault;
use super::reload::{Hangups, Reload};
use super::room::Room;
use super::serve::{Listener, Stops};
use super::server_metrics::ServerMetrics;
use super::service_manager::ServiceManager;
use super::sockets::Sockets;
use super::tls::Tls;
use crate::clock::Clock;
use crate::config::settings::{MTLS, MutualTls, OPERATIONS, PUBLIC, Settings};
use crate::crypto::sealing::SealingKeys;
use crate::http::health::HealthState;
use crate::http::routes::{self, Routes};
use crate::http::state::HttpState;
use crate::operations::Grantd;
use crate::operations::authenticate_client::TrustedCas;
use crate::operations::background::Background;
use crate::store::Store;
use crate::telemetry::writer_ended;

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
    pub(super) listeners: Vec<Listener>,
    pub(super) draining: Arc<AtomicBool>,
    pub(super) reloadable: Vec<Arc<dyn Reload>>,
    pub(super) hangups: Option<Hangups>,
    pub(super) manager: Arc<ServiceManager>,
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
        let metrics = Arc::<ServerMetrics>::default();
        let mut background = grantd.background().with("log", writer_ended());
        let reloads = grantd.reloads();
        let mut reloadable = Vec::new();
        if let Some(files) = ca_files {
            reloadable.push(files.reload());
            let reloads = Arc::clone(reloads);
            background = background.with("client CA files", files.keep_fresh(reloads));
        }
        let draining = Arc::default();
        let routes = routes::public(HttpState {
            grantd: Arc::clone(&grantd),
            settings: Arc::clone(&settings),
        });
        let health = routes::operations(HealthState {
            grantd: Arc::clone(&grantd),
            draining: Arc::clone(&draining),
            server: Arc::clone(&metrics) as _,
        });
        let listeners = listeners(&settings, sockets, [routes.clone(), health])?;
        for listener in &listeners {
            metrics.show(listener);
            let Some(tls) = &listener.tls else { continue };
            reloadable.push(tls.reload());
            let name = format!("TLS files of the listener {}", listener.name);
            let (tls, reloads) = (Arc::clone(tls), Arc::clone(reloads));
            background = background.with(name, tls.keep_fresh(reloads));
        }
        Ok(Self {
            listeners,
            settings,
            grantd,
            background,
            routes,
            draining,
            reloadable,
            hangups: None,
            manager: Arc::default(),
        })
    }

    /// The same, which reads its files again at each of these signals.
    #[must_use]
    pub fn reloading_at(mut self, hangups: Hangups) -> Self {
        self.hangups = Some(hangups);
        self
    }

    /// The same, where `routes` are what clients reach.
    #[must_use]
    pub fn answering_by(mut self, routes: Routes) -> Self {
        for listener in &mut self.listeners {
            if [PUBLIC, MTLS].contains(&listener.name) {
                listener.service = routes.clone();
            }
        }
        self.routes = routes;
        self
    }

    /// The same with one more listener, of which no setting knows.
    #[must_use]
    pub fn listening_also(mut self, listener: Listener) -> Self {
        self.listeners.push(listener);
        self
    }

    /// The same, which tells this service manager its state.
    #[must_use]
    pub fn told_to(mut self, manager: ServiceManager) -> Self {
        self.manager = Arc::new(manager);
        self
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
    let of_public = settings.public.tls();
    let of_mutual = settings.mtls.as_ref().and_then(MutualTls::tls);
    let all = [
        Listener {
            name: PUBLIC,
            sockets: sockets.take(PUBLIC),
            service: public.clone(),
            tls: of_public.map(|it| Tls::load(it, profile)).transpose()?,
            room: Arc::clone(&room),
            traffic: Arc::default(),
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
            traffic: Arc::default(),
            stops: Stops::First,
        },
        Listener {
            name: OPERATIONS,
            sockets: sockets.take(OPERATIONS),
            service: health,
            tls: None,
            room: Room::new(bounds.of_operations()),
            traffic: Arc::default(),
            stops: Stops::Last,
        },
    ];
    let has_sockets = |listener: &Listener| !listener.sockets.is_empty();
    Ok(all.into_iter().filter(has_sockets).collect())
}
