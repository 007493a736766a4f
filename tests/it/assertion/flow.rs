//! An assertion by a registered key proves its client; anything else is told what an unknown client is told.

use grantd::domain::accepted_algorithm::AcceptedAlgorithm;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::identifier::ClientId;
use grantd::domain::profile::Profile;
use grantd::domain::timestamp::Seconds;
use serde_json::json;

use super::signer::{Key, TYPE, catalog, claims, present, refusal, token, worker};
use crate::harness::{API, ISSUER, READER, START, decoded, on_both};

on_both! {
    async fn a_client_proves_itself_by_its_key(env) {
        let (replica, key) = worker(&env).await;
        let answer = token(&replica, &key.sign(&claims("worker", "1"))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let (_, claims_of_token) = decoded(answer.json()["access_token"].as_str().unwrap());
        assert_eq!(claims_of_token["client_id"], "worker");
    }

    async fn every_algorithm_of_the_metadata_works(env) {
        let taken = Profile::Default.assertion_algorithms();
        let all = AcceptedAlgorithm::ALL.into_iter();
        for algorithm in all.filter(|it| taken.contains(&it.as_str())) {
            let key = Key::new(algorithm);
            env.prune(&catalog(&[&key], "")).await;
            let replica = env.replica().await;
            let answer = token(&replica, &key.sign(&claims("worker", algorithm.as_str()))).await;
            assert_eq!(answer.status, 200, "{algorithm}: {answer:?}");
        }
    }

    /// 7523-02.
    async fn client_id_may_stand_beside_it_and_must_be_the_subject(env) {
        let (replica, key) = worker(&env).await;
        for (client_id, status) in [("worker", 200), ("reader", 401), ("Worker", 401)] {
            let form = format!("grant_type=client_credentials&client_id={client_id}");
            let assertion = key.sign(&claims("worker", client_id));
            let answer = present(&replica, "/oauth2/token", &form, &assertion).await;
            assert_eq!(answer.status, status, "{client_id}");
        }
    }

    /// 7523-10 7523-12 B-J14 B-C01
    async fn every_failure_is_told_what_an_unknown_client_is_told(env) {
        let (replica, key) = worker(&env).await;
        let stranger = Key::new(SigningAlgorithm::Es256);
        let expected = refusal(&replica).await.same();
        let mut expired = claims("worker", "2");
        expired["exp"] = json!(START - 300);
        let mut of_reader = claims("worker", "3");
        of_reader["sub"] = json!("reader");
        let access_token = replica.issued("reader", READER, "").await;
        for assertion in [
            "garbage".to_owned(),
            stranger.sign(&claims("worker", "1")),
            key.sign(&claims("nobody", "1")),
            key.sign(&claims("reader", "1")),
            key.sign(&expired),
            key.sign(&of_reader),
            access_token,
        ] {
            assert_eq!(token(&replica, &assertion).await.same(), expected, "{assertion}");
        }
        assert_eq!(replica.token("worker", "a secret of nobody", "").await.same(), expected);
    }

    /// 7523-11, B-R05.
    async fn the_same_rules_and_one_jti_space_hold_at_every_endpoint(env) {
        let (replica, key) = worker(&env).await;
        let used = key.sign(&claims("worker", "1"));
        assert_eq!(token(&replica, &used).await.status, 200);
        for path in ["/oauth2/introspect", "/oauth2/revoke", "/oauth2/token"] {
            let form = "token=x&grant_type=client_credentials";
            present(&replica, path, form, &used).await.assert_error(401, "invalid_client");
            let fresh = key.sign(&claims("worker", path));
            assert_eq!(present(&replica, path, form, &fresh).await.status, 200, "{path}");
        }
    }

    /// JOSE-09.
    async fn several_keys_are_told_apart_by_kid(env) {
        let keys = [Key::new(SigningAlgorithm::Es256), Key::new(SigningAlgorithm::Es256)];
        env.apply(&catalog(&[&keys[0], &keys[1]], "")).await;
        let replica = env.replica().await;
        for (index, key) in keys.iter().enumerate() {
            let assertion = key.sign(&claims("worker", &index.to_string()));
            assert_eq!(token(&replica, &assertion).await.status, 200);
        }
        let without = keys[0].sign_raw(r#"{"alg":"ES256"}"#, &claims("worker", "3").to_string());
        assert_eq!(token(&replica, &without).await.status, 401);
        env.prune(&catalog(&[&keys[0]], "")).await;
        replica.follow().await;
        assert_eq!(token(&replica, &without).await.status, 200, "one key needs no kid");
        let gone = keys[1].sign(&claims("worker", "4"));
        assert_eq!(token(&replica, &gone).await.status, 401, "a removed key proves nothing");
    }

    async fn the_use_of_a_retired_key_raises_an_alert_and_naming_it_does_not(env) {
        let (replica, key) = worker(&env).await;
        let id = ClientId::parse("worker").unwrap();
        let known = env.store.load_client(&id).await.unwrap().value.unwrap();
        env.retire(&known.credentials[0].id, false).await;
        replica.follow().await;
        let named = Key::new(SigningAlgorithm::Es256).sign_raw(
            &format!(r#"{{"alg":"ES256","kid":"{}"}}"#, key.kid()),
            &claims("worker", "1").to_string(),
        );
        token(&replica, &named).await.assert_error(401, "invalid_client");
        assert_eq!(replica.audit_events("retired_credential_used").await, 0);
        token(&replica, &key.sign(&claims("worker", "1"))).await.assert_error(401, "invalid_client");
        assert_eq!(replica.audit_events("retired_credential_used").await, 1);
    }

    async fn a_client_may_be_registered_to_name_the_token_endpoint_and_to_live_longer(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        let endpoint = format!("{ISSUER}/oauth2/token");
        let assertion = |jti: &str| {
            let mut claims = claims("worker", jti);
            claims["aud"] = json!(endpoint);
            claims["exp"] = json!(START + 3600);
            key.sign(&claims)
        };
        env.apply(&catalog(&[&key], "")).await;
        let replica = env.replica().await;
        assert_eq!(token(&replica, &assertion("1")).await.status, 401);
        let lax = "assertion_audience = \"issuer_or_token_endpoint\"\nmax_assertion_lifetime = \"1h\"";
        env.apply(&catalog(&[&key], lax)).await;
        replica.follow().await;
        for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
            let form = "token=x&grant_type=client_credentials";
            assert_eq!(present(&replica, path, form, &assertion(path)).await.status, 200);
        }
    }

    /// B-R17 7523-06
    async fn no_header_of_a_request_changes_the_audience(env) {
        let (replica, key) = worker(&env).await;
        let mut evil = claims("worker", "1");
        evil["aud"] = json!("https://evil.example");
        let form = format!(
            "grant_type=client_credentials&client_assertion_type={TYPE}&client_assertion={}",
            key.sign(&evil)
        );
        for name in ["x-forwarded-host", "forwarded", "x-original-host"] {
            let answer = replica.post("/oauth2/token", &[(name, "evil.example")], &form).await;
            answer.assert_error(401, "invalid_client");
        }
    }

    async fn a_key_only_client_is_known_to_the_api(env) {
        let (replica, key) = worker(&env).await;
        let answer = token(&replica, &key.sign(&claims("worker", "1"))).await;
        let answer = answer.json();
        let text = answer["access_token"].as_str().unwrap();
        assert_eq!(replica.introspect("api", API, text).await.json()["active"], true);
    }

    /// B-J07.
    async fn a_weak_or_private_key_is_refused_when_it_is_registered(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        let mut catalog = catalog(&[&key], "");
        catalog = catalog.replace("\"kty\":\"EC\"", "\"kty\":\"EC\",\"key_ops\":[\"sign\"]");
        let error = env.try_apply(&catalog, false).await.unwrap_err();
        assert!(error.contains("test.toml:") && error.contains("key_ops"), "{error}");
    }

    /// 7523-07, 7523-08.
    async fn clocks_may_differ_by_the_leeway(env) {
        let (replica, key) = worker(&env).await;
        let late = key.sign(&claims("worker", "1"));
        env.clock.advance(Seconds::new(69));
        replica.follow().await;
        assert_eq!(token(&replica, &late).await.status, 200);
        env.clock.advance(Seconds::new(1));
        let later = key.sign(&claims("worker", "2"));
        assert_eq!(token(&replica, &later).await.status, 401);
    }
}
