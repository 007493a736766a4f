//! Puts a replica and its database back to what they were at an earlier moment: a test of `grantd dev` begins anew.
//!
//! It is one transaction, and costs what was changed since. Nobody else may serve the same database: other replicas are
//! told that clients, audiences and keys changed, but not that a token is no longer revoked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::Grantd;
use super::actor::Actor;
use super::make_signing_keys::{KeyPairs, MakeKeyError, make_missing_keys};
use crate::crypto::random;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::audience::Audience;
use crate::domain::client::ClientStatus;
use crate::domain::identifier::{AudienceId, ClientId, IssuerId};
use crate::domain::known_client::KnownClient;
use crate::domain::timestamp::Seconds;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::store::Store;
use crate::store::change::{ChangeTx, Committed};
use crate::store::clients::Contents;
use crate::store::error::StoreError;
use crate::store::feed::{Change, ChangeKind, FeedPosition};
use crate::store::restore::Earlier;
use crate::store::signing_keys::StoredKey;

/// So many clients a [`Stock`] holds at most: about 2 KiB each.
pub const MOST_CLIENTS: i64 = 20_000;

/// What a database held at one moment.
#[derive(Debug)]
pub struct Stock {
    audiences: BTreeMap<AudienceId, Audience>,
    issuers: BTreeMap<IssuerId, TrustedIssuer>,
    clients: BTreeMap<ClientId, KnownClient>,
    keys: Vec<StoredKey>,
    /// Up to here everything is as it was.
    seen: tokio::sync::Mutex<FeedPosition>,
}

/// What is put back besides what always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfKeys {
    /// The signing keys stay as they are; one is made where an audience has none.
    Stay,
    /// They are put back, too.
    GoBack,
}

impl Stock {
    /// What `store` holds now; `None` where that is too much to keep.
    ///
    /// # Errors
    /// A database out of reach.
    pub async fn take(store: &Store) -> Result<Option<Self>, StoreError> {
        let ids = store.client_ids_after("", MOST_CLIENTS + 1).await?;
        if i64::try_from(ids.len()).is_ok_and(|number| number > MOST_CLIENTS) {
            return Ok(None);
        }
        let keys = store.load_signing_keys().await?.value.keys;
        let loaded = store.load_catalog().await?;
        let Contents {
            audiences,
            issuers,
            clients,
            ..
        } = loaded.value;
        let lives = |it: &KnownClient| it.client.status != ClientStatus::Deleted;
        let clients = clients.into_iter().filter(lives);
        Ok(Some(Self {
            audiences: audiences
                .into_iter()
                .map(|it| (it.id.clone(), it))
                .collect(),
            issuers: issuers.into_iter().map(|it| (it.id.clone(), it)).collect(),
            clients: clients.map(|it| (it.client.id.clone(), it)).collect(),
            keys,
            seen: tokio::sync::Mutex::new(loaded.feed),
        }))
    }

    /// What of it was changed after `seen`.
    async fn earlier(
        &self,
        change: &mut ChangeTx,
        seen: &FeedPosition,
    ) -> Result<Earlier<'_>, StoreError> {
        let Named {
            clients,
            audiences,
            issuers,
        } = match change.changed_since(seen).await? {
            Some(changes) => named(&changes),
            None => self.all(change).await?,
        };
        Ok(Earlier {
            clients: clients
                .iter()
                .filter_map(|id| self.clients.get(id))
                .collect(),
            changed_clients: clients.into_iter().collect(),
            audiences: audiences
                .iter()
                .filter_map(|id| self.audiences.get(id))
                .collect(),
            changed_audiences: audiences.into_iter().collect(),
            issuers: issuers
                .iter()
                .filter_map(|id| self.issuers.get(id))
                .collect(),
            changed_issuers: issuers.into_iter().collect(),
        })
    }

    /// Everything that there is or was.
    async fn all(&self, change: &mut ChangeTx) -> Result<Named, StoreError> {
        let mut all = Named {
            clients: self.clients.keys().cloned().collect(),
            audiences: self.audiences.keys().cloned().collect(),
            issuers: self.issuers.keys().cloned().collect(),
        };
        let now = change.contents().await?;
        all.clients
            .extend(now.clients.into_iter().map(|it| it.client.id));
        all.audiences
            .extend(now.audiences.into_iter().map(|it| it.id));
        all.issuers.extend(now.issuers.into_iter().map(|it| it.id));
        Ok(all)
    }

    fn algorithms(&self) -> BTreeSet<SigningAlgorithm> {
        self.audiences.values().map(|it| it.algorithm).collect()
    }
}

/// What changes name.
struct Named {
    clients: BTreeSet<ClientId>,
    audiences: BTreeSet<AudienceId>,
    issuers: BTreeSet<IssuerId>,
}

fn named(changes: &[Change]) -> Named {
    let of = |kind| changes.iter().filter(move |it| it.kind == kind);
    let clients = of(ChangeKind::Client).filter_map(|it| ClientId::parse(&it.key).ok());
    let audiences = of(ChangeKind::Audience).filter_map(|it| AudienceId::parse(&it.key).ok());
    let issuers = of(ChangeKind::Issuer).filter_map(|it| IssuerId::parse(&it.key).ok());
    Named {
        clients: clients.collect(),
        audiences: audiences.collect(),
        issuers: issuers.collect(),
    }
}

impl Grantd {
    /// Puts everything back to `stock`: audiences, issuers, clients, their credentials, policies and marks of killed tokens; no
    /// token is revoked and no `jti` spent any more, and no client has had any of its tokens a minute.
    ///
    /// # Errors
    /// A key could not be made, or a database out of reach: then nothing was put back.
    pub async fn restore(
        &self,
        stock: &Stock,
        keys: OfKeys,
        by: &Actor,
    ) -> Result<(), MakeKeyError> {
        let algorithms = stock.algorithms();
        let mut pairs = KeyPairs::default();
        if keys == OfKeys::Stay {
            pairs.make_missing(&self.store, &algorithms).await?;
        }
        let mut seen = stock.seen.lock().await;
        // Nothing is spent, and the feed is not read, until memory is what the database is: else it would look as if the
        // database had lost the last use.
        let (spending, reading) = (
            self.replay_cache.hold().await,
            self.feed.followed.lock().await,
        );
        self.replay_cache.forget_last_use();
        let mut change = self.store.begin_change(random::token_id()).await?;
        change.lock_administration().await?;
        let earlier = stock.earlier(&mut change, &seen).await?;
        change.put_back(&earlier).await?;
        change.forget_revocations_and_uses().await?;
        match keys {
            OfKeys::GoBack => change.put_keys_back(&stock.keys).await?,
            OfKeys::Stay => {
                let sealing = Some(&*self.feed.sealing);
                let at_once = Seconds::new(0);
                make_missing_keys(&mut change, &algorithms, pairs, sealing, at_once).await?;
            }
        }
        let (clients, audiences) = (&earlier.changed_clients, &earlier.changed_audiences);
        let details = json!({
            "clients": clients.len(), "audiences": audiences.len(), "issuers": earlier.changed_issuers.len(),
            "keys": keys == OfKeys::GoBack,
        });
        by.record(&mut change, ("reset", ""), details).await?;
        let Committed { changes, position } = change.commit().await?;
        self.replay_cache.forget_uses();
        self.budgets.begin_anew();
        self.memory.apply(position.n, &changes);
        *seen = position;
        drop((spending, reading));
        self.follow_feed().await?;
        Ok(())
    }
}
