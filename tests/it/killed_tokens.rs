//! Killing tokens (DESIGN section 1, B-C09): what disabling and deleting a client does to the tokens that it has.

use grantd::clock::Clock;
use grantd::crypto::random;
use grantd::domain::client::ClientStatus;
use grantd::domain::identifier::{ClientId, CredentialId};
use grantd::domain::timestamp::{Seconds, Timestamp};
use grantd::operations::apply_catalog::Action;

use crate::harness::*;

/// [`CATALOG`] with a status of `reader`.
fn with_status(status: &str) -> String {
    CATALOG.replace(
        "id = \"reader\"",
        &format!("id = \"reader\"\nstatus = \"{status}\""),
    )
}

/// [`CATALOG`] without `reader`.
fn without_reader() -> String {
    let (audience, rest) = CATALOG.split_once("[[client]]").unwrap();
    let (_, api) = rest.split_once("[[client]]").unwrap();
    format!("{audience}[[client]]{api}")
}

fn at(after: i64) -> Timestamp {
    Timestamp::from_unix(START + after)
}

fn issued_at(token: &str) -> i64 {
    decoded(token).1["iat"].as_i64().unwrap() - START
}

impl Env {
    async fn mark(&self) -> i64 {
        let id = ClientId::parse("reader").unwrap();
        let known = self.store.load_client(&id).await.unwrap().value.unwrap();
        known.client.tokens_not_before.unix() - START
    }

    /// Puts the mark where no command of today's clock would.
    async fn set_mark(&self, after: i64) {
        let id = ClientId::parse("reader").unwrap();
        let mut change = self.store.begin_change(random::token_id()).await.unwrap();
        let mut known = change.client(&id).await.unwrap().unwrap();
        known.client.tokens_not_before = at(after);
        change.put_client(&known.client).await.unwrap();
        change.commit().await.unwrap();
    }
}

