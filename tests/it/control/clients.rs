//! Clients that tests make for themselves: all that an owner needs, and nothing that a catalog could not state.

use grantd::crypto::jws::private_key::ClientPrivateKey;
use grantd::domain::identifier::ClientId;
use serde_json::json;

use super::*;
use crate::assertion::signer;

/// An audience and its API, and an audience that wants proofs.
const APIS: &str = r#"
[[audience]]
id = "pricing"
scopes = ["read", "write"]
[[audience]]
id = "bound"
scopes = ["read"]
sender_constraint = "dpop"
"#;

impl Lab {
    /// Registers a client, which must work.
    #[track_caller]
    pub(super) fn registered(&self, wanted: &Value) -> impl Future<Output = Value> {
        let place = std::panic::Location::caller();
        async move {
            let (status, card) = self.ask("POST /_test/clients", &wanted.to_string()).await;
            assert_eq!(status, 200, "{place}: {wanted}: {card}");
            card
        }
    }

    /// The answer to a token request by secret.
    pub(super) async fn asked_by(&self, card: &Value, extra: &str) -> Answer {
        let text = |name: &str| card[name].as_str().unwrap().to_owned();
        self.replica
            .token(&text("client_id"), &text("client_secret"), extra)
            .await
    }
}

on_both! {
    async fn without_a_word_a_client_gets_what_the_first_one_gets(env) {
        let lab = Lab::new(env, CATALOG).await;
        let (status, first) = lab.ask("POST /_test/clients", "").await;
        assert_eq!(status, 200, "{first}");
        let second = lab.registered(&json!({})).await;
        assert_ne!(first["client_id"], second["client_id"]);
        for card in [&first, &second] {
            let token = lab.asked_by(card, "").await.json()["access_token"].as_str().unwrap().to_owned();
            let claims = decoded(&token).1;
            assert_eq!((&claims["client_id"], &claims["aud"], &claims["scope"]), (&card["client_id"], &json!("pricing"), &json!("read")));
            let curl = card["curl"].as_str().unwrap();
            assert!(curl.contains(card["client_secret"].as_str().unwrap()), "{curl}");
            assert_eq!(card["token_endpoint"], format!("{ISSUER}/oauth2/token"));
        }
        // The index shows them, too.
        let (_, index) = lab.ask("GET /_test", "").await;
        let shown = index["clients"].as_array().unwrap().iter().find(|it| it["client_id"] == first["client_id"]);
        assert_eq!(shown.unwrap(), &first);
    }

    async fn without_any_client_the_first_audience_is_meant(env) {
        let lab = Lab::new(env, APIS).await;
        let card = lab.registered(&json!({})).await;
        assert_eq!(card["policies"][0]["audience"], "bound", "in the order of their ids");
        let lab = Lab::new(lab.env, "").await;
        lab.ask("POST /_test/catalog?prune=true", "{}").await;
        let (status, told) = lab.ask("POST /_test/clients", "{}").await;
        assert_eq!((status, &told["error"]), (409, &json!("conflict")), "{told}");
    }

    async fn what_is_stated_counts(env) {
        let lab = Lab::new(env, CATALOG).await;
        let card = lab.registered(&json!({
            "id": "mine", "secret": "a secret of my own 71", "auth": ["client_secret_post"], "tenant": "acme",
            "policy": [{ "audience": "pricing", "scopes": ["write"], "token_lifetime": "30s" }],
        })).await;
        assert_eq!((&card["client_id"], &card["client_secret"]), (&json!("mine"), &json!("a secret of my own 71")));
        let form = "grant_type=client_credentials&scope=write&client_id=mine&client_secret=a+secret+of+my+own+71";
        let answer = lab.replica.post("/oauth2/token", &[], form).await.json();
        assert_eq!(answer["expires_in"], 30, "{answer}");
        assert_eq!(decoded(answer["access_token"].as_str().unwrap()).1["tenant"], "acme");
        // An API that only introspects needs no policy.
        let api = lab.registered(&json!({ "grants": [] })).await;
        assert_eq!((&api["policies"], api["curl"].as_str()), (&json!([]), None));
    }

    async fn a_key_is_made_for_who_proves_itself_by_one(env) {
        let lab = Lab::new(env, CATALOG).await;
        let card = lab.registered(&json!({ "auth": "private_key_jwt" })).await;
        assert!(card.get("client_secret").is_none(), "{card}");
        let id = card["client_id"].as_str().unwrap();
        let key = ClientPrivateKey::parse(&card["private_jwk"].to_string(), None).unwrap();
        let claims = signer::claims(id, "7f3c2a10-5d1e-4a70-8c6f-0d2b9e41aa12");
        let assertion = key.sign(json!({}), &claims).unwrap();
        let typed = form_encoded("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        let form = format!("grant_type=client_credentials&client_assertion={assertion}&client_assertion_type={typed}");
        assert_eq!(lab.replica.post("/oauth2/token", &[], &form).await.status, 200);
        // The control listener signs with it, and so does the line for a shell.
        let (status, made) = lab.ask("POST /_test/assertions", &json!({ "client_id": id }).to_string()).await;
        assert_eq!(status, 200, "{made}");
        let curl = card["curl"].as_str().unwrap();
        let assertion = curl.split("client_assertion=\"").nth(1).unwrap().split('"').next().unwrap();
        let form = format!("grant_type=client_credentials&client_assertion={assertion}&client_assertion_type={typed}");
        assert_eq!(lab.replica.post("/oauth2/token", &[], &form).await.status, 200, "{curl}");
    }

    async fn a_certificate_is_made_for_who_proves_itself_by_one(env) {
        let lab = Lab::new(env, CATALOG).await;
        for (wanted, registered) in [
            (json!({ "id": "of-ca", "auth": "tls_client_auth" }), "subject"),
            (json!({ "id": "named", "auth": "tls_client_auth", "subject_dn": "CN=named" }), "subject"),
            (json!({ "id": "self-signed", "auth": "self_signed_tls_client_auth" }), "certificate"),
        ] {
            let card = lab.registered(&wanted).await;
            assert!(card["certificate_pem"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE"), "{card}");
            assert!(card["private_key_pem"].as_str().unwrap().starts_with("-----BEGIN PRIVATE KEY"), "{card}");
            let id = ClientId::parse(wanted["id"].as_str().unwrap()).unwrap();
            let stored = lab.env.store.load_client(&id).await.unwrap().value.unwrap();
            let [credential] = stored.credentials.as_slice() else { panic!("{wanted}") };
            assert_eq!(credential.kind().to_string(), registered, "{wanted}");
        }
    }

    async fn where_tokens_are_bound_the_line_has_a_proof(env) {
        let lab = Lab::new(env, APIS).await;
        let card = lab.registered(&json!({})).await;
        let curl = card["curl"].as_str().unwrap();
        let proof = curl.split("-H \"DPoP: ").nth(1).unwrap().split('"').next().unwrap();
        let basic = basic(card["client_id"].as_str().unwrap(), card["client_secret"].as_str().unwrap());
        let headers = [("authorization", basic.as_str()), ("dpop", proof)];
        let answer = lab.replica.post("/oauth2/token", &headers, "grant_type=client_credentials").await;
        assert_eq!((answer.status.as_u16(), &answer.json()["token_type"]), (200, &json!("DPoP")), "{curl}");
        // It was good once, so the index does not show it again.
        let (_, index) = lab.ask("GET /_test", "").await;
        assert!(index["clients"][0].get("curl").is_none(), "{index}");
    }

    async fn a_client_is_disabled_enabled_and_deleted_at_once(env) {
        let lab = Lab::new(env, CATALOG).await;
        let card = lab.registered(&json!({ "id": "mine" })).await;
        let patch = async |status: &str| lab.ask("PATCH /_test/clients/mine", &json!({ "status": status }).to_string()).await;
        let token = lab.asked_by(&card, "").await.json()["access_token"].as_str().unwrap().to_owned();
        let active = async || lab.replica.introspect("api", API, &token).await.json()["active"].clone();
        assert_eq!(active().await, json!(true));
        let (status, told) = patch("disabled").await;
        assert_eq!((status, &told["status"]), (200, &json!("disabled")), "{told}");
        assert_eq!(active().await, json!(false));
        lab.asked_by(&card, "").await.assert_error(401, "invalid_client");
        assert_eq!(patch("active").await.1["status"], "active");
        // No token of the second in which others died; a frozen clock waits for none.
        lab.advance("2s").await;
        assert_eq!(lab.asked_by(&card, "").await.status, 200);
        let (status, told) = patch("enabled").await;
        assert_eq!((status, &told["at"], &told["nearest"]), (400, &json!("status"), &json!("disabled")), "{told}");
        assert_eq!(lab.ask("DELETE /_test/clients/mine", "").await.0, 204);
        lab.asked_by(&card, "").await.assert_error(401, "invalid_client");
        for line in ["DELETE /_test/clients/mine", "PATCH /_test/clients/mine", "GET /_test/clients/mine/waste"] {
            let body = if line.starts_with("PATCH") { r#"{"status":"active"}"# } else { "" };
            let (status, told) = lab.ask(line, body).await;
            assert_eq!((status, &told["error"]), (404, &json!("not_found")), "{line}: {told}");
        }
        // Its name is free again, and revives no token.
        let again = lab.registered(&json!({ "id": "mine" })).await;
        assert_ne!(again["client_secret"], card["client_secret"]);
        assert_eq!(active().await, json!(false));
    }

    async fn what_is_wrong_is_told_with_its_place(env) {
        let lab = Lab::new(env, CATALOG).await;
        for (wanted, status, at, nearest) in [
            (json!({ "scret": "x" }), 400, "scret", Some("secret")),
            (json!({ "auth": "client_secret_pots" }), 400, "auth", Some("client_secret_post")),
            (json!({ "policy": [{ "audience": "pricing", "scopes": "read" }] }), 400, "policy[0].scopes", None),
            (json!({ "policy": [{ "audience": "prising", "scopes": ["read"] }] }), 400, "policy", None),
            (json!({ "policy": [{ "audience": "pricing", "scopes": ["raed"] }] }), 400, "policy[0]", None),
            (json!({ "id": "reader" }), 409, "id", None),
            (json!({ "id": "" }), 400, "id", None),
            (json!({ "id": 7 }), 400, "id", None),
        ] {
            let (found, told) = lab.ask("POST /_test/clients", &wanted.to_string()).await;
            assert_eq!(found, status, "{wanted}: {told}");
            let place = told["at"].as_str().unwrap();
            assert!(place.starts_with(at), "{wanted}: {told}");
            assert_eq!(told["nearest"].as_str(), nearest, "{wanted}: {told}");
        }
        let (_, index) = lab.ask("GET /_test", "").await;
        assert_eq!(index["clients"].as_array().unwrap().len(), 2, "nothing was made");
    }

    /// Wherever it is put from then on.
    async fn a_secret_that_was_handed_out_is_never_shown_of_a_request(env) {
        let lab = Lab::new(env, CATALOG).await;
        let card = lab.registered(&json!({ "secret": "mark-0f-the-tester-73" })).await;
        let secret = card["client_secret"].as_str().unwrap();
        lab.replica.post("/oauth2/token", &[], &format!("grant_type={secret}&scope={secret}")).await;
        lab.asked_by(&card, "").await;
        let shown = json!(lab.requests("").await).to_string();
        assert!(!shown.contains(secret), "{shown}");
    }
}
