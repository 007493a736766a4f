//! Instants that commands write come from the database's clock, whatever the machine's says.

use grantd::clock::Clock;
use grantd::domain::client::AssertionAudience;
use grantd::domain::credential::CredentialState;
use grantd::domain::identifier::ClientId;
use grantd::domain::profile::Profile;
use grantd::domain::timestamp::{Seconds, Timestamp};
use grantd::operations::manage_credentials::{
    Expiry, NewCredential, add_secret, retire_credential,
};
use grantd::store::{DatabaseOptions, Store};

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
        };
        let (id, _) = add_secret(&env.store, &reader(), &new).await.unwrap();
        env.database_clock.set_by(10);
        retire_credential(&env.store, &id, false).await.unwrap();
        let known = env.store.load_client(&reader()).await.unwrap().value.unwrap();
        let credential = known.credentials.iter().find(|it| it.id == id).unwrap();
        let at = |after| Timestamp::from_unix(START + after);
        assert_eq!(credential.created_at, at(500));
        assert_eq!(credential.expires_at, Some(at(590)));
        assert_eq!(credential.retired_at, Some(at(510)));
        assert_eq!(known.client.rotated_at, Some(at(510)));
        assert_eq!(credential.state(at(510)), CredentialState::Retired);
        assert_eq!(known.client.assertion_audience, AssertionAudience::Issuer);
    }

    /// A change that waits for another administrator is made when its turn has come.
    async fn a_change_is_made_when_its_turn_has_come(env) {
        let mut change = env.store.begin_change("x".to_owned()).await.unwrap();
        env.database_clock.advance(Seconds::new(3));
        change.lock_administration().await.unwrap();
        assert_eq!(change.now(), Timestamp::from_unix(START + 3));
    }
}