on_both! {
    /// B-C09.
    async fn a_disabled_client_gets_nothing_and_its_tokens_are_dead(env) {
        env.apply(CATALOG).await;
        let (here, there) = (env.replica().await, env.replica().await);
        let token = here.issued("reader", READER, "").await;
        env.apply(&with_status("disabled")).await;
        for (replica, refusals) in [(here, 3), (there, 6)] {
            replica.follow().await;
            assert!(!replica.is_active(&token).await);
            let refused = replica.token("reader", READER, "").await;
            refused.assert_error(401, "invalid_client");
            assert_eq!(refused.same(), replica.token("nobody", READER, "").await.same());
            replica.revoke("reader", READER, &token).await.assert_error(401, "invalid_client");
            assert_eq!(replica.audit_events("refused").await, refusals);
        }
    }

    async fn a_status_that_the_catalog_does_not_state_stays(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        env.apply(&with_status("disabled")).await;
        let plan = env.apply(CATALOG).await;
        assert_eq!(plan.changes(), 0, "{plan:?}");
        replica.follow().await;
        replica.token("reader", READER, "").await.assert_error(401, "invalid_client");
    }

    /// B-C09.
    async fn enabling_revives_no_token(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        env.apply(&with_status("disabled")).await;
        env.clock.advance(Seconds::new(20));
        env.apply(&with_status("active")).await;
        replica.follow().await;
        assert!(!replica.is_active(&token).await);
        let new = replica.issued("reader", READER, "").await;
        assert!(replica.is_active(&new).await);
        assert!(!replica.is_active(&token).await);
    }

    /// Tokens of the second of the mark are dead, so a request waits until it is past, and takes its time then.
    async fn a_request_waits_until_its_token_will_live(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        env.apply(&with_status("disabled")).await;
        assert_eq!(env.mark().await, 1);
        env.apply(&with_status("active")).await;
        assert_eq!(env.mark().await, 1, "enabling in the same second takes nothing back");
        replica.follow().await;
        let token = replica.issued("reader", READER, "").await;
        assert_eq!(env.clock.now(), at(2));
        assert_eq!(issued_at(&token), 2);
        assert!(replica.is_active(&token).await);
        let next = replica.issued("reader", READER, "").await;
        assert_eq!(issued_at(&next), 2, "nothing to wait for any more");
    }

    /// What a waiting request was judged by must still hold when the wait is over.
    async fn a_client_that_is_disabled_while_its_request_waits_gets_nothing(env) {
        let env = env.with_clock(Clock::still(at(0)));
        env.apply(CATALOG).await;
        env.set_mark(0).await;
        let replica = std::sync::Arc::new(env.replica().await);
        let waiting = std::sync::Arc::clone(&replica);
        let request = tokio::spawn(async move { waiting.token("reader", READER, "").await });
        while env.clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        env.apply(&with_status("disabled")).await;
        replica.follow().await;
        env.clock.advance(Seconds::new(1));
        request.await.unwrap().assert_error(401, "invalid_client");
    }

    async fn a_request_waits_two_seconds_at_most(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        env.set_mark(10).await;
        replica.follow().await;
        for after in [0, 8] {
            env.clock.sleep_until(at(after)).await;
            let refused = replica.token("reader", READER, "").await;
            refused.assert_error(503, "temporarily_unavailable");
            assert!(refused.headers.contains_key("retry-after"));
            assert_eq!(env.clock.now(), at(after), "it did not wait");
            replica.token("reader", API, "").await.assert_error(401, "invalid_client");
        }
        env.clock.sleep_until(at(9)).await;
        let token = replica.issued("reader", READER, "").await;
        assert_eq!(issued_at(&token), 11);
        assert!(replica.is_active(&token).await);
    }

    async fn only_an_authenticated_request_waits(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        env.set_mark(0).await;
        replica.follow().await;
        replica.token("reader", API, "").await.assert_error(401, "invalid_client");
        assert_eq!(env.clock.now(), at(0));
        replica.issued("reader", READER, "").await;
        assert_eq!(env.clock.now(), at(1));
    }

    /// Another replica issues until it reads the feed, within one second: what it issues then dies too.
    /// (B-C09).
    async fn what_a_replica_issues_before_it_hears_of_it_dies_too(env) {
        env.apply(CATALOG).await;
        let (here, late) = (env.replica().await, env.replica().await);
        let first = late.issued("reader", READER, "").await;
        env.apply(&with_status("disabled")).await;
        here.follow().await;
        let same_second = late.issued("reader", READER, "").await;
        env.clock.advance(Seconds::new(1));
        let next_second = late.issued("reader", READER, "").await;
        assert_eq!(issued_at(&next_second), 1);
        env.clock.advance(Seconds::new(1));
        let too_late = late.issued("reader", READER, "").await;
        late.follow().await;
        assert!(!late.is_active(&too_late).await, "while disabled, even what came too late is dead");
        env.apply(&with_status("active")).await;
        for replica in [&here, &late] {
            replica.follow().await;
            for token in [&first, &same_second, &next_second, &too_late] {
                assert!(!replica.is_active(token).await);
            }
        }
        let new = late.issued("reader", READER, "").await;
        assert!(here.is_active(&new).await);
    }

    /// B-C09.
    async fn a_deleted_client_gets_nothing_and_its_tokens_are_dead(env) {
        env.apply(CATALOG).await;
        let (here, there) = (env.replica().await, env.replica().await);
        let token = here.issued("reader", READER, "").await;
        env.prune(&without_reader()).await;
        for replica in [here, there] {
            replica.follow().await;
            assert!(!replica.is_active(&token).await);
            let refused = replica.token("reader", READER, "").await;
            refused.assert_error(401, "invalid_client");
            assert_eq!(refused.same(), replica.token("nobody", READER, "").await.same());
        }
    }

    /// B-C09.
    async fn a_client_made_anew_under_the_id_revives_no_token(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        env.prune(&without_reader()).await;
        assert_eq!(env.mark().await, 1);
        replica.grantd.sweep().await;
        env.clock.advance(Seconds::new(20));
        env.apply(CATALOG).await;
        assert_eq!(env.mark().await, 20);
        replica.follow().await;
        let new = replica.issued("reader", READER, "").await;
        assert!(replica.is_active(&new).await);
        assert!(!replica.is_active(&token).await);
        let plan = env.apply(CATALOG).await;
        assert_eq!(plan.changes(), 0, "{plan:?}");
    }

    /// B-C09.
    async fn deleting_and_making_anew_in_one_second_revives_no_token(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        env.prune(&without_reader()).await;
        env.apply(CATALOG).await;
        replica.follow().await;
        assert!(!replica.is_active(&token).await);
        let new = replica.issued("reader", READER, "").await;
        assert_eq!(issued_at(&new), 2);
        assert!(replica.is_active(&new).await);
    }

    /// The row of a deleted client goes when no token of it can live any more, and not before.
    async fn a_deleted_client_is_remembered_until_its_last_token_has_expired(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        env.prune(&without_reader()).await;
        let id = ClientId::parse("reader").unwrap();
        let status = async || {
            replica.grantd.sweep().await;
            let known = env.store.load_client(&id).await.unwrap().value;
            known.map(|known| (known.client.status, known.credentials.len(), known.policies.len()))
        };
        assert_eq!(status().await, Some((ClientStatus::Deleted, 0, 0)));
        env.clock.advance(Seconds::new(24 * 3600));
        assert_eq!(status().await, Some((ClientStatus::Deleted, 0, 0)));
        env.clock.advance(Seconds::new(2 * 3600));
        assert_eq!(status().await, None);
    }

    async fn the_mark_never_goes_back(env) {
        env.apply(CATALOG).await;
        env.set_mark(50).await;
        env.apply(&with_status("disabled")).await;
        assert_eq!(env.mark().await, 50);
        env.apply(&with_status("active")).await;
        assert_eq!(env.mark().await, 50);
        env.set_mark(5).await;
        assert_eq!(env.mark().await, 50);
        env.prune(&without_reader()).await;
        assert_eq!(env.mark().await, 50);
        env.apply(CATALOG).await;
        assert_eq!(env.mark().await, 50);
    }

    async fn killing_the_tokens_of_one_client_touches_no_other(env) {
        let writer = CATALOG.split("[[client]]").nth(1).unwrap().replace("reader", "writer");
        env.apply(&format!("{CATALOG}[[client]]{writer}")).await;
        let replica = env.replica().await;
        let token = replica.issued("writer", "writer secret of 1", "").await;
        env.apply(&with_status("disabled")).await;
        replica.follow().await;
        assert!(replica.is_active(&token).await);
    }

    /// An API that is gone has nobody who may introspect its tokens.
    async fn the_tokens_of_an_audience_that_was_removed_are_inactive(env) {
        let elsewhere = CATALOG.replace("\"pricing\"", "\"billing\"");
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        env.prune(&elsewhere).await;
        replica.follow().await;
        assert!(!replica.is_active(&token).await);
        let gone = replica.token("reader", READER, "&audience=pricing").await;
        gone.assert_error(400, "invalid_target");
        let new = replica.issued("reader", READER, "&audience=billing").await;
        assert!(replica.is_active(&new).await);
    }

    /// A token names the credential that it was issued for, and to nobody more.
    async fn the_jti_begins_with_the_credential(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let claims = decoded(&token).1;
        let (credential, random) = claims["jti"].as_str().unwrap().split_once('.').unwrap();
        let id = ClientId::parse("reader").unwrap();
        let known = env.store.load_client(&id).await.unwrap().value.unwrap();
        assert_eq!(credential, known.credentials[0].id.as_str());
        assert_eq!(random.len(), 22);
        assert_eq!(replica.introspect("api", API, &token).await.json()["jti"], claims["jti"]);
    }

    async fn a_compromised_credential_takes_its_tokens_along_and_no_others(env) {
        let two = CATALOG.replace(
            &format!("secret = \"{READER}\""),
            &format!("secrets = [\"{READER}\", \"the other secret\"]"),
        );
        env.apply(&two).await;
        let replicas = [env.replica().await, env.replica().await];
        let leaked = replicas[0].issued("reader", READER, "").await;
        let other = replicas[0].issued("reader", "the other secret", "").await;
        let id = CredentialId::parse(decoded(&leaked).1["jti"].as_str().unwrap().split('.').next().unwrap());
        let id = id.unwrap();
        let retired = env.retire(&id, false).await;
        assert!(retired.tokens_end_at.unwrap().unix() - START >= 300, "{retired:?}");
        for replica in &replicas {
            replica.follow().await;
            replica.token("reader", READER, "").await.assert_error(401, "invalid_client");
            assert!(replica.is_active(&leaked).await, "retiring alone kills no token");
        }
        env.retire(&id, true).await;
        for replica in &replicas {
            replica.follow().await;
            assert!(!replica.is_active(&leaked).await);
            assert!(replica.is_active(&other).await);
        }
        // Neither the catalog that states it nor one that prunes it revives anything.
        env.apply(&two).await;
        let plan = env.prune(&CATALOG.replace(READER, "the other secret")).await;
        assert_eq!(plan.count(Action::Removed), 0, "{plan:?}");
        replicas[1].follow().await;
        assert!(!replicas[1].is_active(&leaked).await);
        env.clock.advance(Seconds::new(26 * 3600));
        let plan = env.prune(&CATALOG.replace(READER, "the other secret")).await;
        assert_eq!(plan.count(Action::Removed), 1, "{plan:?}");
    }
}
