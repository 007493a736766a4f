//! `grantd explain REQUEST_ID`.

use grantd::domain::decision::Judged;
use grantd::domain::timestamp::Seconds;
use grantd::operations::explain::{Explained, explain_recorded};
use serde_json::{Value, json};
use uuid::Uuid;

use super::cases;
use crate::harness::*;
use crate::place::{Ended, Place};
use crate::site::Site;
use crate::token::generated_secret;

pub(super) async fn explained(env: &Env, request_id: &str) -> Explained {
    let id = request_id.parse().unwrap();
    let explained = explain_recorded(&env.store, id).await.unwrap();
    explained.unwrap_or_else(|unknown| panic!("{request_id}: {unknown:?}"))
}

pub(super) fn request_id(answer: &Answer) -> String {
    answer.headers["x-request-id"].to_str().unwrap().to_owned()
}

fn explain(database: &Database, id: &str, more: &[&str]) -> Ended {
    let line = ["explain", id, "--database-url", &database.url];
    Place::new().run(&[&line[..], more].concat())
}

on_both! {
    async fn each_refusal_is_found_by_its_id_with_the_check_that_failed(env) {
        let mut wrong = Vec::new();
        for case in cases::all(&env).await {
            let explained = explained(&env, &case.request_id).await;
            let failures = explained.checks.iter().filter(|it| it.passed == Some(false));
            let told: Vec<_> = failures.map(|it| (it.check, it.found.clone())).collect();
            let of_chain = explained.checks.iter().filter(|it| it.check.chain() == case.check.chain());
            let of_chain = of_chain.filter(|it| it.check != case.check);
            let is_told = |it: &Judged| it.passed == (it.check < case.check).then_some(true);
            if told != [(case.check, Some(case.found.clone()))]
                || !of_chain.clone().all(is_told)
                || explained.remedy.is_none()
            {
                wrong.push((case, told));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    async fn the_command_tells_a_refusal_and_exits_with_1(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let answer = replica.at("192.0.2.7").token("reader", READER, "&scope=fly").await;
        replica.grantd.write_waiting().await;
        let id = request_id(&answer);
        let ended = explain(&env.database, &id, &["--output", "json"]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""), "{ended:?}");
        let told: Value = serde_json::from_str(&ended.stdout).unwrap();
        for (name, value) in [
            ("request_id", json!(id)),
            ("at", json!("2026-01-01T00:00:00Z")),
            ("endpoint", json!("token")),
            ("source", json!("192.0.2.7")),
            ("proxy", json!(null)),
            ("grant", json!("client_credentials")),
            ("client", json!("reader")),
            ("method", json!("client_secret_basic")),
            ("credential", json!(env.credentials("reader").await[0].id)),
            ("audience", json!(null)),
            ("scopes_asked", json!("fly")),
            ("outcome", json!("invalid_scope")),
            ("remedy", json!("add the scope to the audience and to the client's policy")),
            ("stopped", json!(null)),
        ] {
            assert_eq!(told[name], value, "{name}: {told}");
        }
        let check = |id: &str| {
            let all = told["checks"].as_array().unwrap();
            all.iter().find(|it| it["id"] == id).cloned().unwrap_or_default()
        };
        assert_eq!(check("client"), json!({
            "id": "client", "name": "client", "expected": "a registered client", "found": "reader", "passed": true,
        }));
        assert_eq!(check("scope_known"), json!({
            "id": "scope_known", "name": "scope", "expected": "scopes that the client's audiences have",
            "found": "fly, in none of its audiences", "passed": false,
        }));
        assert_eq!(check("binding")["passed"], Value::Null);

        let ended = explain(&env.database, &id, &[]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        for text in [
            "client_secret_basic",
            "FAILED",
            "not reached",
            "fly, in none of its audiences",
            "what to do: add the scope",
        ] {
            assert!(ended.stdout.contains(text), "{text} is not in {}", ended.stdout);
        }
    }

    async fn an_inactive_token_is_explained_like_a_refusal(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let answer = replica.introspect("reader", READER, &token).await;
        assert_eq!(replica.audit_events("inactive").await, 1);
        let explained = explained(&env, &request_id(&answer)).await;
        assert_eq!(explained.outcome, "inactive");
        let jti = decoded(&token).1["jti"].as_str().unwrap().to_owned();
        for (name, value) in [("client", "reader"), ("holder", "reader"), ("audience", "pricing"), ("jti", &jti)] {
            assert_eq!(explained.text(name), Some(value), "{name}");
        }
        // One that is active leaves no event.
        replica.introspect("api", API, &token).await;
        assert_eq!(replica.audit_events("inactive").await, 1);
    }

    async fn what_nothing_is_known_of_is_told_with_3_and_how_many_were_left_out(env) {
        let site = Site::new(env).await;
        let [replica, _] = &site.replicas;
        let wrong = generated_secret("aaaaaaaaaa", "Q");
        let mut last = None;
        for _ in 0..80 {
            last = Some(replica.token("nobody", &wrong, "").await);
        }
        replica.grantd.write_waiting().await;
        let id = request_id(&last.unwrap());
        let ended = site.run(&format!("explain {id} --output json"));
        assert_eq!(ended.code, Some(3), "{ended:?}");
        let told: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(told["outcome"], Value::Null);
        let suppressed = told["suppressed"].as_u64().unwrap();
        assert!((1..=80).contains(&suppressed), "{told}");
        let message = told["message"].as_str().unwrap();
        assert!(message.contains(&format!("{suppressed} event")), "{told}");
        let refused = site.refused(&format!("explain {id}"), 3);
        assert!(refused.contains("nothing is known of") && refused.contains(message), "{refused}");

        let granted = replica.token("reader", READER, "").await;
        assert_eq!(granted.status, 200);
        let refused = site.refused(&format!("explain {}", request_id(&granted)), 3);
        assert!(refused.contains("not what was granted") || refused.contains("had no room"), "{refused}");
        let old = site.refused("explain 01890a5d-ac96-774b-bcce-b302099a8057", 3);
        assert!(old.contains("refusals are kept for 7d"), "{old}");
        let of_others = site.refused(&format!("explain {}", Uuid::new_v4()), 3);
        assert!(of_others.contains("version 7"), "{of_others}");
        let wrong = site.refused("explain nonsense", 2);
        assert!(wrong.contains("x-request-id"), "{wrong}");
    }

    /// Nothing that a client sent stands in what is told, wherever it put it.
    async fn no_secret_is_told(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let secret = "kJ8vQ2mZx7Lw4Rt9Yb3N";
        let place = Place::new();
        for more in [
            format!("&scope={secret}"),
            format!("&audience={secret}"),
            format!("&resource={secret}"),
            format!("&client_id={secret}"),
            format!("&scope=read&scope={secret}"),
        ] {
            let answer = replica.token("reader", READER, &more).await;
            assert!(answer.status.is_client_error(), "{answer:?}");
            replica.grantd.write_waiting().await;
            for form in ["table", "json"] {
                let id = request_id(&answer);
                let line = ["explain", &id, "--output", form, "--database-url", &env.database.url];
                let Ended { code, stdout, stderr } = place.run(&line);
                assert_eq!(code, Some(1), "{more}: {stdout}{stderr}");
                for hidden in [secret, READER] {
                    assert!(!stdout.contains(hidden) && !stderr.contains(hidden), "{more}: {stdout}{stderr}");
                }
            }
        }
    }

    async fn an_event_has_the_id_of_its_request(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        env.clock.advance(Seconds::new(1));
        let answer = replica.token("reader", "another secret", "").await;
        replica.grantd.write_waiting().await;
        let place = env.store.place_of_event(&request_id(&answer)).await.unwrap();
        assert_eq!(place.unwrap().at.unix(), START + 1);
    }
}
