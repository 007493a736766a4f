//! Who stopped what a request needed, and why.

use grantd::domain::identifier::{AudienceId, ClientId, CredentialId};
use grantd::domain::scope::ScopeSet;
use grantd::domain::timestamp::Seconds;
use grantd::operations::actor::Actor;
use grantd::operations::apply_catalog::ApplyOptions;
use grantd::operations::change_client::{
    delete_client, disable_client, enable_client, revoke_tokens_of_client,
};
use grantd::operations::change_policy::deny_policy;
use grantd::operations::retire_credentials::{Retirement, Selected, retire_credentials};
use grantd::operations::revoke_token::revoke_by_name;
use serde_json::json;

use super::by_id::{explained, request_id};
use crate::harness::*;

const REASON: &str = "found in a log, INC-7";

/// What is done to `reader`, whose token that is.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Disable,
    Delete,
    RevokeTokens,
    Deny,
    DenyScope,
    Retire,
    Compromise,
    RevokeToken,
    Apply,
}

async fn stop(env: &Env, verb: Verb, jti: &str) {
    let actor = Actor {
        reason: Some(REASON.to_owned()),
        ..Actor::named("command:ada@ops-1")
    };
    let options = ApplyOptions {
        by: &actor,
        ..env.options()
    };
    let (store, reader) = (&env.store, ClientId::parse("reader").unwrap());
    let pricing = AudienceId::parse("pricing").unwrap();
    let retire = async |compromised| {
        let id = CredentialId::parse(jti.split('.').next().unwrap()).unwrap();
        let retirement = Retirement {
            when_unused: None,
            compromised,
            by: &actor,
        };
        retire_credentials(store, &Selected::Named(vec![id]), retirement)
            .await
            .unwrap();
    };
    let deny = async |scopes: ScopeSet| {
        let pair = (&reader, &pricing);
        deny_policy(store, pair, &scopes, options).await.unwrap();
    };
    match verb {
        Verb::Disable => _ = disable_client(store, &reader, options).await.unwrap(),
        Verb::Delete => _ = delete_client(store, &reader, options).await.unwrap(),
        Verb::RevokeTokens => {
            let done = revoke_tokens_of_client(store, &reader, options).await;
            done.unwrap();
        }
        Verb::Deny => deny(ScopeSet::default()).await,
        Verb::DenyScope => deny(ScopeSet::parse("read").unwrap()).await,
        Verb::Retire => retire(false).await,
        Verb::Compromise => retire(true).await,
        Verb::RevokeToken => revoke_by_name(store, &[jti.to_owned()], &actor)
            .await
            .unwrap(),
        Verb::Apply => {
            let off = "id = \"reader\"\nstatus = \"disabled\"";
            env.apply(&CATALOG.replace("id = \"reader\"", off)).await;
        }
    }
}

on_both! {
    /// At the token endpoint and at introspection.
    async fn what_an_administrator_stopped_is_told_with_the_reason(env) {
        for (verb, action, refused, inactive) in [
            (Verb::Disable, "client_disabled", true, true),
            (Verb::RevokeTokens, "client_tokens_revoked", false, true),
            (Verb::RevokeToken, "token_revoked", false, true),
            (Verb::Retire, "credential_retired", true, false),
            (Verb::Compromise, "credential_compromised", true, true),
            (Verb::Deny, "policy_denied", true, true),
            (Verb::DenyScope, "policy_denied", true, true),
            (Verb::Delete, "client_deleted", true, true),
        ] {
            let database = if env.database.is_postgres() { Database::postgres().await } else { Database::sqlite() };
            let env = Env::new(database).await;
            env.apply(CATALOG).await;
            let replica = env.replica().await;
            let token = replica.issued("reader", READER, "").await;
            let jti = decoded(&token).1["jti"].as_str().unwrap().to_owned();
            stop(&env, verb, &jti).await;
            replica.follow().await;
            let asked = replica.token("reader", READER, "&scope=read").await;
            let shown = replica.introspect("api", API, &token).await;
            replica.grantd.write_waiting().await;
            assert_eq!(shown.json()["active"] == false, inactive, "{verb:?}");
            assert_eq!(asked.status != 200, refused, "{verb:?}: {asked:?}");
            let target = if action == "token_revoked" { jti.as_str() } else { "reader" };
            for answer in [refused.then_some(asked), inactive.then_some(shown)].into_iter().flatten() {
                let explained = explained(&env, &request_id(&answer)).await;
                let told = json!(explained)["stopped"].clone();
                assert_eq!(told, json!({
                    "at": "2026-01-01T00:00:00Z", "actor": "command:ada@ops-1", "action": action,
                    "target": target, "reason": REASON,
                }), "{verb:?}: {explained:?}");
            }
        }
    }

    /// What was changed besides is not what stopped it.
    async fn of_several_changes_the_one_that_stopped_it_is_told(env) {
        env.apply(CATALOG).await;
        stop(&env, Verb::Disable, "").await;
        env.clock.advance(Seconds::new(10));
        env.apply(&CATALOG.replace("id = \"reader\"", "id = \"reader\"\nowner = \"billing\"")).await;
        let replica = env.replica().await;
        let disabled = replica.token("reader", READER, "").await;
        replica.grantd.write_waiting().await;
        let told = json!(explained(&env, &request_id(&disabled)).await)["stopped"].clone();
        assert_eq!((&told["action"], &told["reason"]), (&json!("client_disabled"), &json!(REASON)), "{told}");
    }

    /// A catalog says no reason, and what is refused for another one was stopped by nobody.
    async fn a_catalog_that_disables_is_told_and_what_nobody_stopped_is_not(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        stop(&env, Verb::Apply, "").await;
        replica.follow().await;
        let disabled = replica.token("reader", READER, "").await;
        enable_client(&env.store, &ClientId::parse("reader").unwrap(), env.options()).await.unwrap();
        replica.follow().await;
        let unknown_scope = replica.token("reader", READER, "&scope=fly").await;
        let wrong_secret = replica.token("reader", "another secret", "").await;
        replica.grantd.write_waiting().await;
        let told = json!(explained(&env, &request_id(&disabled)).await)["stopped"].clone();
        assert_eq!((&told["action"], &told["reason"]), (&json!("client_changed"), &json!(null)), "{told}");
        for answer in [unknown_scope, wrong_secret] {
            let explained = explained(&env, &request_id(&answer)).await;
            assert_eq!(explained.stopped, None, "{explained:?}");
        }
    }
}
