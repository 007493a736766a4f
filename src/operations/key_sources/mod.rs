//! The keys that clients publish by URL and those of trusted issuers: fetched beside the requests, shared by all of them,
//! and kept while their source fails.
//!
//! A request never fetches on its own account. Where it needs keys that are not there, or one that is not among them,
//! it starts the one fetch of that source, or joins the one under way, and waits for its end, for two seconds at most.
//! A source is asked at most once in ten seconds, whatever strangers send.

mod fault;
mod place;
mod source;
mod turns;

pub use fault::KeysFault;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::task::JoinSet;

use super::clocks::Clocks;
use super::error::Outage;
use super::memory::Memory;
use super::metrics::ByIssuer;
use crate::crypto::key_set::KeySet;
use crate::domain::certificate_fault::CertificateFault;
use crate::domain::client_assertion::AssertionFault;
use crate::domain::credential::CredentialState;
use crate::domain::foreign_token::ForeignFault;
use crate::domain::identifier::{ClientId, CredentialId, IssuerId};
use crate::domain::key_source::{KeySource, Standing};
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::fetch::Fetcher;
use crate::telemetry::metrics::Counter;
use place::{Fresh, Place, Whose};
use source::Source;
use turns::Turns;

/// How long a request waits for a fetch.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at which sources are due.
const EVERY: Duration = Duration::from_secs(1);
/// The most sources in memory; a client whose source leaves loads it anew.
const MOST: u64 = 10_000;
/// A source that no request asked for during this time leaves.
const IDLE: Duration = Duration::from_hours(24);
/// Keys of a source that fails are old once they would have been fetched again, whatever their publisher says.
const OLD: Duration = Duration::from_hours(1);
/// So many failing sources are named one by one.
const NAMED: usize = 3;

/// The sources that this replica has asked.
#[derive(Debug)]
pub struct KeySources {
    fetcher: Fetcher,
    turns: Turns,
    clocks: Arc<Clocks>,
    sources: Cache<Whose, Arc<Source>>,
    by_issuer: Arc<ByIssuer>,
    pub(super) fetched: Counter,
    pub(super) failed: Counter,
}

