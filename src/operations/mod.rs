//! What grantd does, one verb a file: where deciding meets doing.

pub mod apply_catalog;
pub mod audit;
pub mod authenticate_client;
pub mod caller;
pub mod check_profile;
pub mod clocks;
pub mod credential_uses;
mod database_trouble;
pub mod dpop;
pub mod error;
pub mod follow_feed;
pub mod freshness;
pub mod import_secret;
pub mod inspect_token;
pub mod introspect_token;
pub mod issue_token;
pub mod key_ring;
pub mod make_signing_keys;
pub mod manage_credentials;
pub mod own_token;
mod public_credentials;
pub mod register_credentials;
pub mod replay_cache;
pub mod revoke_token;
pub mod troubles;
mod write_down;

use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::{Mutex, mpsc, watch};

use crate::clock::Clock;
use crate::config::settings::Settings;
use crate::crypto::certificates::authorities::ClientCas;
use crate::crypto::hashing_pool::HashingPool;
use crate::crypto::sealing::SealingKeys;
use crate::crypto::secret_hash::HashCost;
use crate::domain::issuer::Issuer;
use crate::domain::profile::Profile;
use crate::domain::timestamp::Seconds;
use crate::store::Store;
use crate::store::memory::directory::Directory;
use crate::store::memory::revocations::Revocations;
use audit::{Audit, AuditQueue};
use authenticate_client::{ClientKeys, VerifiedSecrets};
use clocks::Clocks;
use credential_uses::CredentialUses;
use dpop::Nonces;
use follow_feed::Followed;
use freshness::Freshness;
use key_ring::KeyRing;
use replay_cache::{ReplayCache, ReplayQueue};
use revoke_token::Revocation;
use troubles::Troubles;

/// How long the last writes of a replica that stops may take.
const LAST_WRITES: Duration = Duration::from_secs(3);

/// One replica.
#[derive(Debug)]
pub struct Grantd {
    issuer: Issuer,
    token_endpoint: String,
    max_lifetime: Seconds,
    profile: Profile,
    leeway: Seconds,
    clock: Clock,
    clocks: Clocks,
    store: Arc<Store>,
    directory: Directory,
    revocations: Revocations,
    keys: ArcSwapOption<KeyRing>,
    client_cas: ArcSwapOption<ClientCas>,
    /// DPoP proofs may name it, too. Assertions are for the issuer wherever they are sent (RFC 8705 section 5).
    mutual_token_endpoint: Option<String>,
    sealing: SealingKeys,
    dpop_nonces: Nonces,
    hashing: HashingPool,
    imported_cost: HashCost,
    verified_secrets: VerifiedSecrets,
    client_keys: ClientKeys,
    replay_cache: ReplayCache,
    credential_uses: CredentialUses,
    freshness: Freshness,
    troubles: Troubles,
    followed: Mutex<Followed>,
    audit: Audit,
    revoker: mpsc::Sender<Revocation>,
    fatal: watch::Sender<Option<String>>,
    myself: Weak<Self>,
}

/// The queues whose other ends a replica feeds; [`Grantd::run`] empties them.
#[derive(Debug)]
pub struct Queues {
    /// Audit events.
    pub audit: AuditQueue,
    /// Uses of a `jti`.
    pub replay: ReplayQueue,
    /// Revocations.
    pub revocations: mpsc::Receiver<Revocation>,
}

/// What runs beside the requests.
#[derive(Debug)]
pub struct Background {
    stop: watch::Sender<bool>,
    audit: tokio::task::JoinHandle<()>,
}

