//! Loads that changes overtake, on SQLite, held by hand between two of their steps.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::audience::{JwtTyp, SenderConstraint, TokenFormat};
use crate::domain::client::Client;
use crate::domain::identifier::IssuerId;
use crate::domain::policy::Policy;
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::store::DatabaseOptions;
use crate::store::change::Committed;
use crate::store::feed::FeedPosition;
use crate::store::memory::look::{About, Look, Named};

fn change(key: &str) -> Change {
    Change {
        kind: ChangeKind::Client,
        key: key.into(),
    }
}

#[test]
fn a_load_that_a_change_overtook_is_not_kept() {
    let mut applied = Applied::default();
    assert!(applied.allows(0, &change("a"), 4));
    applied.note(&change("a"), 5);
    assert!(!applied.allows(0, &change("a"), 4));
    assert!(applied.allows(0, &change("a"), 5));
    assert!(applied.allows(0, &change("b"), 4));
    assert!(!applied.allows(1, &change("b"), 4));
}

#[test]
fn an_earlier_change_that_the_feed_tells_late_does_not_hide_our_own() {
    let mut applied = Applied::default();
    applied.note(&change("a"), 7);
    applied.note(&change("a"), 6);
    assert!(!applied.allows(0, &change("a"), 6));
}

#[test]
fn a_load_older_than_what_is_remembered_is_not_kept() {
    let mut applied = Applied::default();
    for n in 1..=i64::try_from(RECENT_CHANGES).unwrap() + 3 {
        applied.note(&change(&n.to_string()), n);
    }
    assert_eq!(applied.numbers.len(), RECENT_CHANGES);
    assert!(!applied.allows(0, &change("x"), 2));
    assert!(applied.allows(0, &change("x"), 3));
}

/// A directory over an empty database, and a second way into it.
async fn directory(capacity: settings::Cache) -> (Directory, Arc<Store>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("grantd.db").display());
    let open = || Arc::new(Store::open(DatabaseOptions::new(url.clone())).unwrap());
    let (ours, theirs) = (open(), open());
    theirs.migrate().await.unwrap();
    (Directory::new(ours, capacity), theirs, folder)
}

fn id() -> ClientId {
    ClientId::parse("a").unwrap()
}

/// The client `a` in the state `name`: that is its name, its one policy's audience and scope.
async fn write(store: &Store, state: &str) -> Committed {
    let audience = AudienceId::parse(state).unwrap();
    let scopes = ScopeSet::from_iter([Scope::parse(state).unwrap()]);
    let mut change = store.begin_change(state.to_owned()).await.unwrap();
    if let Some(known) = change.client(&id()).await.unwrap() {
        change
            .delete_policies(
                &[(id(), known.policies[0].audience.clone())],
                Timestamp::EPOCH,
            )
            .await
            .unwrap();
    }
    change.put_client(&client(state)).await.unwrap();
    change.put_audience(&an_audience(&audience)).await.unwrap();
    change
        .put_policies(&[(
            id(),
            Policy {
                default_scopes: scopes.clone(),
                scopes,
                ..Policy::bare(audience)
            },
        )])
        .await
        .unwrap();
    change.commit().await.unwrap()
}

fn client(name: &str) -> Client {
    Client {
        name: Some(name.to_owned()),
        ..Client::bare(id().as_str())
    }
}

fn an_audience(id: &AudienceId) -> Audience {
    Audience {
        id: id.clone(),
        scopes: BTreeMap::new(),
        token_lifetime: Seconds::new(60),
        max_token_lifetime: Seconds::new(60),
        algorithm: SigningAlgorithm::Es256,
        format: TokenFormat::Jwt,
        jwt_typ: JwtTyp::AccessToken,
        sender_constraint: SenderConstraint::None,
        served_by: Vec::new(),
    }
}

/// The state that a client and its one policy are in.
fn state(known: &KnownClient) -> (&str, &str) {
    (
        known.client.name.as_deref().unwrap(),
        known.policies[0].audience.as_str(),
    )
}

#[tokio::test]
async fn a_client_and_its_policies_are_of_one_moment() {
    let (directory, store, _folder) = directory(settings::Cache::default()).await;
    write(&store, "old").await;
    let mut tx = directory.store.begin_snapshot().await.unwrap();
    let feed = tx.feed_position().await.unwrap();
    write(&store, "new").await;
    let known = tx.known_client(&id()).await.unwrap().unwrap();
    assert_eq!(state(&known), ("old", "old"));
    assert_eq!(feed.n, 1);
}

/// The load has read the old state when the change commits and is applied; then it goes on.
#[tokio::test]
async fn a_load_that_is_overtaken_by_a_change_reads_again() {
    let (directory, store, _folder) = directory(settings::Cache::default()).await;
    write(&store, "old").await;
    let loads = AtomicI64::new(0);
    let load = || async {
        let loaded = directory.store.load_client(&id()).await?;
        if loads.fetch_add(1, Ordering::SeqCst) == 0 {
            let committed = write(&store, "new").await;
            directory.forget(committed.position.n, &committed.changes);
        }
        Ok(loaded)
    };
    let known = directory.load_client(&id(), load).await.unwrap().unwrap();
    assert_eq!(state(&known), ("new", "new"));
    assert_eq!(
        state(&directory.client(&id()).await.unwrap().unwrap()),
        ("new", "new")
    );
}

