//! `POST /oauth2/revoke`: RFC 7009.

use grantd::domain::timestamp::Seconds;

use crate::catalogs::{client, policy};
use crate::forgery::{Forger, new_key, signed};
use crate::harness::*;

/// Another client of the same API.
fn with_writer() -> String {
    let lines = format!("auth = \"client_secret_post\"\nsecret = \"{WRITER}\"");
    let policies = [policy("pricing", "write", "write")];
    format!("{CATALOG}{}", client("writer", &lines, &policies))
}
const WRITER: &str = "writer secret of 1";

impl Replica {
    /// Revokes a token of `reader`; further parameters may follow the token.
    async fn revoked(&self, token: &str) -> Answer {
        self.revoke("reader", READER, token).await
    }

    async fn revoke_by_form(&self, form: &str) -> Answer {
        self.post("/oauth2/revoke", &[], form).await
    }
}

on_both! {
    /// 7009-01.
    async fn only_a_posted_form_of_an_authenticated_client_is_answered(env) {
        env.apply(&with_writer()).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let get = replica.get("/oauth2/revoke").await;
        get.assert_error(405, "method_not_allowed");
        assert_eq!(get.headers["allow"], "POST");

        let form = format!("token={token}");
        let (reader, writer) = (form_encoded(READER), form_encoded(WRITER));
        replica.revoke_by_form(&form).await.assert_error(401, "invalid_client");
        let public = format!("{form}&client_id=reader");
        replica.revoke_by_form(&public).await.assert_error(401, "invalid_client");
        let wrong = format!("{form}&client_id=reader&client_secret={writer}");
        replica.revoke_by_form(&wrong).await.assert_error(401, "invalid_client");
        replica.revoke("writer", WRITER, &token).await.assert_error(401, "invalid_client");
        let twice = format!("{token}&client_id=reader&client_secret={reader}");
        replica.revoked(&twice).await.assert_error(400, "invalid_request");
        assert!(replica.is_active(&token).await);
        let right = format!("{form}&client_id=reader&client_secret={reader}");
        assert_eq!(replica.revoke_by_form(&right).await.status, 200);
        assert!(!replica.is_active(&token).await);
    }

    /// 7009-01: who does not prove itself learns nothing of the token, not even that it is revoked already.
    async fn a_failed_authentication_is_refused_the_same_for_every_token(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let live = replica.issued("reader", READER, "").await;
        let revoked = replica.issued("reader", READER, "").await;
        assert_eq!(replica.revoked(&revoked).await.status, 200);
        let refused = replica.revoke("reader", API, "garbage").await;
        refused.assert_error(401, "invalid_client");
        for token in [&live, &revoked] {
            let answer = replica.revoke("reader", API, token).await;
            assert_eq!(answer.same(), refused.same());
        }
        assert!(replica.is_active(&live).await);
    }

    /// 7009-02.
    async fn revoking_a_token_kills_it_and_may_be_done_again(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let other = replica.issued("reader", READER, "").await;
        for _ in 0..2 {
            let answer = replica.revoked(&token).await;
            assert_eq!(answer.status, 200);
            assert!(answer.body.is_empty());
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert!(!replica.is_active(&token).await);
        }
        assert!(replica.is_active(&other).await);
    }

    /// 7009-03.
    async fn a_token_that_is_none_of_ours_gets_the_same_200(env) {
        let (replica, forger) = Forger::new(&env, CATALOG).await;
        let own = signed(&forger.key, &forger.header, &forger.claims);
        let revoked = replica.revoked(&own).await;
        assert_eq!(revoked.status, 200);
        for token in [
            "garbage".to_owned(),
            "..".to_owned(),
            "a".repeat(10 * 1024),
            forger.claim("exp", START),
            forger.claim("iss", "https://other.example"),
            forger.header("typ", "dpop+jwt"),
            signed(&new_key(), &forger.header, &forger.claims),
        ] {
            assert_eq!(replica.revoked(&token).await.same(), revoked.same(), "{token}");
        }
    }

    /// 7009-04.
    async fn the_token_of_another_client_is_refused_and_stays_active(env) {
        env.apply(&with_writer()).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        replica.revoke("api", API, &token).await.assert_error(400, "invalid_grant");
        let form = format!("token={token}&client_id=writer&client_secret={}", form_encoded(WRITER));
        replica.revoke_by_form(&form).await.assert_error(400, "invalid_grant");
        assert!(replica.is_active(&token).await);
    }

    /// 7009-05.
    async fn a_request_without_exactly_one_token_is_refused(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let basic = basic("reader", READER);
        for form in ["", "token=", "token=a&token=a", "token=a&token=b", "Token=a"] {
            let answer = replica.post("/oauth2/revoke", &[("authorization", &basic)], form).await;
            answer.assert_error(400, "invalid_request");
        }
    }

    /// 7009-06.
    async fn no_hint_matters(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        for hint in ["access_token", "refresh_token", "nonsense", ""] {
            let token = replica.issued("reader", READER, "").await;
            let answer = replica.revoked(&format!("{token}&token_type_hint={hint}")).await;
            assert_eq!(answer.status, 200, "{hint}");
            assert!(!replica.is_active(&token).await, "{hint}");
        }
    }

    /// 7009-07: whatever form the audience gives to its tokens.
    async fn every_form_of_access_token_can_be_revoked(env) {
        for (algorithm, typ) in [("ES256", "at+jwt"), ("EdDSA", "JWT")] {
            let form = format!("algorithm = \"{algorithm}\"\njwt_typ = \"{typ}\"\nserved_by");
            env.apply(&CATALOG.replace("served_by", &form)).await;
            let replica = env.replica().await;
            let token = replica.issued("reader", READER, "").await;
            assert_eq!(decoded(&token).0["typ"], typ);
            assert_eq!(decoded(&token).0["alg"], algorithm);
            assert!(replica.is_active(&token).await);
            assert_eq!(replica.revoked(&token).await.status, 200);
            assert!(!replica.is_active(&token).await);
        }
    }

    /// 7009-08 B-T04
    async fn a_revocation_that_cannot_be_stored_is_503_and_not_200(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        for table in ["revoked_tokens", "feed_head"] {
            env.database.hide_table(table).await;
            let answer = replica.revoked(&token).await;
            answer.assert_error(503, "temporarily_unavailable");
            assert!(answer.headers.contains_key("retry-after"));
            env.database.show_table(table).await;
            assert!(replica.is_active(&token).await);
        }
        assert_eq!(replica.revoked(&token).await.status, 200);
        assert!(!replica.is_active(&token).await);
    }

    /// 7009-08: a replica that could not read the feed for too long answers nothing that it only remembers.
    async fn a_replica_that_is_behind_the_feed_revokes_and_introspects_nothing(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        env.clock.advance(Seconds::new(30));
        assert!(replica.is_active(&token).await);
        env.clock.advance(Seconds::new(1));
        replica.revoked(&token).await.assert_error(503, "temporarily_unavailable");
        replica.introspect("api", API, &token).await.assert_error(503, "temporarily_unavailable");
        replica.token("reader", READER, "").await.assert_error(503, "temporarily_unavailable");
        replica.follow().await;
        assert!(replica.is_active(&token).await);
    }

    /// B-T04 7009-08: every other replica knows it when it has read the feed.
    async fn a_revocation_holds_on_every_replica(env) {
        env.apply(CATALOG).await;
        let (here, there) = (env.replica().await, env.replica().await);
        let token = here.issued("reader", READER, "").await;
        let other = here.issued("reader", READER, "").await;
        assert!(there.is_active(&token).await);
        assert_eq!(here.revoked(&token).await.status, 200);
        there.follow().await;
        assert!(!there.is_active(&token).await);
        assert!(there.is_active(&other).await);
        let started_later = env.replica().await;
        assert!(!started_later.is_active(&token).await);
        assert!(started_later.is_active(&other).await);
    }

    async fn revocations_at_the_same_time_all_hold(env) {
        env.apply(CATALOG).await;
        let (here, there) = (env.replica().await, env.replica().await);
        let first = here.issued("reader", READER, "").await;
        let second = here.issued("reader", READER, "").await;
        let (a, b, c, d) = tokio::join!(
            here.revoked(&first),
            here.revoked(&second),
            there.revoked(&first),
            there.revoked(&second),
        );
        assert!([a, b, c, d].iter().all(|answer| answer.status == 200));
        for replica in [here, there] {
            assert!(!replica.is_active(&first).await);
            assert!(!replica.is_active(&second).await);
        }
    }
}
