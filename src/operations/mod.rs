//! What grantd does, one verb per file. Here the rules of `domain` meet the database, the keys and the clock.

pub mod actor;
pub mod apply_catalog;
pub mod audit;
pub mod authenticate_client;
pub mod background;
pub mod basis;
mod batcher;
pub mod budgets;
pub mod caller;
pub mod change_audience;
pub mod change_client;
pub mod change_error;
pub mod change_policy;
pub mod check_profile;
pub mod clocks;
pub mod credential_uses;
mod database_writes;
pub mod dpop;
pub mod error;
pub mod explain;
pub mod follow_feed;
pub mod foreign_tokens;
pub mod freshness;
pub mod import_secret;
pub mod inspect_token;
pub mod introspect_token;
pub mod issue_token;
pub mod key_ring;
pub mod key_sources;
pub mod loads;
mod look_out;
pub mod make_signing_keys;
pub mod manage_credentials;
pub mod memory;
pub mod metrics;
pub mod own_token;
mod parts;
mod pass_time;
mod public_credentials;
pub mod register_credentials;
pub mod reloads;
pub mod replay_cache;
pub mod restore;
pub mod retire_credentials;
pub mod revoke_token;
pub mod revoker;
pub mod rotate_keys;
mod sign_introspection;
pub mod signed_once;
mod survey;
mod sweep;
pub mod tell_changes;
pub mod test_issuer;
pub mod troubles;
pub mod unknown_name;
pub mod usage;
mod write_down;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::settings::Settings;
use crate::crypto::hashing_pool::HashingPool;
use crate::crypto::opaque_token::OpaqueTokens;
use crate::crypto::sealing::SealingKeys;
use crate::fetch::Fetcher;
use crate::store::Store;
use crate::store::audit_events::AuditRetention;
use crate::store::error::StoreError;
use crate::telemetry::metrics::Exposition;
use audit::Audit;
use authenticate_client::{Authenticator, ClientKeys, TrustedCas, VerifiedSecrets};
use background::Background;
use budgets::Budgets;
use clocks::Clocks;
use credential_uses::CredentialUses;
use dpop::{Proofs, TOKEN_PATH};
use follow_feed::{Feed, Followed};
use foreign_tokens::ForeignTokens;
use freshness::Freshness;
use key_sources::KeySources;
use loads::Loads;
use look_out::LookOut;
use memory::Memory;
use metrics::Metrics;
use reloads::Reloads;
use replay_cache::ReplayCache;
use revoker::Revoker;
use rotate_keys::{RotationError, Rotator};
use survey::Surveyor;
use sweep::Sweeper;
use tell_changes::ChangeLines;
use troubles::Troubles;
use usage::Usage;

/// How long a stopping replica may take for its last writes.
const LAST_WRITES: Duration = Duration::from_secs(3);

/// One replica, with the parts that its operations use.
#[derive(Debug)]
pub struct Grantd {
    settings: Arc<Settings>,
    store: Arc<Store>,
    clocks: Arc<Clocks>,
    memory: Arc<Memory>,
    loads: Arc<Loads>,
    feed: Arc<Feed>,
    authenticator: Authenticator,
    key_sources: Arc<KeySources>,
    budgets: Arc<Budgets>,
    proofs: Proofs,
    opaque_tokens: Arc<OpaqueTokens>,
    replay_cache: Arc<ReplayCache>,
    revoker: Arc<Revoker>,
    audit: Arc<Audit>,
    uses: Arc<CredentialUses>,
    rotator: Arc<Rotator>,
    reloads: Arc<Reloads>,
    usage: Arc<Usage>,
}

