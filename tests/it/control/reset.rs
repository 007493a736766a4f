//! The next test finds everything as the first one did.

use serde_json::json;

use super::*;

impl Lab {
    async fn reset(&self, body: &str) {
        let (status, told) = self.ask("POST /_test/reset", body).await;
        assert_eq!(status, 204, "{told}");
    }

    /// All that tests can see but for the paths, which never change.
    async fn seen(&self) -> Value {
        let (_, mut index) = self.ask("GET /_test", "").await;
        index.as_object_mut().unwrap().remove("paths");
        let (_, issuers) = self.ask("GET /_test/issuers", "").await;
        let requests = json!(self.requests("").await);
        let (_, waste) = self.ask("GET /_test/clients/reader/waste", "").await;
        json!({ "index": index, "issuers": issuers, "requests": requests, "waste": waste })
    }
}

on_both! {
    async fn all_that_a_test_did_is_undone(env) {
        let lab = Lab::new(env, CATALOG).await;
        // The machine's time is what a reset clock shows; a frozen one would not.
        lab.put_clock(r#"{"reset":true}"#).await;
        let before = lab.seen().await;
        let token = lab.replica.issued("reader", READER, "").await;
        for (line, body) in [
            ("POST /_test/faults", r#"{"endpoint":"token","status":503}"#),
            ("PUT /_test/issuers/other", ""),
            ("PUT /_test/clock", r#"{"advance":"61m"}"#),
            ("POST /_test/clients", r#"{"id":"mine"}"#),
            ("PATCH /_test/clients/reader", r#"{"status":"disabled"}"#),
            ("POST /_test/catalog?prune=true", r#"{"audience":[{"id":"other","scopes":["x"]}]}"#),
        ] {
            let (status, told) = lab.ask(line, body).await;
            assert_eq!(status, 200, "{line}: {told}");
        }
        assert_eq!(lab.replica.token("reader", READER, "").await.status, 503);
        lab.reset("").await;
        let mut after = lab.seen().await;
        after["index"]["clock"] = before["index"]["clock"].clone();
        assert_eq!(after, before);
        lab.replica.issued("reader", READER, "").await;
        let told = lab.replica.introspect("api", API, &token).await.json();
        assert_eq!(told["active"], true, "neither a mark nor a revocation is left: {told}");
    }

    async fn the_keys_stay_unless_they_shall_go_back(env) {
        let lab = Lab::new(env, CATALOG).await;
        let first = lab.kid().await;
        // A year passes, for a reset gives the machine's time; the key of the start is gone.
        lab.reset("").await;
        let stayed = lab.published().await;
        assert!(!stayed.contains(&first), "{stayed:?}");
        let (status, told) = lab.ask("POST /_test/keys/rotate", r#"{"now":true}"#).await;
        assert_eq!(status, 200, "{told}");
        let rotated = lab.published().await;
        assert!(rotated.len() > stayed.len(), "{rotated:?}");
        lab.reset("{}").await;
        assert_eq!(lab.published().await, rotated);
        lab.reset(r#"{"keys":true}"#).await;
        let back = lab.published().await;
        assert!(back.contains(&first) && !rotated.iter().any(|it| back.contains(it)), "{back:?}");
        lab.replica.issued("reader", READER, "").await;
    }

    /// A frozen clock must not make anybody wait, and a `jti` is free again.
    async fn it_can_be_done_again_and_again(env) {
        let lab = Lab::new(env, CATALOG).await;
        for _ in 0..5 {
            let card = lab.registered(&json!({ "id": "mine", "auth": "private_key_jwt" })).await;
            let made = lab.ask("POST /_test/assertions", r#"{"client_id":"mine","claims":{"jti":"7f3c2a10-5d1e-4a70-8c6f-0d2b9e41aa13"}}"#).await.1;
            let assertion = made["client_assertion"].as_str().unwrap();
            let typed = form_encoded(made["client_assertion_type"].as_str().unwrap());
            let form = format!("grant_type=client_credentials&client_assertion={assertion}&client_assertion_type={typed}");
            let answer = lab.replica.post("/oauth2/token", &[], &form).await;
            assert_eq!(answer.status, 200, "{card}: {}", answer.json());
            let again = lab.replica.post("/oauth2/token", &[], &form).await;
            again.assert_error(401, "invalid_client");
            lab.reset("").await;
            assert_eq!(lab.ask("DELETE /_test/clients/mine", "").await.0, 404);
        }
    }

    async fn who_waits_is_released(env) {
        let lab = Lab::new(env, CATALOG).await;
        lab.ask("POST /_test/faults", r#"{"endpoint":"token","delay":"10m"}"#).await;
        let waits = lab.ask("POST /_test/requests/await", r#"{"count":9,"within":"10m"}"#);
        let delayed = lab.replica.token("reader", READER, "");
        let reset = async {
            // Both have begun to wait.
            tokio::task::yield_now().await;
            lab.reset("").await;
        };
        let ((status, told), answer, ()) = tokio::join!(waits, delayed, reset);
        assert_eq!((status, &told["error"]), (408, &json!("timeout")), "{told}");
        assert_eq!(answer.status, 200);
    }

    async fn an_unknown_key_of_it_is_told(env) {
        let lab = Lab::new(env, CATALOG).await;
        let (status, told) = lab.ask("POST /_test/reset", r#"{"key":true}"#).await;
        assert_eq!((status, &told["at"], &told["nearest"]), (400, &json!("key"), &json!("keys")), "{told}");
    }

    /// Changes that are dated before those that they follow must not make a gap in the feed.
    async fn what_was_changed_while_the_clock_was_set_back_is_undone_too(env) {
        let lab = Lab::new(env, CATALOG).await;
        lab.registered(&json!({})).await;
        lab.reset("").await;
        let mut before = lab.seen().await;
        lab.put_clock(r#"{"set":"1999-01-01T00:00:00Z"}"#).await;
        for (line, body) in [
            ("POST /_test/catalog?prune=true", r#"{"audience":[{"id":"only","scopes":["s"]}]}"#),
            ("POST /_test/clients", r#"{"id":"zz"}"#),
            ("PATCH /_test/clients/zz", r#"{"status":"disabled"}"#),
        ] {
            let (status, told) = lab.ask(line, body).await;
            assert_eq!(status, 200, "{line}: {told}");
        }
        lab.reset("").await;
        let mut after = lab.seen().await;
        for seen in [&mut before, &mut after] {
            seen["index"]["clock"].take();
        }
        assert_eq!(after, before);
        lab.replica.issued("reader", READER, "").await;
    }
}
