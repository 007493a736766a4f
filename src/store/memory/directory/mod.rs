//! Clients and audiences in memory, bounded in number, all trusted issuers, and true to the feed.
//!
//! A load reads the feed's number and its rows in one snapshot. It is kept only if no later change of that key
//! was applied meanwhile; so a load that is overtaken by a change never hides it.

mod issuers;
mod subjects;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use parking_lot::Mutex;

use super::issuers::Issuers;
use super::known_ids::KnownIds;
use crate::config::settings;
use crate::domain::audience::Audience;
use crate::domain::identifier::{AudienceId, ClientId};
use crate::domain::known_client::KnownClient;
use crate::domain::shown::is_neighbour;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::feed::{Change, ChangeKind};
use crate::store::loaded::Loaded;
use crate::telemetry::metrics::Lookups;
use issuers::any_issuer;
use subjects::KnownSubjects;

/// Applied changes that are remembered for loads under way; older ones make such a load repeat itself.
const RECENT_CHANGES: usize = 4096;
/// How often a load is repeated that changes keep overtaking.
pub(super) const LOAD_ATTEMPTS: usize = 10;

/// So many clients are compared with an id that was refused.
const MOST_NEIGHBOURS: usize = 256;

/// Clients, audiences and issuers by name, from memory where they are there.
#[derive(Debug)]
pub struct Directory {
    store: Arc<Store>,
    capacity: settings::Cache,
    ids: KnownIds,
    caches: ArcSwap<Caches>,
    applied: Mutex<Applied>,
    /// Counts what was forgotten: equal before and after, nothing that was read meanwhile is outdated.
    version: AtomicU64,
    client_lookups: Lookups,
    audience_lookups: Lookups,
    issuer_lookups: Lookups,
    subjects: KnownSubjects,
}

#[derive(Debug)]
struct Caches {
    clients: Cache<ClientId, Arc<KnownClient>>,
    audiences: Cache<AudienceId, Arc<Audience>>,
    /// What no audience is called, though a token that a trusted issuer signed is for it.
    no_audiences: Cache<AudienceId, ()>,
    /// All of them; nothing where they are not loaded.
    issuers: ArcSwapOption<Issuers>,
}

/// The changes that were applied last, each with its number.
#[derive(Debug, Default)]
struct Applied {
    generation: u64,
    numbers: HashMap<Change, i64>,
    order: VecDeque<(Change, i64)>,
    /// No change up to this number is remembered any more.
    floor: i64,
}

impl Directory {
    /// An empty directory over `store`.
    #[must_use]
    pub fn new(store: Arc<Store>, capacity: settings::Cache) -> Self {
        Self {
            store,
            caches: ArcSwap::from_pointee(Caches::new(&capacity)),
            capacity,
            ids: KnownIds::default(),
            applied: Mutex::default(),
            version: AtomicU64::new(0),
            client_lookups: Lookups::default(),
            audience_lookups: Lookups::default(),
            issuer_lookups: Lookups::default(),
            subjects: KnownSubjects::default(),
        }
    }

