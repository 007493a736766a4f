//! `grantd explain --token`.

use grantd::domain::identifier::ClientId;
use grantd::operations::actor::Actor;
use grantd::operations::apply_catalog::ApplyOptions;
use grantd::operations::change_client::disable_client;
use grantd::operations::explain::{Explained, explain_token};
use grantd::operations::revoke_token::revoke_by_name;
use serde_json::{Value, json};

use super::cases::{Cases, token::provoke};
use super::stored;
use crate::catalogs::{audience, by_secret, reads};
use crate::harness::*;

async fn explain(replica: &Replica, token: &str, asked_by: Option<&str>) -> Explained {
    explain_token(&replica.grantd, token, asked_by)
        .await
        .unwrap()
}

#[track_caller]
fn failed(explained: &Explained) -> (String, String) {
    let failed = explained
        .failed()
        .unwrap_or_else(|| panic!("{explained:?}"));
    let id = json!(failed)["id"].as_str().unwrap().to_owned();
    (id, failed.found.clone().unwrap_or_default())
}

fn answer(explained: &Explained) -> Value {
    json!(explained)["answer"].clone()
}

on_both! {
    async fn an_active_token_is_told_with_what_introspection_answers(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let real = replica.introspect("api", API, &token).await.json();
        replica.grantd.write_waiting().await;
        let before = stored(&env).await;
        for asked_by in [Some("api"), None] {
            let explained = explain(&replica, &token, asked_by).await;
            assert!(explained.is_granted(), "{explained:?}");
            assert_eq!((explained.outcome.as_str(), answer(&explained)), ("active", real.clone()));
            assert!(explained.checks.iter().all(|it| it.passed == Some(true)), "{explained:?}");
            assert_eq!(explained.text("asked_by"), Some("api"));
            assert_eq!(explained.text("holder"), Some("reader"));
        }
        replica.grantd.write_waiting().await;
        assert_eq!(stored(&env).await, before);
    }

    /// Whatever makes a token inactive: the same check with the same finding as where an API asks.
    async fn why_a_token_is_inactive_is_told_as_to_an_api(env) {
        let mut cases = Cases::of(&env);
        provoke(&mut cases).await;
        let replica = env.replica().await;
        let mut number = 0;
        for case in cases.all.iter().filter(|it| it.token.is_some()) {
            let explained = explain(&replica, case.token.as_ref().unwrap(), Some("api")).await;
            let told = explained.failed().map(|it| (it.check, it.found.as_deref()));
            assert_eq!(told, Some((case.check, Some(case.found.as_str()))), "{explained:?}");
            assert_eq!((explained.outcome.as_str(), answer(&explained)), ("inactive", json!({ "active": false })));
            number += 1;
        }
        assert_eq!(number, 21, "each check of tokens");
    }

    async fn who_asks_counts_and_may_be_refused(env) {
        let foreign = audience("foreign", "read", "");
        let catalog = CATALOG.to_owned() + &foreign + &by_secret("other", "another secret 1", &reads("foreign"));
        env.apply(&catalog).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let explained = explain(&replica, &token, Some("reader")).await;
        let found = "a caller that does not serve pricing".to_owned();
        assert_eq!(failed(&explained), ("token_served_by".to_owned(), found));
        let unserved = replica.issued("other", "another secret 1", "").await;
        let explained = explain(&replica, &unserved, None).await;
        assert_eq!(failed(&explained).0, "token_served_by");
        assert_eq!(answer(&explained), json!({ "active": false }));

        disable_client(&env.store, &ClientId::parse("api").unwrap(), env.options()).await.unwrap();
        replica.follow().await;
        for asked_by in [Some("api"), None] {
            let explained = explain(&replica, &token, asked_by).await;
            assert_eq!(failed(&explained), ("status".to_owned(), "disabled".to_owned()));
            assert_eq!((explained.outcome.as_str(), answer(&explained)), ("invalid_client", Value::Null));
            assert_eq!(explained.stopped.unwrap().action, "client_disabled");
        }
        let explained = explain(&replica, &token, Some("nobody")).await;
        assert_eq!(failed(&explained).0, "client");
        let garbage = explain(&replica, "garbage", None).await;
        assert_eq!(failed(&garbage).0, "token_form");
    }

    async fn who_revoked_it_is_told_with_the_reason(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let jti = decoded(&token).1["jti"].as_str().unwrap().to_owned();
        let actor = Actor { reason: Some("INC-7".to_owned()), ..Actor::named("ada") };
        let options = ApplyOptions { by: &actor, ..env.options() };
        revoke_by_name(&env.store, std::slice::from_ref(&jti), options.by).await.unwrap();
        replica.follow().await;
        let explained = explain(&replica, &token, Some("api")).await;
        assert_eq!(failed(&explained), ("token_alive".to_owned(), "revoked".to_owned()));
        let stopped = explained.stopped.unwrap();
        let told = (stopped.action.as_str(), stopped.target.as_str(), stopped.reason.as_deref());
        assert_eq!(told, ("token_revoked", jti.as_str(), Some("INC-7")));
    }
}