impl Grantd {
    /// A replica over `store` that has loaded nothing yet.
    ///
    /// # Errors
    /// Where the system starts no thread.
    pub fn new(
        store: Arc<Store>,
        clock: Clock,
        settings: &Settings,
        sealing: SealingKeys,
    ) -> std::io::Result<(Arc<Self>, Queues)> {
        let (audit, audit_queue) = Audit::new();
        let (replay_cache, replay) = ReplayCache::new();
        let (revoker, revocations) = revoke_token::queue();
        let hashing = HashingPool::start(settings.hashing.capacity())?;
        let dpop_nonces = Nonces::new(
            settings.issuer.clone(),
            &sealing,
            settings.dpop.require_nonce,
        );
        let this = Arc::new_cyclic(|myself| Self {
            token_endpoint: settings.issuer.endpoint("/oauth2/token"),
            issuer: settings.issuer.clone(),
            max_lifetime: settings.tokens.max_lifetime,
            profile: settings.profile,
            leeway: settings.assertions.leeway,
            directory: Directory::new(Arc::clone(&store), settings.cache.clone()),
            clock,
            clocks: Clocks::default(),
            store,
            revocations: Revocations::default(),
            keys: ArcSwapOption::empty(),
            client_cas: ArcSwapOption::empty(),
            mutual_token_endpoint: settings.mutual_endpoint("/oauth2/token"),
            sealing,
            dpop_nonces,
            hashing,
            imported_cost: settings.imported_cost,
            verified_secrets: VerifiedSecrets::new(settings.cache.verified_secrets),
            client_keys: ClientKeys::new(),
            replay_cache,
            credential_uses: CredentialUses::default(),
            freshness: Freshness::new(settings.feed.max_staleness.duration()),
            troubles: Troubles::default(),
            followed: Mutex::default(),
            audit,
            revoker,
            fatal: watch::Sender::new(None),
            myself: Weak::clone(myself),
        });
        Ok((
            this,
            Queues {
                audit: audit_queue,
                replay,
                revocations,
            },
        ))
    }

    /// Starts what runs beside the requests: following the feed at every `poll_interval`, writing what waits,
    /// removing what nobody needs.
    pub fn run(self: &Arc<Self>, queues: Queues, poll_interval: Duration) -> Background {
        let store = Arc::clone(&self.store);
        tokio::spawn(queues.replay.run(Arc::clone(&self.store)));
        tokio::spawn(Arc::clone(self).keep_revoking(queues.revocations));
        tokio::spawn(Arc::clone(self).keep_following(poll_interval));
        tokio::spawn(Arc::clone(self).keep_sweeping());
        let (stop, stopped) = watch::channel(false);
        let audit = tokio::spawn(queues.audit.run(store, self.clock.clone(), stopped));
        Background { stop, audit }
    }

    /// Writes what still waits, for a moment at most; called when no request is in flight any more.
    pub async fn stop(&self, background: Background) {
        background.stop.send_replace(true);
        let writing = async {
            self.credential_uses.write(&self.store).await;
            let _ = background.audit.await;
        };
        if tokio::time::timeout(LAST_WRITES, writing).await.is_err() {
            tracing::warn!("what waited to be written was given up");
        }
    }

    /// The issuer.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// What is remembered of clients and audiences.
    #[must_use]
    pub const fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Where secrets are hashed.
    #[must_use]
    pub const fn hashing(&self) -> &HashingPool {
        &self.hashing
    }

    /// What this replica remembers of revocations.
    #[must_use]
    pub const fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// Whether the feed was read recently enough.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.freshness.check(&self.clock).is_ok()
    }

    /// The signing keys; `None` before they were loaded.
    #[must_use]
    pub fn keys(&self) -> Option<Arc<KeyRing>> {
        self.keys.load_full()
    }

    /// Trusts these CAs, and no others, for `tls_client_auth` from the next request on.
    pub fn trust_client_cas(&self, cas: ClientCas) {
        self.client_cas.store(Some(Arc::new(cas)));
    }

    /// Why this replica must stop: a sentence for the operator, once there is one.
    #[must_use]
    pub fn fatal(&self) -> watch::Receiver<Option<String>> {
        self.fatal.subscribe()
    }

    async fn keep_sweeping(self: Arc<Self>) {
        loop {
            tokio::time::sleep(Duration::from_secs(30)).await;
            self.sweep().await;
        }
    }

    /// Writes the last uses of credentials, and removes what nobody needs any more by the database's clock.
    pub async fn sweep(&self) {
        self.credential_uses.write(&self.store).await;
        let now = match self.store.now().await {
            Ok(now) => now,
            Err(error) => {
                tracing::warn!(%error, "expired rows were not removed");
                return;
            }
        };
        if self.revocations.prune(now) {
            self.followed.lock().await.outdate_revocations();
        }
        loop {
            match self.store.sweep(now).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "expired rows were not removed");
                    return;
                }
            }
        }
        if let Err(error) = self.store.prune_feed(now).await {
            tracing::warn!(%error, "old changes were not removed");
        }
    }
}