impl Grantd {
    /// A replica over `store` that has loaded nothing yet. No background task runs until [`Self::background`] is
    /// started.
    ///
    /// # Errors
    /// The system does not start a thread.
    pub fn new(
        store: Arc<Store>,
        clock: Clock,
        settings: Arc<Settings>,
        sealing: SealingKeys,
        client_cas: TrustedCas,
    ) -> std::io::Result<Self> {
        let sealing = Arc::new(sealing);
        let clocks = Arc::new(Clocks::new(clock.clone()));
        let metrics = Metrics::new(settings.metrics.clients, clock.now());
        let memory = Memory::new(Arc::clone(&store), settings.cache.clone(), metrics);
        let memory = Arc::new(memory);
        let loads = Arc::new(Loads::new(Arc::clone(&store), Arc::clone(&memory)));
        let replay_cache = Arc::new(ReplayCache::new(Arc::clone(&store)));
        let budgets = Arc::new(Budgets::new(&settings.budget, clock.clone()));
        let reloads = Arc::new(Reloads::new(clock));
        let audit = Arc::new(Audit::new(Arc::clone(&store)));
        let uses = Arc::new(CredentialUses::new(Arc::clone(&store)));
        let opaque_tokens = Arc::new(OpaqueTokens::new(settings.issuer.as_str(), &sealing));
        let proofs = Proofs::new(&settings, &sealing, Arc::clone(&replay_cache));
        let feed = Arc::new(Feed {
            settings: Arc::clone(&settings),
            store: Arc::clone(&store),
            clocks: Arc::clone(&clocks),
            memory: Arc::clone(&memory),
            loads: Arc::clone(&loads),
            replay_cache: Arc::clone(&replay_cache),
            sealing,
            change_lines: Arc::new(ChangeLines::new(Arc::clone(&store))),
            freshness: Freshness::new(settings.feed.max_staleness.duration()),
            troubles: Troubles::default(),
            followed: tokio::sync::Mutex::new(Followed::default()),
        });
        let usage = Arc::new(Usage::new(Arc::clone(&store)));
        let fetcher = Fetcher::of_environment(settings.fetches_plain_keys);
        let key_sources = KeySources::new(
            fetcher,
            Arc::clone(&clocks),
            Arc::clone(&memory.metrics.by_issuer),
        );
        let key_sources = Arc::new(key_sources);
        let foreign_tokens = Arc::new(ForeignTokens::new(
            Arc::clone(&settings),
            Arc::clone(&clocks),
            Arc::clone(&memory),
            Arc::clone(&key_sources),
        ));
        Ok(Self {
            authenticator: Authenticator {
                settings: Arc::clone(&settings),
                store: Arc::clone(&store),
                clocks: Arc::clone(&clocks),
                memory: Arc::clone(&memory),
                replay_cache: Arc::clone(&replay_cache),
                audit: Arc::clone(&audit),
                uses: Arc::clone(&uses),
                budgets: Arc::clone(&budgets),
                hashing: HashingPool::start(settings.hashing.capacity())?,
                verified_secrets: VerifiedSecrets::new(settings.cache.verified_secrets),
                client_keys: ClientKeys::new(),
                key_sources: Arc::clone(&key_sources),
                foreign_tokens,
                client_cas,
                token_endpoint: settings.issuer.endpoint(TOKEN_PATH),
            },
            key_sources,
            budgets,
            proofs,
            opaque_tokens,
            rotator: Arc::new(Rotator::new(Arc::clone(&feed))),
            feed,
            revoker: Arc::new(Revoker::new(Arc::clone(&store), Arc::clone(&memory))),
            settings,
            store,
            clocks,
            memory,
            loads,
            replay_cache,
            audit,
            uses,
            reloads,
            usage,
        })
    }