    /// The client `id` with its credentials and policies; `None` where it does not exist.
    ///
    /// # Errors
    /// An unreachable database, where memory does not have it.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Arc<KnownClient>>, StoreError> {
        let caches = self.caches.load();
        if let Some(client) = self.client_lookups.note(caches.clients.get(id)) {
            return Ok(Some(client));
        }
        if self.ids.surely_lack(id.as_str()) {
            return Ok(None);
        }
        // On the heap: a load has room for transactions of both databases, which a warm request would carry along.
        self.load_client(id, || Box::pin(self.store.load_client(id)))
            .await
    }

    /// Whether an id is that of a client in memory, or almost: for this the first `MOST_NEIGHBOURS` are looked at, all of
    /// them whatever is found: how long it takes tells nothing of the id.
    #[must_use]
    pub fn has_neighbour(&self, id: &str) -> bool {
        let caches = self.caches.load();
        let looked_at = caches.clients.iter().take(MOST_NEIGHBOURS);
        let near = looked_at.fold(false, |found, (known, _)| {
            is_neighbour(id, known.as_str()) || found
        });
        near || ClientId::parse(id).is_ok_and(|id| caches.clients.contains_key(&id))
    }

    /// An audience in memory with this name, or almost: as [`Self::has_neighbour`], which see.
    #[must_use]
    pub fn near_audience(&self, name: &str) -> Option<AudienceId> {
        let caches = self.caches.load();
        let looked_at = caches.audiences.iter().take(MOST_NEIGHBOURS);
        let near = looked_at.fold(None, |found, (known, _)| {
            is_neighbour(name, known.as_str())
                .then(|| AudienceId::clone(&known))
                .or(found)
        });
        let exact = AudienceId::parse(name).ok();
        exact
            .filter(|id| caches.audiences.contains_key(id))
            .or(near)
    }

    /// The audience `id`; `None` where it does not exist.
    ///
    /// # Errors
    /// An unreachable database, where memory does not have it.
    pub async fn audience(&self, id: &AudienceId) -> Result<Option<Arc<Audience>>, StoreError> {
        let caches = self.caches.load();
        let found = caches.audiences.get(id);
        if found.is_none() && caches.no_audiences.contains_key(id) {
            return Ok(None);
        }
        if let Some(audience) = self.audience_lookups.note(found) {
            return Ok(Some(audience));
        }
        let key = Change {
            kind: ChangeKind::Audience,
            key: id.to_string(),
        };
        let keep = |caches: &Caches, audience: Option<&Arc<Audience>>| match audience {
            Some(audience) => caches.audiences.insert(id.clone(), Arc::clone(audience)),
            None => caches.no_audiences.insert(id.clone(), ()),
        };
        let load = || Box::pin(self.store.load_audience(id));
        self.load(&key, (self.capacity.audiences, load), keep).await
    }

    async fn load_client<F: Future<Output = Result<Loaded<Option<KnownClient>>, StoreError>>>(
        &self,
        id: &ClientId,
        load: impl Fn() -> F,
    ) -> Result<Option<Arc<KnownClient>>, StoreError> {
        let key = Change {
            kind: ChangeKind::Client,
            key: id.to_string(),
        };
        let keep = |caches: &Caches, client: Option<&Arc<KnownClient>>| {
            if let Some(client) = client {
                caches.clients.insert(id.clone(), Arc::clone(client));
            }
        };
        self.load(&key, (self.capacity.clients, load), keep).await
    }

    async fn load<T, F: Future<Output = Result<Loaded<Option<T>>, StoreError>>>(
        &self,
        key: &Change,
        (capacity, load): (u64, impl Fn() -> F),
        keep: impl Fn(&Caches, Option<&Arc<T>>),
    ) -> Result<Option<Arc<T>>, StoreError> {
        for _ in 0..LOAD_ATTEMPTS {
            let generation = self.applied.lock().generation;
            let turn = self.store.turn_to_load().await?;
            let loaded = load().await?;
            drop(turn);
            let value = loaded.value.map(Arc::new);
            let applied = self.applied.lock();
            if applied.allows(generation, key, loaded.feed.n) {
                if capacity > 0 {
                    keep(&self.caches.load(), value.as_ref());
                }
                return Ok(value);
            }
        }
        Err(StoreError::Conflict(key.key.clone()))
    }

    /// Forgets what `changes` name; `n` is their number in the feed.
    pub fn forget(&self, n: i64, changes: &[Change]) {
        let mut applied = self.applied.lock();
        let caches = self.caches.load();
        let clients = changes
            .iter()
            .filter(|change| change.kind == ChangeKind::Client);
        let clients = clients.map(|change| change.key.as_str());
        self.ids.add(clients.clone());
        self.subjects.forget(clients);
        for change in changes {
            applied.note(change, n);
            match change.kind {
                ChangeKind::Client => caches.clients.invalidate(change.key.as_str()),
                ChangeKind::Audience => {
                    caches.audiences.invalidate(change.key.as_str());
                    caches.no_audiences.invalidate(change.key.as_str());
                }
                ChangeKind::Issuer => {
                    applied.note(&any_issuer(), n);
                    caches.issuers.store(None);
                }
                ChangeKind::SigningKey | ChangeKind::RevokedToken | ChangeKind::AuditEvent => {}
            }
        }
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    /// Forgets everything, loads under way included.
    pub fn forget_all(&self) {
        let mut applied = self.applied.lock();
        *applied = Applied {
            generation: applied.generation + 1,
            ..Applied::default()
        };
        self.caches.store(Arc::new(Caches::new(&self.capacity)));
        self.ids.forget_all();
        self.subjects.forget_all();
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    /// The ids of all clients.
    #[must_use]
    pub const fn ids(&self) -> &KnownIds {
        &self.ids
    }

    /// How often each kind was found in memory, and how often not.
    #[must_use]
    pub const fn lookups(&self) -> [(&'static str, &Lookups); 3] {
        [
            ("clients", &self.client_lookups),
            ("audiences", &self.audience_lookups),
            ("issuers", &self.issuer_lookups),
        ]
    }

    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }
}

impl Caches {
    fn new(capacity: &settings::Cache) -> Self {
        let lru = EvictionPolicy::lru;
        Self {
            clients: Cache::builder()
                .max_capacity(capacity.clients)
                .eviction_policy(lru())
                .build(),
            audiences: Cache::builder()
                .max_capacity(capacity.audiences)
                .eviction_policy(lru())
                .build(),
            no_audiences: Cache::builder()
                .max_capacity(capacity.audiences)
                .eviction_policy(lru())
                .build(),
            issuers: ArcSwapOption::empty(),
        }
    }
}

impl Applied {
    /// Whether a load of `key` that began in `generation` and saw the feed at `n` missed nothing.
    fn allows(&self, generation: u64, key: &Change, n: i64) -> bool {
        let later = self.numbers.get(key).is_some_and(|applied| *applied > n);
        generation == self.generation && n >= self.floor && !later
    }

    /// A change of our own is noted before the feed tells of earlier ones: the latest number stays.
    fn note(&mut self, change: &Change, n: i64) {
        let latest = self.numbers.entry(change.clone()).or_insert(n);
        *latest = n.max(*latest);
        self.order.push_back((change.clone(), n));
        if self.order.len() > RECENT_CHANGES
            && let Some((oldest, number)) = self.order.pop_front()
        {
            self.floor = self.floor.max(number);
            if self.numbers.get(&oldest) == Some(&number) {
                self.numbers.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests;
