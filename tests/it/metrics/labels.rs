//! Labels name clients, audiences and credentials that exist, and nothing else.

use grantd::domain::identifier::CredentialId;
use grantd::domain::timestamp::Seconds;

use super::*;
use crate::token::generated_secret;

/// `grantd_token_requests_total` of client, audience, method and outcome.
fn tokens(client: &str, audience: &str, method: &str, outcome: &str) -> String {
    format!(
        "grantd_token_requests_total{{client=\"{client}\",audience=\"{audience}\",grant=\"client_credentials\",\
         method=\"{method}\",outcome=\"{outcome}\"}}"
    )
}

on_both! {
    async fn a_token_request_is_counted_under_what_its_record_says(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        for _ in 0..3 {
            replica.issued("reader", READER, "&scope=read").await;
        }
        replica.token("reader", READER, "&scope=nothing").await;
        let form = format!("grant_type=client_credentials&client_id=reader&client_secret={}",
            form_encoded(READER));
        replica.post("/oauth2/token", &[], &form).await;
        let scrape = scrape(&replica).await;
        let basic = "client_secret_basic";
        assert_eq!(scrape.get(&tokens("reader", "pricing", basic, "issued")), Some(3.0));
        assert_eq!(scrape.get(&tokens("reader", "", basic, "invalid_scope")), Some(1.0));
        let post = tokens("reader", "pricing", "client_secret_post", "issued");
        assert_eq!(scrape.get(&post), Some(1.0));
        let uses = scrape.all("grantd_credential_uses_total");
        let [(labels, uses)] = uses[..] else { panic!("{uses:?}") };
        assert!(labels.starts_with("{client=\"reader\",credential=\""), "{labels}");
        assert!(labels.ends_with("\",kind=\"secret\"}") && uses > 4.5, "{labels} {uses}");
    }

    async fn introspection_and_revocation_are_counted_by_who_asked_and_what_came_of_it(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        replica.introspect("api", API, &token).await;
        replica.revoke("reader", READER, &token).await;
        replica.introspect("api", API, &token).await;
        replica.introspect("api", "a wrong secret here", &token).await;
        let scrape = scrape(&replica).await;
        let introspections = scrape.all("grantd_introspection_requests_total");
        assert_eq!(introspections, [
            ("{client=\"api\",outcome=\"active\"}", 1.0),
            ("{client=\"api\",outcome=\"inactive\"}", 1.0),
            ("{client=\"api\",outcome=\"invalid_client\"}", 1.0),
        ]);
        let revocations = scrape.all("grantd_revocation_requests_total");
        assert_eq!(revocations, [("{client=\"reader\",outcome=\"revoked\"}", 1.0)]);
        for endpoint in ["token", "introspection", "revocation"] {
            let count = format!("grantd_request_duration_seconds_count{{endpoint=\"{endpoint}\"}}");
            assert!(scrape.get(&count).unwrap() >= 1.0, "{endpoint}");
        }
    }

    async fn a_known_id_is_named_whether_or_not_it_is_proven_and_no_other(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let mistyped = "grantd_AAAAAAAAAA_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_AAAAAA";
        for secret in ["a wrong secret of 1", mistyped] {
            for client in ["reader", "nobody", "readr", "grantd_reader", ""] {
                replica.token(client, secret, "").await;
            }
        }
        let scrape = scrape(&replica).await;
        let clients: Vec<_> = scrape.all("grantd_token_requests_total");
        let [(of_nobody, eight), (of_reader, two)] = clients[..] else { panic!("{clients:?}") };
        assert!(of_nobody.starts_with("{client=\"\",audience=\"\","), "{of_nobody}");
        assert!(of_reader.starts_with("{client=\"reader\",audience=\"\","), "{of_reader}");
        assert_eq!([eight, two].map(f64::to_bits), [8.0, 2.0].map(f64::to_bits));
    }

    async fn the_series_of_a_retired_credential_go(env) {
        let [old, new] = ["aaaaaaaaaa", "bbbbbbbbbb"].map(|id| generated_secret(id, "A"));
        let secrets = |more: &str| CATALOG.replace(
            &format!("secret = \"{READER}\""),
            &format!("secrets = [{{ value = \"literal:{old}\"{more} }}, {{ value = \"literal:{new}\" }}]"),
        );
        env.apply(&secrets("")).await;
        let replica = env.replica().await;
        for secret in [&old, &new] {
            replica.issued("reader", secret, "").await;
        }
        replica.grantd.survey().await;
        let uses = async || scrape(&replica).await.all("grantd_credential_uses_total").len();
        assert_eq!(uses().await, 2);
        env.retire(&CredentialId::parse("aaaaaaaaaa").unwrap(), false).await;
        replica.follow().await;
        replica.grantd.survey().await;
        assert_eq!(uses().await, 1);
        replica.token("reader", &old, "").await;
        assert_eq!(uses().await, 1, "its further use brings nothing back");
        let alert = "grantd_alerts_total{client=\"reader\",alert=\"retired_credential_used\"}";
        assert_eq!(scrape(&replica).await.get(alert), Some(1.0));
        let retired_at = env.clock.now().unix() + 10;
        env.apply(&secrets("").replace(
            &format!("{{ value = \"literal:{new}\" }}"),
            &format!("{{ value = \"literal:{new}\", retired_at = {retired_at} }}"),
        )).await;
        replica.follow().await;
        replica.grantd.survey().await;
        assert_eq!(uses().await, 1, "its end is to come");
        env.clock.advance(Seconds::new(10));
        assert_eq!(uses().await, 0, "it goes when its time has come, without another look");
    }

    async fn the_series_of_a_removed_client_and_policy_go(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        replica.issued("reader", READER, "").await;
        replica.introspect("api", API, "x").await;
        let without_policy = CATALOG.split("  [[client.policy]]").next().unwrap().to_owned()
            + "[[client]]\nid = \"api\"\ngrants = []\nsecret = \"api secret of tests\"\n";
        env.prune(&without_policy).await;
        replica.follow().await;
        replica.grantd.survey().await;
        assert_eq!(scrape(&replica).await.all("grantd_token_requests_total"), []);
        let of_api = async || scrape(&replica).await.all("grantd_introspection_requests_total").len();
        assert_eq!(of_api().await, 1);
        env.prune(&without_policy.replace("\"api\"", "\"other\"")).await;
        replica.follow().await;
        replica.grantd.survey().await;
        assert_eq!(of_api().await, 0);
    }
}