/// As above, of a client that does not exist yet.
#[tokio::test]
async fn a_client_that_is_made_while_it_is_looked_for_is_found() {
    let (directory, store, _folder) = directory(settings::Cache::default()).await;
    let loads = AtomicI64::new(0);
    let load = || async {
        let loaded = directory.store.load_client(&id()).await?;
        if loads.fetch_add(1, Ordering::SeqCst) == 0 {
            let committed = write(&store, "new").await;
            directory.forget(committed.position.n, &committed.changes);
        }
        Ok(loaded)
    };
    assert!(directory.load_client(&id(), load).await.unwrap().is_some());
    assert!(directory.client(&id()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_load_that_is_overtaken_by_forgetting_everything_reads_again() {
    let (directory, store, _folder) = directory(settings::Cache::default()).await;
    write(&store, "old").await;
    let loads = AtomicI64::new(0);
    let load = || async {
        let loaded = directory.store.load_client(&id()).await?;
        if loads.fetch_add(1, Ordering::SeqCst) == 0 {
            write(&store, "new").await;
            directory.forget_all();
        }
        Ok(loaded)
    };
    let known = directory.load_client(&id(), load).await.unwrap().unwrap();
    assert_eq!(state(&known), ("new", "new"));
    assert_eq!(
        state(&directory.client(&id()).await.unwrap().unwrap()),
        ("new", "new")
    );
}

#[tokio::test]
async fn a_load_that_changes_keep_overtaking_ends() {
    let (directory, _store, _folder) = directory(settings::Cache::default()).await;
    let loads = AtomicI64::new(0);
    let load = || async {
        let n = loads.fetch_add(1, Ordering::SeqCst);
        directory.forget(n + 1, &[change("a")]);
        Ok(Loaded {
            value: None,
            feed: FeedPosition {
                n,
                random_id: String::new(),
            },
        })
    };
    let result = directory.load_client(&id(), load).await;
    assert!(matches!(result, Err(StoreError::Conflict(_))), "{result:?}");
}

fn issuer(id: &str, url: &str) -> TrustedIssuer {
    serde_json::from_value(serde_json::json!({ "id": id, "url": url })).unwrap()
}

async fn write_issuers(store: &Store, issuers: &[TrustedIssuer]) -> Committed {
    let mut change = store.begin_change("issuers".to_owned()).await.unwrap();
    change.put_issuers(issuers).await.unwrap();
    change.commit().await.unwrap()
}

/// The load has read that there is no issuer when the change commits and is applied; then it goes on.
#[tokio::test]
async fn a_load_of_issuers_that_is_overtaken_by_a_change_of_one_reads_again() {
    let (directory, store, _folder) = directory(settings::Cache::default()).await;
    let loads = AtomicI64::new(0);
    let load = || async {
        let loaded = directory.store.load_issuers().await?;
        if loads.fetch_add(1, Ordering::SeqCst) == 0 {
            let committed = write_issuers(&store, &[issuer("ci", "https://ci.example")]).await;
            directory.forget(committed.position.n, &committed.changes);
        }
        Ok(loaded)
    };
    assert_eq!(directory.load_issuers(load).await.unwrap().all().len(), 1);
    assert_eq!(directory.issuers().await.unwrap().all().len(), 1);
    assert_eq!(loads.into_inner(), 2);
}

/// The last look sees the issuers where a token names one, and none that is gone.
#[tokio::test]
async fn a_look_sees_the_issuers_of_its_moment() {
    let (directory, store, _folder) = directory(settings::Cache::default()).await;
    let id = IssuerId::parse("ci").unwrap();
    let seen = async |with: bool| {
        let judge = |look: &Look<'_>| look.issuer(&id).is_some();
        let about = About::Token(Named {
            clients: &[],
            audience: None,
            issuer: with.then_some(&id),
        });
        directory.at_last(&self::id(), about, judge).await.unwrap()
    };
    assert!(!seen(true).await);
    let committed = write_issuers(&store, &[issuer("ci", "https://ci.example")]).await;
    assert!(!seen(true).await, "nobody told it");
    directory.forget(committed.position.n, &committed.changes);
    assert!(seen(true).await && !seen(false).await);
    let mut change = store.begin_change("gone".to_owned()).await.unwrap();
    change.delete_issuer(&id, change.now()).await.unwrap();
    let committed = change.commit().await.unwrap();
    directory.forget(committed.position.n, &committed.changes);
    assert!(!seen(true).await);
    write_issuers(&store, &[issuer("ci", "https://ci.example")]).await;
    directory.forget_all();
    assert!(seen(true).await);
}

/// That there is none is remembered until there is one.
#[tokio::test]
async fn an_audience_that_is_absent_is_there_once_its_change_is_applied() {
    let (directory, store, _folder) = directory(settings::Cache::default()).await;
    let name = AudienceId::parse("new").unwrap();
    let is_there = async || directory.audience(&name).await.unwrap().is_some();
    assert!(!is_there().await);
    let mut change = store.begin_change("new".to_owned()).await.unwrap();
    change.put_audience(&an_audience(&name)).await.unwrap();
    let committed = change.commit().await.unwrap();
    assert!(!is_there().await, "nobody told it");
    directory.forget(committed.position.n, &committed.changes);
    assert!(is_there().await);
    let mut change = store.begin_change("gone".to_owned()).await.unwrap();
    change.delete_audience(&name).await.unwrap();
    let committed = change.commit().await.unwrap();
    directory.forget(committed.position.n, &committed.changes);
    assert!(!is_there().await);
    directory.forget_all();
    let mut change = store.begin_change("again".to_owned()).await.unwrap();
    change.put_audience(&an_audience(&name)).await.unwrap();
    change.commit().await.unwrap();
    assert!(is_there().await);
}
