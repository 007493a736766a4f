//! What was asked: what is shown of a request, what is waited for, and who caches.

use axum::http::Version;
use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::json;

use super::*;
use crate::assertion::signer::{self, Key};
use crate::dpop::Prover;

impl Lab {
    /// The requests that `query` means.
    pub(super) async fn requests(&self, query: &str) -> Vec<Value> {
        let (status, told) = self.ask(&format!("GET /_test/requests{query}"), "").await;
        assert_eq!(status, 200, "{told}");
        told.as_array().unwrap().clone()
    }

    async fn waits(&self, awaited: Value) -> (u16, Value) {
        self.ask("POST /_test/requests/await", &awaited.to_string())
            .await
    }
}

on_both! {
    async fn a_request_is_shown_with_all_that_a_test_may_ask_about(env) {
        let lab = Lab::new(env, CATALOG).await;
        let answer = lab.replica.token("reader", READER, "&scope=read").await;
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let claims = decoded(&token).1;
        let [request] = lab.requests("").await.try_into().unwrap();
        let expected = json!({
            "id": 1,
            "at": "2026-01-01T00:00:00Z",
            "endpoint": "token",
            "http": "1.1",
            "client_id": "reader",
            "method": "client_secret_basic",
            "outcome": "issued",
            "judged": null,
            "fault": null,
            "check": null,
            "headers": {
                "host": "auth.example",
                "content-type": "application/x-www-form-urlencoded",
                "authorization": { "length": basic("reader", READER).len(), "right": true },
            },
            "form": { "grant_type": "client_credentials", "scope": "read" },
            "assertion": null,
            "proof": null,
            "token": { "jti": claims["jti"], "claims": claims },
            "request_id": answer.headers["x-request-id"].to_str().unwrap(),
            "took_ms": request["took_ms"],
        });
        assert_eq!(request, expected);
        assert!(request["took_ms"].is_number());
    }

    async fn a_refusal_tells_the_check_and_whether_the_secret_was_right(env) {
        let lab = Lab::new(env, CATALOG).await;
        let form = |secret: &str| format!("grant_type=client_credentials&client_id=reader&client_secret={secret}&scope=nothing");
        lab.replica.post("/oauth2/token", &[], &form("a+wrong+secret+of+1")).await.assert_error(401, "invalid_client");
        lab.replica.post("/oauth2/token", &[], &form("reader+secret+of+1")).await.assert_error(400, "invalid_scope");
        lab.replica.post("/oauth2/token", &[], "client_id=reader&client_secret=x").await.assert_error(400, "invalid_request");
        let requests = lab.requests("").await;
        let told = |at: usize| (&requests[at]["form"]["client_secret"], &requests[at]["outcome"], &requests[at]["check"]["name"]);
        assert_eq!(told(0), (&json!({ "length": 19, "right": false }), &json!("invalid_client"), &json!("secret")));
        assert_eq!(told(1), (&json!({ "length": 18, "right": true }), &json!("invalid_scope"), &json!("scope")));
        assert_eq!(told(2), (&json!({ "length": 1, "right": null }), &json!("invalid_request"), &json!("request")));
        assert_eq!(requests[1]["check"]["expected"], "scopes that the client's audiences have");
        assert!(requests[1]["check"]["found"].as_str().unwrap().contains("nothing"), "{}", requests[1]);
    }

    async fn assertion_and_proof_are_shown_without_their_signatures(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        let lab = Lab::new(env, &signer::catalog(&[&key], "")).await;
        let assertion = key.sign(&signer::claims("worker", "7f3c2a10-5d1e-4a70-8c6f-0d2b9e41aa11"));
        let proof = Prover::new().right();
        let form = format!("grant_type=client_credentials&client_assertion={assertion}&client_assertion_type={}", form_encoded("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
        let answer = lab.replica.post("/oauth2/token", &[("dpop", &proof)], &form).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let [request] = lab.requests("?client_id=worker").await.try_into().unwrap();
        assert_eq!(request["assertion"], json!({ "header": decoded(&assertion).0, "claims": decoded(&assertion).1 }));
        assert_eq!(request["proof"], json!({ "header": decoded(&proof).0, "claims": decoded(&proof).1 }));
        assert_eq!(request["method"], "private_key_jwt");
        let text = request.to_string();
        for signed in [&assertion, &proof] {
            let (_, signature) = signed.rsplit_once('.').unwrap();
            assert!(!text.contains(signature), "{text}");
        }
        assert_eq!(request["token"]["claims"]["cnf"], decoded(answer.json()["access_token"].as_str().unwrap()).1["cnf"]);
    }

    async fn each_endpoint_has_its_outcomes_and_each_filter_its_requests(env) {
        let lab = Lab::new(env, CATALOG).await;
        let token = lab.replica.issued("reader", READER, "").await;
        lab.replica.introspect("api", API, &token).await;
        lab.replica.revoke("reader", READER, &token).await;
        lab.replica.introspect("api", API, &token).await;
        lab.replica.get("/oauth2/jwks").await;
        lab.replica.get("/.well-known/oauth-authorization-server").await;
        lab.replica.get("/oauth2/token").await;
        lab.replica.get("/oauth2/authorize").await;
        let all = lab.requests("").await;
        let told: Vec<_> = all.iter().map(|it| (it["endpoint"].as_str().unwrap(), it["outcome"].as_str().unwrap())).collect();
        let expected = [
            ("token", "issued"), ("introspection", "active"), ("revocation", "revoked"), ("introspection", "inactive"),
            ("jwks", "served"), ("metadata", "served"), ("token", "method_not_allowed"),
        ];
        assert_eq!(told, expected);
        let ids = async |query: &str| -> Vec<u64> {
            lab.requests(query).await.iter().map(|it| it["id"].as_u64().unwrap()).collect()
        };
        assert_eq!(ids("?endpoint=introspection").await, [2, 4]);
        assert_eq!(ids("?endpoint=any&after=5").await, [6, 7]);
        assert_eq!(ids("?client_id=reader").await, [1, 3]);
        assert_eq!(ids("?outcome=active&client_id=api").await, [2]);
        assert!(ids("?client_id=reade").await.is_empty());
        for (query, at) in [("?endpoint=tokens", "endpoint"), ("?client=reader", "client"), ("?after=x", "after")] {
            let (status, told) = lab.ask(&format!("GET /_test/requests{query}"), "").await;
            assert_eq!((status, &told["at"]), (400, &json!(at)), "{query}: {told}");
        }
        assert_eq!(lab.ask("DELETE /_test/requests", "").await.0, 204);
        assert!(ids("").await.is_empty());
        lab.replica.get("/oauth2/jwks").await;
        assert_eq!(ids("").await, [8], "ids go on");
    }

    async fn the_last_thousand_are_kept(env) {
        let lab = Lab::new(env, CATALOG).await;
        for _ in 0..1003 {
            lab.replica.get("/oauth2/jwks").await;
        }
        let all = lab.requests("").await;
        assert_eq!((all.len(), &all[0]["id"], &all[999]["id"]), (1000, &json!(4), &json!(1003)));
    }

    async fn who_waits_is_answered_as_soon_as_enough_have_come(env) {
        let lab = Lab::new(env, CATALOG).await;
        lab.replica.issued("reader", READER, "").await;
        let (status, told) = lab.waits(json!({ "endpoint": "token" })).await;
        assert_eq!((status, &told[0]["id"]), (200, &json!(1)), "what came before counts");
        let asking = async {
            for _ in 0..2 {
                lab.replica.token("reader", "a wrong secret of 1", "").await;
                lab.replica.issued("reader", READER, "").await;
            }
        };
        let awaited = json!({ "client_id": "reader", "outcome": "issued", "count": 2, "after": 1, "within": "10m" });
        let ((status, told), ()) = tokio::join!(lab.waits(awaited), asking);
        let ids: Vec<&Value> = told.as_array().unwrap().iter().map(|it| &it["id"]).collect();
        assert_eq!((status, ids), (200, vec![&json!(3), &json!(5)]));
        let (status, told) = lab.waits(json!({ "outcome": "invalid_client", "count": 3, "within": "10ms" })).await;
        assert_eq!((status, &told["error"], told["requests"].as_array().unwrap().len()), (408, &json!("timeout"), 2), "{told}");
        let (status, told) = lab.waits(json!({ "endpoint": "revocation", "within": "0ms" })).await;
        assert_eq!((status, &told["requests"]), (408, &json!([])));
        for (awaited, at) in [(json!({ "count": 0 }), "count"), (json!({ "count": 1001 }), "count"), (json!({ "within": "11m" }), "within"), (json!({ "within": 5 }), "within")] {
            let (status, told) = lab.waits(awaited).await;
            assert_eq!((status, &told["at"]), (400, &json!(at)), "{told}");
        }
    }

    async fn a_client_that_hangs_up_is_seen_too(env) {
        let lab = Lab::new(env, CATALOG).await;
        let key = Key::new(SigningAlgorithm::Es256);
        drop(key);
        let request = Request::post("/oauth2/token")
            .version(Version::HTTP_11)
            .header("host", "auth.example")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>()))
            .unwrap();
        let asking = lab.replica.router.clone().oneshot(request);
        assert!(tokio::time::timeout(Duration::from_millis(50), asking).await.is_err());
        let [request] = lab.requests("").await.try_into().unwrap();
        assert_eq!((&request["outcome"], &request["form"]), (&json!("abandoned"), &json!({})));
    }

    async fn a_client_that_caches_wastes_nothing(env) {
        let lab = Lab::new(env, CATALOG).await;
        let waste = async || {
            let (status, told) = lab.ask("GET /_test/clients/reader/waste", "").await;
            assert_eq!((status, &told["client_id"]), (200, &json!("reader")), "{told}");
            (told["tokens"].as_u64().unwrap(), told["wasted"].as_u64().unwrap())
        };
        assert_eq!(waste().await, (0, 0));
        lab.replica.issued("reader", READER, "").await;
        lab.replica.issued("reader", READER, "&scope=write").await;
        assert_eq!(waste().await, (2, 0), "another scope is another token");
        lab.replica.issued("reader", READER, "").await;
        assert_eq!(waste().await, (3, 1));
        lab.advance("150s").await;
        lab.replica.issued("reader", READER, "").await;
        assert_eq!(waste().await, (4, 1), "the one that it has is half used up");
        lab.fault(json!({ "status": 503 })).await;
        lab.replica.token("reader", READER, "").await;
        assert_eq!(waste().await, (4, 1), "it got nothing");
        let (status, told) = lab.ask("GET /_test/clients/raeder/waste", "").await;
        assert_eq!((status, &told["nearest"], &told["at"]), (404, &json!("reader"), &json!("client_id")));
    }

    /// Whoever takes a word for a secret that everybody knows must still find what was asked.
    async fn a_client_whose_secret_is_its_id_is_found_and_a_reset_forgets_the_secret(env) {
        let lab = Lab::new(env, CATALOG).await;
        let card = lab.registered(&json!({ "id": "my-client", "secret": "my-client" })).await;
        assert_eq!(lab.asked_by(&card, "").await.status, 200);
        let [request] = lab.requests("?client_id=my-client").await.try_into().unwrap();
        assert_eq!(request["client_id"], "my-client");
        lab.registered(&json!({ "secret": "reader" })).await;
        lab.replica.issued("reader", READER, "").await;
        assert_eq!(lab.requests("?client_id=reader").await.len(), 1);
        lab.ask("POST /_test/reset", "").await;
        lab.replica.token("nobody", READER, "&scope=my-client").await;
        assert_eq!(lab.requests("").await[0]["form"]["scope"], "my-client", "no secret of anybody now");
    }
}
