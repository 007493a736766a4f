//! One replica from its first connection to its last: public and operations listeners, and what runs beside them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::client_ca_files::ClientCaFiles;
use super::limits::Limits;
use super::room::Room;
use super::serve::{Endpoint, serve};
use super::shutdown::Shutdown;
use crate::domain::proxy::TrustedProxies;
use crate::http::health::HealthState;
use crate::http::routes;
use crate::http::state::{HttpState, Publication};
use crate::operations::{Grantd, Queues};

/// A replica that is bound and ready to run.
pub struct Replica {
    /// The replica.
    pub grantd: Arc<Grantd>,
    /// Its queues.
    pub queues: Queues,
    /// How it is published.
    pub publication: Publication,
    /// The public listener.
    pub public: Endpoint,
    /// The listener that asks for client certificates.
    pub mutual: Option<Endpoint>,
    /// The CAs of `tls_client_auth`.
    pub client_cas: Option<ClientCaFiles>,
    /// The proxies in front that are trusted.
    pub proxies: Option<TrustedProxies>,
    /// The operations listener.
    pub operations: Endpoint,
    /// What connections may cost.
    pub limits: Limits,
    /// How often the change feed is read.
    pub poll_interval: Duration,
}

impl Replica {
    /// Serves until `shutdown`, then drains: the operations listener answers until the public one is done.
    ///
    /// # Errors
    /// A sentence for the operator, where the replica cannot go on: a database schema of another version.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), String> {
        let draining = Arc::new(AtomicBool::new(false));
        let background = self.grantd.run(self.queues, self.poll_interval);
        let health = HealthState {
            grantd: Arc::clone(&self.grantd),
            draining: Arc::clone(&draining),
        };
        let (stop_operations, operations_shutdown) = Shutdown::manual();
        let operations = tokio::spawn(serve(
            self.operations,
            routes::operations(health),
            Room::new(self.limits.of_operations()),
            operations_shutdown,
        ));
        if let Some(url) = self.publication.mutual_endpoint("/oauth2/token") {
            self.grantd.serve_mutual_token_endpoint(url);
        }
        let state = HttpState {
            grantd: Arc::clone(&self.grantd),
            publication: Arc::new(self.publication),
            proxies: self.proxies.map(Arc::new),
        };
        let following = self.client_cas.map(|files| {
            let grantd = Arc::clone(&self.grantd);
            tokio::spawn(async move { files.keep_fresh(&grantd).await })
        });
        let (stop_public, public_shutdown) = Shutdown::manual();
        let (stop_mutual, mutual_shutdown) = Shutdown::manual();
        let router = routes::public(state);
        let room = Room::new(self.limits);
        let mutual = async {
            if let Some(endpoint) = self.mutual {
                serve(endpoint, router.clone(), Arc::clone(&room), mutual_shutdown).await;
            }
        };
        let public = serve(
            self.public,
            router.clone(),
            Arc::clone(&room),
            public_shutdown,
        );
        let mut fatal = self.grantd.fatal();
        let stop = async {
            tokio::select! {
                () = shutdown.requested() => {}
                _ = fatal.wait_for(Option::is_some) => {}
            }
            tracing::info!("stopping: finishing requests in flight");
            draining.store(true, Ordering::Relaxed);
            stop_public.stop();
            stop_mutual.stop();
        };
        tokio::join!(public, mutual, stop);
        if let Some(following) = following {
            following.abort();
        }
        self.grantd.stop(background).await;
        stop_operations.stop();
        // It only serves health checks; nothing of it is worth waiting for.
        operations.abort();
        let reason = self.grantd.fatal().borrow().clone();
        reason.map_or(Ok(()), Err)
    }
}
