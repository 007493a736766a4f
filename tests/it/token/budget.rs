//! What may be tried and had: failures by client and source, refusals that come late, tokens in a minute (OPERATING
//! section 5, B-C06).

use std::collections::BTreeMap;
use std::time::Duration;

use grantd::clock::Clock;
use grantd::config::settings::Budget;
use grantd::crypto::secret_hash::HashCost;
use grantd::domain::timestamp::{Seconds, Timestamp};

use super::*;

const WRONG: &str = "a wrong secret of 1";
const HERE: &str = "192.0.2.1";
const ELSEWHERE: &str = "192.0.2.2";

/// Few failures, so that tests are short.
fn few(failures: u32, source_failures: u32) -> Budget {
    Budget {
        failures,
        per: Seconds::new(60),
        source_failures,
    }
}

impl Replica {
    async fn fail(&self, client: &str, times: usize) {
        for _ in 0..times {
            self.token(client, WRONG, "")
                .await
                .assert_error(401, "invalid_client");
        }
    }
}

fn hashes(replica: &Replica) -> BTreeMap<HashCost, u64> {
    replica.grantd.hashing().counts()
}

fn retry_after(answer: &Answer) -> &str {
    answer.headers["retry-after"].to_str().unwrap()
}

/// What a wrong secret gets once its source is past its failures: a second later, while tokens come at once.
async fn late_refusal(env: &Env, replica: &Replica) -> Answer {
    let here = replica.at(HERE);
    let late = async {
        let answer = here.token("reader", WRONG, "").await;
        (answer, env.clock.now().unix() - START)
    };
    let others = async {
        while env.clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        let elsewhere = replica.at(ELSEWHERE);
        assert_eq!(elsewhere.token("reader", READER, "").await.status, 200);
        // Verified there, and so known here.
        assert_eq!(here.token("reader", READER, "").await.status, 200);
        env.clock.advance(Seconds::new(1));
    };
    let both = async { tokio::join!(late, others) };
    let both = tokio::time::timeout(Duration::from_secs(30), both).await;
    let ((answer, after), ()) = both.expect("a refusal that waits");
    assert_eq!(after, 1);
    answer
}

