//! Numbers beside those of requests: waste, keys, expiries, the feed, the database.

use grantd::domain::timestamp::Seconds;
use grantd::store::DatabaseOptions;

use super::*;
use crate::assertion::signer::{self, claims, worker};

on_both! {
    async fn the_format_is_the_one_that_is_asked_for(env) {
        let replica = env.unloaded_replica(|_| {});
        let text = answer(&replica, "text/plain").await;
        assert_eq!(text.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        assert_eq!(text.headers["cache-control"], "no-store");
        let openmetrics = answer(&replica, "application/openmetrics-text; version=1.0.0").await;
        let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(openmetrics.headers["content-type"], content_type);
        let openmetrics = String::from_utf8(openmetrics.body).unwrap();
        assert!(openmetrics.ends_with("\n# EOF\n"));
        let names = |text: &str| Scrape::of(text).names().into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(names(&openmetrics), names(&String::from_utf8(text.body).unwrap()));
    }

    async fn a_token_that_was_not_needed_is_wasted(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let wasted = async || {
            scrape(&replica).await.get("grantd_wasted_tokens_total{client=\"reader\"}")
        };
        replica.issued("reader", READER, "&scope=read").await;
        replica.issued("reader", READER, "&scope=read+write").await;
        assert_eq!(wasted().await, None, "they are not equal");
        env.clock.advance(Seconds::new(149));
        replica.follow().await;
        replica.issued("reader", READER, "&scope=read").await;
        assert_eq!(wasted().await, Some(1.0), "151 of 300 seconds were left");
        env.clock.advance(Seconds::new(150));
        replica.follow().await;
        replica.issued("reader", READER, "&scope=read").await;
        assert_eq!(wasted().await, Some(1.0), "half of it was used");
    }

    async fn a_budget_that_is_spent_is_counted_by_its_name(env) {
        let greedy = CATALOG.replace("id = \"reader\"", "id = \"reader\"\nmax_tokens_per_minute = 1");
        env.apply(&greedy).await;
        let replica = env.replica_with(|settings| settings.budget.failures = 2).await;
        for _ in 0..3 {
            replica.token("reader", READER, "").await;
        }
        for _ in 0..5 {
            replica.token("api", "a wrong secret of 1", "").await;
        }
        let scrape = scrape(&replica).await;
        let refusals = scrape.all("grantd_budget_refusals_total");
        assert_eq!(refusals, [("{budget=\"failures\"}", 3.0), ("{budget=\"tokens\"}", 2.0)]);
    }

    async fn keys_and_expiries_are_shown_with_their_instants(env) {
        let expires_at = START + 1000;
        let expiring = format!("secrets = [{{ value = \"{READER}\", expires_at = {expires_at} }}]");
        env.apply(&CATALOG.replace(&format!("secret = \"{READER}\""), &expiring)).await;
        let replica = env.replica().await;
        replica.grantd.survey().await;
        let scrape = scrape(&replica).await;
        let expiries = scrape.all("grantd_credential_expiry_timestamp_seconds");
        let [(labels, at)] = expiries[..] else { panic!("{expiries:?}") };
        assert!(labels.starts_with("{client=\"reader\","), "{labels}");
        assert_eq!(at.to_string(), expires_at.to_string());
        let keys = scrape.all("grantd_signing_key_timestamp_seconds");
        let [(labels, at)] = keys[..] else { panic!("{keys:?}") };
        assert!(labels.ends_with("algorithm=\"ES256\",event=\"activates\"}"), "{labels}");
        assert_eq!(at.to_string(), START.to_string());
        assert_eq!(scrape.get("grantd_signing_keys_unopened"), Some(0.0));
    }

    async fn spent_assertions_are_counted_by_batch_and_in_the_database(env) {
        let (replica, key) = worker(&env).await;
        for jti in ["1", "2"] {
            signer::token(&replica, &key.sign(&claims("worker", jti))).await;
        }
        replica.grantd.survey().await;
        let scrape = scrape(&replica).await;
        assert_eq!(scrape.get("grantd_used_assertions"), Some(2.0));
        assert_eq!(scrape.get("grantd_replay_batch_size_sum"), Some(2.0));
        assert_eq!(scrape.get("grantd_replay_batch_size_bucket{le=\"1.0\"}"), Some(2.0));
    }

    async fn the_feed_its_age_and_what_is_cached_are_shown(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let before = scrape(&replica).await;
        assert_eq!(before.get("grantd_ready"), Some(1.0));
        assert_eq!(before.get("grantd_database_up"), Some(1.0));
        assert_eq!(before.get("grantd_feed_age_seconds"), Some(0.0));
        assert_eq!(before.get("grantd_clock_offset_seconds"), Some(0.0));
        replica.issued("reader", READER, "").await;
        replica.issued("reader", READER, "").await;
        env.apply(&CATALOG.replace("scopes = [\"read\", \"write\"]\n  default", "scopes = [\"read\"]\n  default")).await;
        replica.follow().await;
        env.clock.advance(Seconds::new(31));
        let after = scrape(&replica).await;
        let grown = |name: &str| after.get(name).unwrap() - before.get(name).unwrap();
        assert!(grown("grantd_feed_changes_total") >= 1.0);
        assert!(grown("grantd_cache_requests_total{cache=\"clients\",result=\"miss\"}") >= 1.0);
        assert!(grown("grantd_cache_requests_total{cache=\"clients\",result=\"hit\"}") >= 3.0);
        assert!(grown("grantd_cache_requests_total{cache=\"verified_secrets\",result=\"hit\"}") >= 1.0);
        assert!(grown("grantd_cache_requests_total{cache=\"verified_secrets\",result=\"miss\"}") >= 1.0);
        assert_eq!(after.get("grantd_feed_age_seconds"), Some(31.0));
        assert_eq!(after.get("grantd_ready"), Some(0.0), "the feed is stale");
    }
}

#[tokio::test]
async fn a_database_that_is_out_of_reach_is_counted_and_no_scrape_waits_for_it() {
    let env = Env::new(Database::sqlite()).await;
    let nowhere = DatabaseOptions::new("postgres://grantd@127.0.0.1:1/grantd");
    let replica = env.replica_over(nowhere, |_| {});
    assert!(replica.grantd.follow_feed().await.is_err());
    let scrape = scrape(&replica).await;
    assert_eq!(scrape.get("grantd_database_up"), Some(0.0));
    assert!(scrape.get("grantd_database_errors_total").unwrap() >= 1.0);
    assert_eq!(
        scrape.get("grantd_feed_age_seconds"),
        None,
        "it was never read"
    );
    assert_eq!(scrape.get("grantd_ready"), Some(0.0));
}