/// Whose keys they are, and where.
pub(super) enum Origin<'a> {
    /// What a credential names, which never changes.
    Client(&'a ClientId, &'a CredentialId, &'a KeySource),
    /// What an issuer has, as it is now.
    Issuer(&'a TrustedIssuer),
}

/// Why no key of a set is chosen.
pub(super) trait KeyFault {
    /// Whether a newer set may have it.
    fn is_unknown_key(&self) -> bool;
}

impl KeyFault for AssertionFault {
    fn is_unknown_key(&self) -> bool {
        matches!(self, Self::UnknownKey(_))
    }
}

impl KeyFault for CertificateFault {
    /// A newer bundle may have the CA.
    fn is_unknown_key(&self) -> bool {
        matches!(self, Self::Chain(_))
    }
}

impl KeyFault for ForeignFault {
    fn is_unknown_key(&self) -> bool {
        matches!(self, Self::UnknownKey(..))
    }
}

impl KeySources {
    /// Nothing is fetched yet.
    #[must_use]
    pub(super) fn new(fetcher: Fetcher, clocks: Arc<Clocks>, by_issuer: Arc<ByIssuer>) -> Self {
        Self {
            fetcher,
            turns: Turns::new(),
            clocks,
            sources: Cache::builder()
                .max_capacity(MOST)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
            by_issuer,
            fetched: Counter::default(),
            failed: Counter::default(),
        }
    }

    /// What `choose` finds among the keys of `origin`. Where it knows no such key, or there are none, they are fetched
    /// first.
    ///
    /// # Errors
    /// What `choose` says of the newest keys; or an outage, where nobody can tell whether they are the newest.
    pub(super) async fn choose<T, F: KeyFault>(
        self: &Arc<Self>,
        origin: &Origin<'_>,
        choose: impl Fn(&KeySet) -> Result<T, F>,
    ) -> Result<Result<T, F>, Outage> {
        let source = self.source(origin);
        source.was_asked_for(self.now());
        if let Some(set) = source.held(self.now()) {
            match choose(&set) {
                Err(fault) if fault.is_unknown_key() => {}
                found => return Ok(found),
            }
        }
        self.refresh(&source).await;
        let now = self.now();
        let outage = || Outage::KeySource(source.whose.to_string(), source.failure());
        let set = source.held(now).ok_or_else(outage)?;
        match choose(&set) {
            Err(fault) if fault.is_unknown_key() && !source.is_new(now) => Err(outage()),
            found => Ok(found),
        }
    }

    /// What `choose` finds among the keys that are there: for a credential that is not in force, for which nobody
    /// fetches.
    pub(super) fn choose_held<T>(
        &self,
        origin: &Origin<'_>,
        choose: impl Fn(&KeySet) -> Option<T>,
    ) -> Option<T> {
        let source = self.sources.get(&origin.whose())?;
        choose(&*source.held(self.now())?)
    }

    /// Begins to fetch what is due, and forgets what nobody needs any more. No look waits for the slowest source of the last.
    pub(super) async fn begin_due(self: &Arc<Self>, memory: &Memory) -> JoinSet<()> {
        let now = self.now();
        let sources: Vec<Arc<Source>> = self.sources.iter().map(|(_, it)| it).collect();
        let mut begun = JoinSet::new();
        for source in sources {
            if source.is_running() {
                continue;
            }
            if source.was_idle_for(now) > IDLE || self.is_gone(&source, memory).await {
                self.sources.invalidate(&source.whose);
            } else if source.is_due(now) && source.begin(now) {
                begun.spawn(Arc::clone(self).fetch(source));
            }
        }
        begun
    }

    /// Fetches each second what is due by then.
    pub(super) async fn keep_refreshing(self: Arc<Self>, memory: Arc<Memory>) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.begin_due(&memory).await.detach_all();
        }
    }

    /// Fetches the keys of an issuer now, however new those are that are held, waits for the end and holds them: for whoever
    /// tests an issuer, where nobody is served.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) async fn fetch_now(&self, issuer: &TrustedIssuer) -> Result<Fresh, KeysFault> {
        let source = self.source(&Origin::Issuer(issuer));
        source.begin(self.now());
        let _running = source.running();
        let read = self.read(&source).await;
        source.take(read.clone());
        read
    }

    /// How many sources are in which state.
    pub(super) fn standings(&self) -> Vec<(Standing, usize)> {
        let now = self.now();
        let sources = self.sources.iter();
        let all: Vec<Standing> = sources.map(|(_, it)| it.standing(now)).collect();
        let number = |standing| all.iter().filter(|it| **it == standing).count();
        let standings = Standing::ALL.iter();
        standings.map(|it| (*it, number(*it))).collect()
    }

    /// How long ago the keys of each issuer that are used were fetched.
    pub(super) fn ages_of_issuers(&self) -> BTreeMap<IssuerId, Duration> {
        let now = self.now();
        let age = |source: &Source| match &source.whose {
            Whose::Issuer(issuer) => Some((issuer.clone(), source.age(now)?)),
            Whose::Client(..) => None,
        };
        let sources = self.sources.iter();
        sources.filter_map(|(_, source)| age(&source)).collect()
    }

    /// The issuers whose keys cannot be fetched and are old, each with a sentence about them.
    pub(super) fn old(&self) -> Vec<(IssuerId, String)> {
        let now = self.now();
        let sources = self.sources.iter();
        let old = sources.filter_map(|(whose, source)| {
            let Whose::Issuer(issuer) = &*whose else {
                return None;
            };
            let (age, why) = source.outdated(OLD, now)?;
            let told = format!("fetched {} s ago, and since then: {why}", age.as_secs());
            Some((issuer.clone(), told))
        });
        old.collect()
    }

    /// A sentence about the sources that fail.
    pub(super) fn trouble(&self) -> Option<String> {
        let failing: Vec<String> = self
            .sources
            .iter()
            .filter_map(|(_, source)| Some(format!("{}: {}", source.whose, source.why_failing()?)))
            .collect();
        let named = failing.iter().take(NAMED).cloned().collect::<Vec<_>>();
        let more = match failing.len().saturating_sub(NAMED) {
            _ if failing.is_empty() => return None,
            0 => String::new(),
            more => format!("; and those of {more} more"),
        };
        Some(format!(
            "keys that others publish cannot be fetched: {}{more}",
            named.join("; ")
        ))
    }

    fn now(&self) -> Duration {
        self.clocks.ours().elapsed()
    }

    fn source(&self, origin: &Origin<'_>) -> Arc<Source> {
        let new = || Arc::new(Source::new(origin.whose(), origin.place(), self.now()));
        let source = self.sources.get_with(origin.whose(), new);
        if origin.is_still(&source.place) {
            return source;
        }
        let source = new();
        self.sources.insert(origin.whose(), Arc::clone(&source));
        source
    }

    /// Waits for the fetch that is under way or due now, if there is one.
    async fn refresh(self: &Arc<Self>, source: &Arc<Source>) {
        let mut ended = source.ended();
        if source.begin(self.now()) {
            tokio::spawn(Arc::clone(self).fetch(Arc::clone(source)));
        } else if !source.is_running() {
            return;
        }
        // Whether it ended or time ran out, what is held then decides.
        let _ = tokio::time::timeout(PATIENCE, ended.changed()).await;
    }

    /// Does the fetch that has begun.
    async fn fetch(self: Arc<Self>, source: Arc<Source>) {
        let _running = source.running();
        let read = self.read(&source).await;
        let counter = if read.is_ok() {
            &self.fetched
        } else {
            &self.failed
        };
        counter.add(1);
        if let Whose::Issuer(issuer) = &source.whose {
            self.by_issuer.note(issuer, |series| {
                let counter = if read.is_ok() {
                    &series.fetched
                } else {
                    &series.failed
                };
                counter.increment();
            });
        }
        source.take(read);
    }

    /// Reads the keys when it is their turn.
    async fn read(&self, source: &Source) -> Result<Fresh, KeysFault> {
        let _turn = match source.lane() {
            Some(lane) => self.turns.of(lane).await,
            None => None,
        };
        source.place.read(&self.fetcher).await
    }

    /// Whether nobody names it any more, as far as anybody can tell.
    async fn is_gone(&self, source: &Source, memory: &Memory) -> bool {
        if !source.is_due(self.now()) {
            return false;
        }
        match &source.whose {
            Whose::Client(client, credential) => {
                let Ok(known) = memory.directory.client(client).await else {
                    return false;
                };
                let now = self.clocks.database_now();
                let mut credentials = known.iter().flat_map(|it| &it.credentials);
                !credentials
                    .any(|it| it.id == *credential && it.state(now) == CredentialState::Live)
            }
            Whose::Issuer(issuer) => match memory.directory.issuer(issuer).await {
                Ok(Some(issuer)) => !Origin::Issuer(&issuer).is_still(&source.place),
                Ok(None) => true,
                Err(_) => false,
            },
        }
    }
}

impl Origin<'_> {
    fn whose(&self) -> Whose {
        match self {
            Self::Client(client, credential, _) => {
                Whose::Client((*client).clone(), (*credential).clone())
            }
            Self::Issuer(issuer) => Whose::Issuer(issuer.id.clone()),
        }
    }

    fn place(&self) -> Place {
        match self {
            Self::Client(_, _, source) => Place::OfClient((*source).clone()),
            Self::Issuer(issuer) => Place::OfIssuer((*issuer).clone()),
        }
    }

    /// Whether its keys are still there.
    fn is_still(&self, place: &Place) -> bool {
        match (self, place) {
            (Self::Issuer(issuer), Place::OfIssuer(held)) => issuer.has_keys_of(held),
            _ => true,
        }
    }
}