on_both! {
    /// B-C06.
    async fn past_its_failures_a_client_id_gets_429_at_that_source_without_a_hash(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let here = replica.at(HERE);
        here.fail("reader", 20).await;
        let before = hashes(&replica);
        for secret in [WRONG, READER] {
            let answer = here.token("reader", secret, "").await;
            answer.assert_error(429, "temporarily_unavailable");
            assert_eq!(retry_after(&answer), "3");
        }
        assert_eq!(hashes(&replica), before);
        assert_eq!(replica.at(ELSEWHERE).token("reader", READER, "").await.status, 200);
        assert_eq!(here.token("api", API, "").await.status, 400, "another client, which may get no tokens");
    }

    /// B-C06.
    async fn the_answer_does_not_tell_a_known_client_from_an_unknown_one(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(|settings| settings.budget = few(2, 0)).await;
        let here = replica.at(HERE);
        let mut answers = Vec::new();
        for client in ["reader", "nobody"] {
            here.fail(client, 2).await;
            answers.push(here.token(client, WRONG, "").await.same());
        }
        assert_eq!(answers[0].0, 429);
        assert_eq!(answers[0], answers[1]);
    }

    async fn failures_are_paid_back_one_after_the_other(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(|settings| settings.budget = few(2, 0)).await;
        let here = replica.at(HERE);
        here.fail("reader", 2).await;
        here.token("reader", READER, "").await.assert_error(429, "temporarily_unavailable");
        env.clock.advance(Seconds::new(29));
        here.token("reader", READER, "").await.assert_error(429, "temporarily_unavailable");
        env.clock.advance(Seconds::new(1));
        assert_eq!(here.token("reader", READER, "").await.status, 200);
    }

    /// Its refusals still count for the address, which sends some of them without any client id that exists.
    async fn a_source_that_invents_client_ids_has_a_budget_of_its_own(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(|settings| settings.budget = few(20, 5)).await;
        let here = replica.at(HERE);
        for number in 0..5 {
            here.fail(&format!("invented-{number}"), 1).await;
        }
        here.token("invented-6", WRONG, "").await.assert_error(429, "temporarily_unavailable");
        here.token("reader", READER, "").await.assert_error(429, "temporarily_unavailable");
        assert_eq!(replica.at(ELSEWHERE).token("reader", READER, "").await.status, 200);
    }

    async fn an_ipv6_network_is_one_source(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(|settings| settings.budget = few(2, 0)).await;
        replica.at("2001:db8:0:1::1").fail("reader", 2).await;
        let status = async |source| replica.at(source).token("reader", READER, "").await.status;
        assert_eq!(status("2001:db8:0:1:ffff::2").await, 429);
        assert_eq!(status("2001:db8:0:2::1").await, 200);
    }

    async fn a_secret_that_was_verified_is_judged_whatever_was_tried(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(|settings| settings.budget = few(2, 3)).await;
        let here = replica.at(HERE);
        assert_eq!(here.token("reader", READER, "").await.status, 200);
        here.fail("reader", 2).await;
        here.fail("nobody", 1).await;
        here.token("reader", WRONG, "").await.assert_error(429, "temporarily_unavailable");
        assert_eq!(here.token("reader", READER, "").await.status, 200);
    }

    /// B-C06: a new replica has verified nothing yet.
    async fn generated_secrets_are_never_locked_out_not_even_behind_an_attackers_address(env) {
        let secret = generated_secret("aaaaaaaaaa", "A");
        env.apply(&with_clients(&[("reader", &format!("secret = {}", crate::catalogs::text(&secret)))])).await;
        let replica = env.replica_with(|settings| settings.budget = few(2, 3)).await;
        let here = replica.at(HERE);
        here.fail("reader", 2).await;
        here.fail("nobody", 1).await;
        here.token("reader", WRONG, "").await.assert_error(429, "temporarily_unavailable");
        let wrong = generated_secret("aaaaaaaaaa", "B");
        for _ in 0..5 {
            here.token("reader", &wrong, "").await.assert_error(401, "invalid_client");
        }
        assert_eq!(here.token("reader", &secret, "").await.status, 200);
    }

    async fn budgets_that_are_turned_off_refuse_nobody(env) {
        env.apply(CATALOG).await;
        let replica = env.replica_with(|settings| settings.budget = few(0, 0)).await;
        replica.at(HERE).fail("reader", 210).await;
    }

    async fn a_source_past_its_failures_gets_refusals_late_and_tokens_at_once(env) {
        let env = env.with_clock(Clock::still(Timestamp::from_unix(START)));
        env.apply(CATALOG).await;
        let replica = env.replica_with(|settings| settings.budget = few(0, 3)).await;
        replica.at(HERE).fail("reader", 2).await;
        late_refusal(&env, &replica).await.assert_error(401, "invalid_client");
    }

    /// Whoever goes on past its failures costs no hash, but would cost everybody else the processor.
    async fn who_is_told_to_wait_and_does_not_is_refused_late_as_well(env) {
        let env = env.with_clock(Clock::still(Timestamp::from_unix(START)));
        env.apply(CATALOG).await;
        let replica = env.replica_with(|settings| settings.budget = few(1, 3)).await;
        let here = replica.at(HERE);
        here.fail("reader", 1).await;
        here.token("reader", WRONG, "").await.assert_error(429, "temporarily_unavailable");
        late_refusal(&env, &replica).await.assert_error(429, "temporarily_unavailable");
    }

    async fn a_client_past_its_tokens_of_a_minute_gets_429_and_no_other_does(env) {
        let limited = format!("secret = \"{READER}\"\nmax_tokens_per_minute = 2");
        let other = "secret = \"another secret of 1\"";
        env.apply(&with_clients(&[("reader", &limited), ("other", other)])).await;
        let replica = env.replica().await;
        for _ in 0..2 {
            replica.issued("reader", READER, "").await;
        }
        let answer = replica.token("reader", READER, "").await;
        answer.assert_error(429, "temporarily_unavailable");
        assert_eq!(retry_after(&answer), "30");
        replica.token("reader", READER, "&scope=unknown").await.assert_error(400, "invalid_scope");
        replica.issued("other", "another secret of 1", "").await;
        env.replica().await.issued("reader", READER, "").await;
        env.clock.advance(Seconds::new(30));
        replica.issued("reader", READER, "").await;
        assert_eq!(replica.token("reader", READER, "").await.status, 429);
    }

    async fn a_bound_that_is_raised_frees_the_client_before_its_minute_is_over(env) {
        let limited = |most: u32| {
            let lines = format!("secret = \"{READER}\"\nmax_tokens_per_minute = {most}");
            with_clients(&[("reader", &lines)])
        };
        env.apply(&limited(1)).await;
        let replica = env.replica().await;
        replica.issued("reader", READER, "").await;
        assert_eq!(replica.token("reader", READER, "").await.status, 429);
        env.apply(&limited(60)).await;
        replica.follow().await;
        env.clock.advance(Seconds::new(1));
        replica.issued("reader", READER, "").await;
    }
}

#[test]
fn no_tokens_at_all_are_no_bound_but_a_fault() {
    let none = |_: &str| None;
    let options = grantd::config::catalog::CatalogOptions::dev(&none);
    let text = "[[client]]\nid = \"reader\"\nmax_tokens_per_minute = 0";
    let error = grantd::config::catalog::Catalog::parse("test.toml", text, &options).unwrap_err();
    assert!(
        error.to_string().contains("max_tokens_per_minute"),
        "{error}"
    );
}
