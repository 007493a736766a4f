//! A catalog that a test applies, by the rules of the command.

use serde_json::json;

use super::*;

const MORE: &str = r#"
[[audience]]
id = "stock"
scopes = ["count"]
algorithm = "EdDSA"
[[client]]
id = "counter"
secret = "the secret of counter"
[[client.policy]]
audience = "stock"
scopes = ["count"]
default_scopes = ["count"]
"#;

impl Lab {
    /// Posts a catalog in TOML.
    async fn applied(&self, query: &str, catalog: &str) -> (u16, Value) {
        let line = format!("POST /_test/catalog{query}");
        self.ask_typed(&line, "text/plain; charset=utf-8", catalog)
            .await
    }
}

on_both! {
    async fn a_catalog_adds_what_it_states_and_the_next_token_comes_at_once(env) {
        let lab = Lab::new(env, CATALOG).await;
        let (status, plan) = lab.applied("", MORE).await;
        assert_eq!(status, 200, "{plan}");
        assert_eq!((&plan["counts"]["created"], &plan["dry_run"]), (&json!(5), &json!(false)), "{plan}");
        let token = lab.replica.issued("counter", "the secret of counter", "").await;
        assert_eq!(decoded(&token).0["alg"], "EdDSA", "its key was made as well");
        lab.replica.issued("reader", READER, "").await;
        let (_, again) = lab.applied("", MORE).await;
        assert_eq!((&again["steps"].as_array().unwrap().iter().filter(|it| it["action"] != "kept").count(), &again["counts"]["created"]), (&0, &json!(0)), "{again}");
        let (_, index) = lab.ask("GET /_test", "").await;
        let counter = index["clients"].as_array().unwrap().iter().find(|it| it["client_id"] == "counter").unwrap();
        assert_eq!(counter["client_secret"], "the secret of counter");
        assert!(counter["curl"].as_str().unwrap().contains("counter"), "{counter}");
    }

    async fn in_json_it_says_the_same_and_prunes_where_it_shall(env) {
        let lab = Lab::new(env, CATALOG).await;
        let catalog = json!({
            "audience": [{ "id": "pricing", "scopes": ["read"] }],
            "client": [{ "id": "by-key", "auth": "private_key_jwt", "policy": [{ "audience": "pricing", "scopes": ["read"] }] }],
        });
        let (status, plan) = lab.ask("POST /_test/catalog?prune=true", &catalog.to_string()).await;
        assert_eq!(status, 200, "{plan}");
        lab.replica.token("reader", READER, "").await.assert_error(401, "invalid_client");
        let (_, index) = lab.ask("GET /_test", "").await;
        let [by_key] = index["clients"].as_array().unwrap().as_slice() else { panic!("{index}") };
        let jwk = &by_key["private_jwk"];
        assert!(jwk["d"].is_string(), "a key was made for it: {by_key}");
        // Applied again, it is the same key.
        let (_, plan) = lab.ask("POST /_test/catalog?prune=true", &catalog.to_string()).await;
        assert_eq!(plan["steps"], json!([]), "{plan}");
        let (_, index) = lab.ask("GET /_test", "").await;
        assert_eq!(&index["clients"][0]["private_jwk"], jwk);
    }

    async fn what_is_wrong_is_told_with_its_place_and_nothing_is_changed(env) {
        let lab = Lab::new(env, CATALOG).await;
        let (status, told) = lab.applied("", &MORE.replace("secret =", "secrt =")).await;
        assert_eq!((status, &told["at"], &told["nearest"]), (400, &json!("catalog:8"), &json!("secret")), "{told}");
        let (status, told) = lab.ask("POST /_test/catalog", r#"{"client":[{"id":"a","secrt":"x"}]}"#).await;
        assert_eq!((status, &told["at"], &told["nearest"]), (400, &json!("client[0].secrt"), &json!("secret")), "{told}");
        let both = r#"{"client":[{"id":"a","secrt":"x"},{"id":"a"}],"clint":[]}"#;
        let (_, told) = lab.ask("POST /_test/catalog", both).await;
        let message = told["message"].as_str().unwrap();
        assert!(message.contains("secrt") && message.contains("clint"), "all that is wrong: {told}");
        let (status, told) = lab.ask("POST /_test/catalog?purge=true", "{}").await;
        assert_eq!((status, &told["at"], &told["nearest"]), (400, &json!("purge"), &json!("prune")), "{told}");
        let (status, told) = lab.ask_typed("POST /_test/catalog", "application/x-www-form-urlencoded", MORE).await;
        assert_eq!(status, 400);
        assert!(told["message"].as_str().unwrap().contains("text/plain"), "{told}");
        let (_, index) = lab.ask("GET /_test", "").await;
        assert_eq!(index["clients"].as_array().unwrap().len(), 2);
    }

    async fn a_secret_that_is_not_stated_again_is_still_shown_and_a_retired_one_never(env) {
        let lab = Lab::new(env, CATALOG).await;
        let policy = json!([{ "audience": "pricing", "scopes": ["read"], "default_scopes": ["read"] }]);
        let card = lab.registered(&json!({ "id": "mine" })).await;
        let stated = json!({ "client": [{ "id": "mine", "name": "Mine", "policy": policy }] });
        let (status, told) = lab.ask("POST /_test/catalog", &stated.to_string()).await;
        assert_eq!(status, 200, "{told}");
        let shown = async || {
            let (_, index) = lab.ask("GET /_test", "").await;
            let clients = index["clients"].as_array().unwrap().iter();
            clients.clone().find(|it| it["client_id"] == "mine").unwrap()["client_secret"].clone()
        };
        assert_eq!(shown().await, card["client_secret"]);
        let secrets = json!([
            { "value": "an old secret of mine 1", "retired_at": "2020-01-01T00:00:00Z" },
            { "value": "a short secret of mine 2", "expires_at": "2030-01-01T00:00:00Z" },
            "a lasting secret of mine 3",
        ]);
        let stated = json!({ "client": [{ "id": "mine", "secrets": secrets, "policy": policy }] });
        let (status, told) = lab.ask("POST /_test/catalog", &stated.to_string()).await;
        assert_eq!((status, shown().await), (200, json!("a lasting secret of mine 3")), "{told}");
    }
}
