//! Subject tokens that are dead, or meant for somebody else.

use grantd::domain::identifier::AudienceId;
use grantd::domain::scope::ScopeSet;
use grantd::domain::timestamp::Seconds;
use grantd::operations::change_audience::delete_audience;
use grantd::operations::change_client::{disable_client, revoke_tokens_of_client};
use grantd::operations::change_policy::deny_policy;

use super::*;
use crate::forgery::signing_input;

#[track_caller]
fn assert_refused(case: &str, answer: &Answer) {
    assert_eq!(answer.status, 400, "{case}: {answer:?}");
    answer.assert_error(400, "invalid_request");
}

on_both! {
    /// EXC-03.
    async fn a_token_that_is_none_is_not_exchanged(env) {
        let holder = Keyholder::new(&env).await;
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        let (header, claims) = decoded(&of_web);
        let (input, signature) = of_web.rsplit_once('.').unwrap();
        let unsigned = serde_json::json!({ "alg": "none", "typ": "at+jwt", "kid": header["kid"] });
        let unsigned = signing_input(&unsigned, &claims);
        let other = if signature.starts_with('A') { 'B' } else { 'A' };
        for (case, token) in [
            ("garbage", "garbage".to_owned()),
            ("unsigned", format!("{unsigned}.")),
            ("no signature", format!("{input}.")),
            ("alg none, signed", format!("{unsigned}.{signature}")),
            ("wrong signature", format!("{input}.{other}{}", &signature[1..])),
            ("expired", holder.with(&of_web, "exp", START)),
            ("not yet", holder.with(&of_web, "nbf", START + 60)),
            ("another issuer", holder.with(&of_web, "iss", "https://other.example")),
            ("two audiences", holder.with(&of_web, "aud", serde_json::json!(["orders-api", "stock-api"]))),
            ("nobody's", holder.with(&of_web, "client_id", "nobody")),
            ("an actor that is none", holder.with(&of_web, "act", serde_json::json!({ "sub": "nobody" }))),
            ("a chain that is none", holder.with(&of_web, "act", "orders")),
        ] {
            assert_refused(case, &replica.give_for("orders", &token, "").await);
        }
        let expires = holder.with(&of_web, "exp", START + 60);
        replica.exchanged("orders", &expires, "").await;
        env.clock.advance(Seconds::new(60));
        replica.follow().await;
        assert_refused("expired", &replica.give_for("orders", &expires, "").await);
    }

    /// EXC-03.
    async fn a_token_that_was_killed_is_not_exchanged(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        replica.exchanged("orders", &of_web, "").await;
        assert_eq!(replica.revoke("web", SECRET, &of_web).await.status, 200);
        assert_refused("revoked", &replica.give_for("orders", &of_web, "").await);
        // Also by one that has just started, and knows no revocation yet.
        let started = env.unloaded_replica(|_| {});
        started.grantd.follow_feed().await.unwrap();
        assert_refused("revoked", &started.give_for("orders", &of_web, "").await);

        let again = replica.of_web("").await;
        revoke_tokens_of_client(&env.store, &id("web"), env.options()).await.unwrap();
        replica.follow().await;
        assert_refused("tokens_not_before", &replica.give_for("orders", &again, "").await);

        env.clock.advance(Seconds::new(2));
        let again = replica.of_web("").await;
        let pair = (&id("web"), &AudienceId::parse("orders-api").unwrap());
        deny_policy(&env.store, pair, &ScopeSet::default(), env.options()).await.unwrap();
        replica.follow().await;
        assert_refused("denied", &replica.give_for("orders", &again, "").await);

        env.apply(&catalog(FROM_ORDERS)).await;
        replica.follow().await;
        env.clock.advance(Seconds::new(2));
        let again = replica.of_web("").await;
        let credential = env.credentials("web").await[0].id.clone();
        env.retire(&credential, true).await;
        replica.follow().await;
        assert_refused("leaked", &replica.give_for("orders", &again, "").await);
    }

    /// EXC-03.
    async fn a_token_of_a_client_that_is_disabled_is_not_exchanged(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        disable_client(&env.store, &id("web"), env.options()).await.unwrap();
        replica.follow().await;
        assert_refused("disabled", &replica.give_for("orders", &of_web, "").await);
        assert_eq!(replica.told("orders", &of_web).await, serde_json::json!({ "active": false }));
    }

    /// EXC-04: an API that was shown a token by mistake, or stole it, cannot pass it on.
    async fn only_whom_a_token_is_meant_for_may_exchange_it(env) {
        let from_all = "exchange = { from = [\"orders-api\", \"other-api\", \"stock-api\"] }";
        env.apply(&catalog(from_all)).await;
        let replica = env.replica().await;
        let elsewhere = replica.issued("web", SECRET, "&audience=other-api").await;
        assert_refused("of another API", &replica.give_for("orders", &elsewhere, "").await);
        let of_web = replica.of_web("").await;
        assert_refused("of another API", &replica.give_for("stock", &of_web, "").await);
        // The client that a token was issued to may exchange it: here for fewer scopes.
        let own = replica.issued("orders", SECRET, "&scope=read+write").await;
        let narrower = replica.exchanged("orders", &own, "&scope=read").await;
        assert_eq!(decoded(&narrower).1["sub"], "orders");
        assert_refused("of another client", &replica.give_for("orders", &{
            replica.issued("web", SECRET, "&audience=other-api").await
        }, "").await);
    }

    async fn a_token_of_an_audience_that_is_gone_is_not_exchanged(env) {
        env.apply(&catalog("exchange = { from = [\"orders-api\", \"stock-api\"] }")).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        delete_audience(&env.store, &AudienceId::parse("orders-api").unwrap(), env.options()).await.unwrap();
        replica.follow().await;
        assert_refused("gone", &replica.give_for("orders", &of_web, "").await);
    }
}
