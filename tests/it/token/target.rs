//! Which audience a token is for: `resource` (RFC 8707), `audience`, or what the scopes tell (RFC 9068 section 3).

use super::*;
use crate::catalogs::{audience, by_secret, policy, reads};

const PRICING_URL: &str = "https://pricing.example/v1";

fn three() -> String {
    let audiences = [
        audience(PRICING_URL, "read write shared", ""),
        audience("orders", "order shared", ""),
        audience("https://hidden.example/", "hide", ""),
    ];
    let policies = [
        policy(PRICING_URL, "read write shared", "read"),
        policy("orders", "order shared", "order"),
    ];
    let one = by_secret("one", "secret of client one", &reads(PRICING_URL));
    audiences.concat() + &one + &by_secret("two", "secret of client two", &policies)
}
const PRICING_URI: &str = "https%3A%2F%2Fpricing.example%2Fv1";
const HIDDEN_URI: &str = "https%3A%2F%2Fhidden.example%2F";

async fn aud(replica: &Replica, client: &str, more: &str) -> String {
    let answer = replica
        .token(client, &format!("secret of client {client}"), more)
        .await;
    claims(&answer)["aud"].as_str().unwrap().to_owned()
}

async fn refused(replica: &Replica, client: &str, more: &str, code: &str) {
    replica
        .token(client, &format!("secret of client {client}"), more)
        .await
        .assert_error(400, code);
}

on_both! {
    /// 8707-01.
    async fn a_resource_is_an_absolute_uri_that_the_client_may_use(env) {
        env.apply(&three()).await;
        let replica = env.replica().await;
        assert_eq!(
            aud(&replica, "one", &format!("&resource={PRICING_URI}")).await,
            "https://pricing.example/v1"
        );
        let long = format!("https%3A%2F%2Fpricing.example%2F{}", "a".repeat(2048));
        for wrong in [
            "pricing",
            "%2Fv1",
            "%2F%2Fpricing.example%2Fv1",
            "https%3A%2F%2Fpricing.example%2Fv1%23a",
            "https%3A%2F%2Fpricing.example%2Fv1%23",
            "https%3A%2F%2Fpricing.example%2Fv+1",
            "%E2%82%AC",
            &long,
            "orders",
            "https%3A%2F%2Fpricing.example%2Fv1%2F",
            "https%3A%2F%2FPRICING.example%2Fv1",
            "https%3A%2F%2Fpricing.example%3A443%2Fv1",
            "https%3A%2F%2Fpricing.example",
            "urn%3Anobody",
            HIDDEN_URI,
        ] {
            refused(&replica, "one", &format!("&resource={wrong}"), "invalid_target").await;
        }
    }

    /// What a client may not use looks like what does not exist (8707-01).
    async fn a_foreign_audience_looks_like_none(env) {
        env.apply(&three()).await;
        let replica = env.replica().await;
        let secret = "secret of client one";
        let unknown = replica.token("one", secret, "&resource=urn%3Anobody").await.same();
        assert_eq!(
            replica.token("one", secret, &format!("&resource={HIDDEN_URI}")).await.same(),
            unknown
        );
        assert_eq!(replica.token("one", secret, "&audience=nobody").await.same(), unknown);
        assert_eq!(replica.token("one", secret, "&audience=orders").await.same(), unknown);
        for scope in ["read", "order", "hide", "nothing"] {
            let unknown = replica
                .token("one", secret, &format!("&audience=nobody&scope={scope}"))
                .await
                .same();
            let hidden = format!("&audience={HIDDEN_URI}&scope={scope}");
            assert_eq!(replica.token("one", secret, &hidden).await.same(), unknown);
        }
    }

    /// 8707-02.
    async fn equal_resources_count_once_and_different_ones_are_refused(env) {
        env.apply(&three()).await;
        let replica = env.replica().await;
        let same = format!("&resource={PRICING_URI}&resource=&resource={PRICING_URI}");
        assert_eq!(aud(&replica, "two", &same).await, "https://pricing.example/v1");
        let different = format!("&resource={PRICING_URI}&resource=urn%3Aorders");
        refused(&replica, "two", &different, "invalid_target").await;
    }

    /// 8707-03.
    async fn audience_goes_by_the_same_policy_and_agrees_with_resource(env) {
        env.apply(&three()).await;
        let replica = env.replica().await;
        assert_eq!(aud(&replica, "two", "&audience=orders").await, "orders");
        let both = format!("&audience={PRICING_URI}&resource={PRICING_URI}");
        assert_eq!(aud(&replica, "two", &both).await, "https://pricing.example/v1");
        let different = format!("&audience=orders&resource={PRICING_URI}");
        refused(&replica, "two", &different, "invalid_target").await;
        refused(&replica, "one", "&audience=orders", "invalid_target").await;
        refused(&replica, "one", "&audience=Orders", "invalid_target").await;
        let twice = format!("&audience={PRICING_URI}&audience={PRICING_URI}");
        refused(&replica, "one", &twice, "invalid_request").await;
    }

    /// 9068-03.
    async fn without_a_target_the_scopes_tell_it(env) {
        env.apply(&three()).await;
        let replica = env.replica().await;
        assert_eq!(aud(&replica, "one", "").await, "https://pricing.example/v1");
        assert_eq!(aud(&replica, "two", "&scope=order").await, "orders");
        assert_eq!(aud(&replica, "two", "&scope=write+read").await, "https://pricing.example/v1");
        refused(&replica, "two", "&scope=read+order", "invalid_scope").await;
        refused(&replica, "two", "&scope=shared", "invalid_target").await;
        refused(&replica, "two", "&scope=shared+read", "invalid_target").await;
        refused(&replica, "two", "", "invalid_target").await;
        refused(&replica, "two", "&scope=nothing", "invalid_scope").await;
        refused(&replica, "two", "&scope=hide", "invalid_scope").await;
        refused(&replica, "one", "&scope=order", "invalid_scope").await;
        refused(&replica, "two", &format!("&scope=order&resource={PRICING_URI}"), "invalid_scope")
            .await;
        assert_eq!(aud(&replica, "two", "&scope=shared&audience=orders").await, "orders");
    }

    async fn a_policy_that_does_not_hold_counts_as_absent(env) {
        for condition in
            ["enabled = false", "networks = [\"10.0.0.0/8\"]", "methods = [\"client_secret_post\"]"]
        {
            env.apply(
                &CATALOG.replace("default_scopes", &format!("{condition}\n  default_scopes")),
            )
            .await;
            let replica = env.replica().await;
            for more in ["", "&scope=read", "&audience=pricing", "&audience=nobody"] {
                let answer = replica.token("reader", READER, more).await;
                answer.assert_error(400, "unauthorized_client");
            }
        }
    }

    async fn a_network_is_judged_by_where_the_request_comes_from(env) {
        env.apply(
            &CATALOG.replace("default_scopes", "networks = [\"10.0.0.0/8\"]\n  default_scopes"),
        )
        .await;
        let replica = env.replica().await;
        for (peer, status) in [
            ("10.1.2.3", 200),
            ("::ffff:10.1.2.3", 200),
            ("11.1.2.3", 400),
            ("::1", 400),
        ] {
            let replica = replica.at(peer);
            let headers = [("x-forwarded-for", "10.0.0.1"), ("forwarded", "for=10.0.0.1")];
            assert_eq!(
                replica.post("/oauth2/token", &headers, FORM).await.status,
                status,
                "{peer}"
            );
        }
    }
}
