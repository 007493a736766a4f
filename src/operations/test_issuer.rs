//! Whether a trusted issuer's keys can be had, and which they are: asked now, by the code that servers ask with.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::Grantd;
use super::clocks::Clocks;
use super::key_sources::{KeySources, KeysFault};
use crate::clock::Clock;
use crate::crypto::client_key::ClientKey;
use crate::crypto::key_set::{KeySet, LeftOut};
use crate::domain::accepted_algorithm::AcceptedAlgorithm;
use crate::domain::profile::Profile;
use crate::domain::shown;
use crate::domain::timestamp::Timestamp;
use crate::domain::trusted_issuer::{IssuerKeys, TrustedIssuer};
use crate::fetch::Fetcher;
use crate::store::Store;
use crate::store::error::StoreError;

/// The events that tell of keys which a catalog brought.
const WRITTEN: [&str; 2] = ["issuer_created", "issuer_changed"];
/// So many of them are looked at, the newest first.
const MOST: u32 = 100;
/// What a set says that tells itself how soon it is to be fetched again.
const BY_HINT: &str = "spiffe_refresh_hint";
const BY_HEADER: &str = "Cache-Control";

/// What came of it.
#[derive(Debug)]
pub struct TestedIssuer {
    /// How long it took.
    pub took: Duration,
    /// The keys, or why there are none.
    pub result: Result<FoundKeys, KeysFault>,
}

/// The keys that were there.
#[derive(Clone, Debug, Serialize)]
pub struct FoundKeys {
    /// The URL where the set was; none where it is in the database.
    pub url: Option<String>,
    /// How long servers use it without asking again, in seconds; none where it is in the database.
    pub refresh_seconds: Option<u64>,
    /// What said so: `Cache-Control`, or a member of the set; none where nobody did.
    pub refresh_by: Option<&'static str>,
    /// How long that says, in seconds.
    pub refresh_stated_seconds: Option<u64>,
    /// Those that verify signatures.
    pub keys: Vec<FoundKey>,
    /// How many CAs of X.509-SVIDs the bundle of a trust domain has.
    pub authorities: usize,
    /// Those that count for nothing.
    pub left_out: Vec<LeftOutKey>,
}

/// A key that verifies signatures.
#[derive(Clone, Debug, Serialize)]
pub struct FoundKey {
    /// What a header's `kid` calls it, as it may be shown.
    pub kid: String,
    /// What it verifies of tokens of this issuer: nothing where the issuer, or the server's profile, takes none of what the
    /// key is for.
    pub algorithms: Vec<AcceptedAlgorithm>,
    /// What it could verify besides.
    pub not_of_issuer: Vec<AcceptedAlgorithm>,
}

/// A key that does not count.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOutKey {
    /// Its `kid`, as it may be shown.
    pub kid: Option<String>,
    /// Why.
    pub why: String,
}

impl Grantd {
    /// Asks for the keys of `issuer` now, and holds them.
    pub async fn test_issuer(&self, issuer: &TrustedIssuer) -> TestedIssuer {
        test(&self.key_sources, (issuer, self.settings.profile)).await
    }
}

/// Asks for the keys of `issuer` now, without a replica, for servers of that profile; `is_dev`: for a `grantd dev`.
pub async fn test_issuer(issuer: &TrustedIssuer, profile: Profile, is_dev: bool) -> TestedIssuer {
    let clocks = Arc::new(Clocks::new(Clock::system()));
    let sources = KeySources::new(Fetcher::of_environment(is_dev), clocks, Arc::default());
    test(&sources, (issuer, profile)).await
}

async fn test(sources: &KeySources, (issuer, profile): (&TrustedIssuer, Profile)) -> TestedIssuer {
    let clock = Clock::system();
    let begun = clock.elapsed();
    let read = sources.fetch_now(issuer).await;
    let wanted: Vec<AcceptedAlgorithm> = profile.algorithms_of(issuer).collect();
    TestedIssuer {
        took: clock.elapsed().saturating_sub(begun),
        result: read.map(|fresh| {
            let stated = fresh.max_age.filter(|_| fresh.url.is_some());
            let by = match fresh.set.refresh_hint() {
                Some(_) => BY_HINT,
                None => BY_HEADER,
            };
            FoundKeys {
                refresh_seconds: fresh.url.is_some().then(|| fresh.good_for().as_secs()),
                refresh_by: stated.map(|_| by),
                refresh_stated_seconds: stated.map(|it| it.as_secs()),
                url: fresh.url,
                keys: keys(&fresh.set, &wanted),
                authorities: fresh.set.authorities().len(),
                left_out: fresh.set.left_out().iter().map(LeftOutKey::of).collect(),
            }
        }),
    }
}

fn keys(set: &KeySet, wanted: &[AcceptedAlgorithm]) -> Vec<FoundKey> {
    let found = |key: &Arc<ClientKey>| {
        let (algorithms, not_of_issuer) = key.algorithms().partition(|it| wanted.contains(it));
        FoundKey {
            kid: shown::plain(key.name()),
            algorithms,
            not_of_issuer,
        }
    };
    set.keys().iter().map(found).collect()
}

impl FoundKeys {
    /// Whether any of them verifies what this issuer signs.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.authorities > 0 || self.keys.iter().any(|it| !it.algorithms.is_empty())
    }
}

impl LeftOutKey {
    fn of(left_out: &LeftOut) -> Self {
        Self {
            kid: left_out.kid.clone(),
            why: left_out.why.clone(),
        }
    }
}

/// Since when the set in the database stands there, as far as the audit log goes back; none where the keys are elsewhere.
///
/// # Errors
/// A database out of reach, or a corrupt row.
pub async fn keys_stored_at(
    store: &Store,
    issuer: &TrustedIssuer,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let Some(IssuerKeys::Set(text)) = &issuer.keys else {
        return Ok(None);
    };
    let target = (issuer.id.as_str(), &WRITTEN[..]);
    let written = store.changes_of(target, now, MOST).await?;
    let mut of_keys = written.iter().filter_map(|event| {
        let keys = event.details.get("after")?.get("keys")?;
        Some((event.at, keys.as_str()))
    });
    let newest = of_keys.next();
    Ok(newest
        .filter(|(_, keys)| *keys == Some(text))
        .map(|(at, _)| at))
}