    /// The background tasks.
    #[must_use]
    pub fn background(&self) -> Background {
        let interval = self.settings.feed.poll_interval();
        let (feed, writes) = (Arc::clone(&self.feed), Arc::clone(&self.feed));
        let loads = Arc::clone(&self.loads);
        let replay_cache = Arc::clone(&self.replay_cache);
        let revoker = Arc::clone(&self.revoker);
        let audit = Arc::clone(&self.audit);
        let uses = Arc::clone(&self.uses);
        let rotator = Arc::clone(&self.rotator);
        let usage = Arc::clone(&self.usage);
        let (key_sources, memory) = (Arc::clone(&self.key_sources), Arc::clone(&self.memory));
        let surveyor = self.surveyor();
        let change_lines = Arc::clone(&self.feed.change_lines);
        let (sweeper, look_out) = (self.sweeper(), self.looker());
        Background::default()
            .with("change feed", feed.keep_following(interval))
            .with("database writes", writes.keep_judging_writes())
            .with("loads of revocations and ids", loads.keep_loading())
            .with("replay cache", replay_cache.keep_writing())
            .with("revocations", revoker.keep_writing())
            .with("audit log", audit.keep_writing())
            .with("last uses of credentials", uses.keep_writing())
            .with("rotation of signing keys", rotator.keep_rotating())
            .with("token usage", usage.keep_writing())
            .with("keys by URL", key_sources.keep_refreshing(memory))
            .with("survey for metrics", surveyor.keep_asking())
            .with("sweeper", sweeper.keep_sweeping())
            .with("lines of changes", change_lines.keep_telling())
            .with("alerts", look_out.keep_looking())
    }

    /// Writes what is still queued, for at most 3 s. Called when no request is in flight any more.
    pub async fn write_last(&self) {
        let writing = tokio::time::timeout(LAST_WRITES, self.write_waiting());
        if writing.await.is_err() {
            let (events, uses) = (self.audit.unwritten(), self.uses.unwritten());
            let rows = self.usage.unwritten();
            tracing::warn!(
                "gave up writing {events} audit events, the last uses of {uses} credentials and {rows} rows of token \
                 usage after {LAST_WRITES:?}"
            );
        }
    }

    /// Writes the audit events, the uses of credentials and the usage of tokens, for which no request waits.
    pub async fn write_waiting(&self) {
        tokio::join!(
            self.uses.write_waiting(),
            self.audit.write_waiting(),
            self.usage.write_waiting()
        );
    }

    /// Reads the feed once, see [`Feed::follow`].
    ///
    /// # Errors
    /// The database is unreachable, or its schema has another version.
    pub async fn follow_feed(&self) -> Result<(), StoreError> {
        self.feed.follow().await
    }

    /// Rotates the signing keys that are due, once. Returns whether any was.
    ///
    /// # Errors
    /// The sealing key is not that of the other servers, or the database is unreachable.
    pub async fn rotate_keys(&self) -> Result<bool, RotationError> {
        self.rotator.rotate_where_due().await
    }

    /// Removes, once, what has expired by the database's clock.
    pub async fn sweep(&self) {
        self.sweeper().sweep().await;
    }

    /// Asks the database once for what metrics show of it, and forgets the labels of what is gone.
    pub async fn survey(&self) {
        self.surveyor().survey().await;
    }

    /// Writes the numbers of this replica, all but those of its server; it waits for nothing.
    pub fn expose(&self, to: &mut Exposition) {
        metrics::expose(self, to);
    }

    fn surveyor(&self) -> Surveyor {
        Surveyor {
            store: Arc::clone(&self.store),
            memory: Arc::clone(&self.memory),
            clocks: Arc::clone(&self.clocks),
        }
    }

    fn sweeper(&self) -> Sweeper {
        Sweeper {
            store: Arc::clone(&self.store),
            memory: Arc::clone(&self.memory),
            audit: AuditRetention {
                changes: self.settings.audit.keep,
                refusals: self.settings.audit.keep_refusals,
                most_refusals: self.settings.audit.most_refusals,
            },
        }
    }

    /// Writes now the lines of the administrative changes that the feed told of.
    pub async fn tell_changes(&self) {
        self.feed.change_lines.tell_waiting().await;
    }

    /// Looks once for what a person should see to, and raises an alert for each.
    pub async fn look_out(&self) {
        self.looker().look().await;
    }

    fn looker(&self) -> LookOut {
        LookOut {
            feed: Arc::clone(&self.feed),
            audit: Arc::clone(&self.audit),
            key_sources: Arc::clone(&self.key_sources),
        }
    }
}
