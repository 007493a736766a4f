//! Instants that commands write come from the database's clock, whatever the machine's says.

use grantd::clock::Clock;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::credential::{Credential, CredentialMaterial, CredentialState};
use grantd::domain::identifier::ClientId;
use grantd::domain::profile::Profile;
use grantd::domain::timestamp::{Seconds, Timestamp};
use grantd::operations::manage_credentials::{Expiry, NewCredential};
use grantd::operations::register_credentials::add_secret;
use grantd::store::{DatabaseOptions, Store};

use crate::assertion::signer::{Key, assert_refused, catalog, claims, token};
use crate::harness::*;

fn reader() -> ClientId {
    ClientId::parse("reader").unwrap()
}

on_both! {
    /// Asked itself, past the clock of the tests: in milliseconds, with a fraction, and right.
    async fn the_database_tells_the_time(env) {
        let (clock, store) =
            (Clock::system(), Store::open(DatabaseOptions::new(&env.database.url)).unwrap());
        let mut fractions = 0;
        for _ in 0..20 {
            let before = clock.unix_milliseconds();
            let said = store.now().await.unwrap().unix_milliseconds();
            assert!((before..=clock.unix_milliseconds()).contains(&said), "{before} {said}");
            let position = store.feed_position().await.unwrap();
            let before = clock.unix_milliseconds();
            let reading = store.read_feed(&position, None, &clock).await.unwrap();
            let said = reading.clock.database.unix_milliseconds();
            assert!((before..=clock.unix_milliseconds()).contains(&said), "{before} {said}");
            fractions += said % 1000;
        }
        assert!(fractions > 0, "it tells seconds only");
        let before = clock.now();
        let change = store.begin_change("x".to_owned()).await.unwrap();
        assert!((before..=clock.now()).contains(&change.now()));
    }

    async fn a_credential_is_added_and_retired_and_ends_by_it(env) {
        env.apply(CATALOG).await;
        env.database_clock.set_by(500);
        let new = NewCredential {
            label: None,
            active_from: None,
            expiry: Some(Expiry::In(Seconds::new(90))),
            profile: Profile::Default,
            by: by(),
        };
        let (id, _) = add_secret(&env.store, &reader(), &new).await.unwrap();
        env.database_clock.set_by(10);
        env.retire(&id, false).await;
        let known = env.store.load_client(&reader()).await.unwrap().value.unwrap();
        let credential = known.credentials.iter().find(|it| it.id == id).unwrap();
        let at = |after| Timestamp::from_unix(START + after);
        assert_eq!(credential.created_at, at(500));
        assert_eq!(credential.expires_at, Some(at(590)));
        assert_eq!(credential.retired_at, Some(at(510)));
        assert_eq!(known.client.rotated_at, Some(at(510)));
        assert_eq!(credential.state(at(510)), CredentialState::Retired);
    }

    /// Its end was written by that clock, so it holds by that clock: not when a slow replica's own comes to it.
    async fn a_credential_begins_and_ends_on_replicas_whose_clocks_are_off(env) {
        let (key, next) = (Key::new(SigningAlgorithm::Es256), Key::new(SigningAlgorithm::Es256));
        env.apply(&catalog(&[&key, &next], "")).await;
        let (slow, _) = env.replica_apart(-50).await;
        let mut new = NewCredential { label: None, active_from: None, expiry: None, profile: Profile::Default, by: by() };
        let (id, secret) = add_secret(&env.store, &reader(), &new).await.unwrap();
        new.active_from = Some(Timestamp::from_unix(START + 1));
        let (_, later) = add_secret(&env.store, &reader(), &new).await.unwrap();
        slow.follow().await;
        assert_eq!(slow.token("reader", secret.expose(), "").await.status, 200);
        let worker = ClientId::parse("worker").unwrap();
        let known = env.store.load_client(&worker).await.unwrap().value.unwrap();
        let is_key = |it: &&Credential| {
            matches!(&it.material, CredentialMaterial::Jwk(jwk) if jwk.contains(key.kid()))
        };
        for id in [&id, &known.credentials.iter().find(is_key).unwrap().id] {
            env.retire(id, false).await;
        }
        slow.follow().await;
        slow.token("reader", secret.expose(), "").await.assert_error(401, "invalid_client");
        let made = |jti: &str| {
            let mut made = claims("worker", jti);
            made["iat"] = (START - 50).into();
            made
        };
        assert_refused(&slow, &[key.sign(&made("1"))]).await;
        assert_eq!(token(&slow, &next.sign(&made("2"))).await.status, 200);
        assert!(env.database_clock.now() < new.active_from.unwrap());
        let (fast, _) = env.replica_apart(50).await;
        fast.token("reader", later.expose(), "").await.assert_error(401, "invalid_client");
    }

    /// A change that waits for another administrator is made when its turn has come.
    async fn a_change_is_made_when_its_turn_has_come(env) {
        let mut change = env.store.begin_change("x".to_owned()).await.unwrap();
        env.database_clock.advance(Seconds::new(3));
        change.lock_administration().await.unwrap();
        assert_eq!(change.now(), Timestamp::from_unix(START + 3));
    }
}
