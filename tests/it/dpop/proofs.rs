//! Proofs that are refused. Each rule stands beside the proof's types in `src`; here it is seen from outside.

use grantd::config::settings::MutualTls;

use super::*;
use crate::captured_log::watch;
use crate::raw_sql;

on_both! {
    /// 9449-02.
    async fn a_proof_that_breaks_one_rule_gets_no_token(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let prover = Prover::new();
        let other = Prover::new();
        let right = prover.right();
        let (input, _) = right.rsplit_once('.').unwrap();
        let mut private = prover.header["jwk"].clone();
        private["d"] = base64url(&[1; 32]).into();
        let cases = [
            ("empty", String::new()),
            ("no JWT", "garbage".to_owned()),
            ("typ", prover.header("typ", "JWT")),
            ("alg none", prover.header("alg", "none")),
            ("alg HS256", prover.header("alg", "HS256")),
            ("alg unlisted", prover.header("alg", "ES384")),
            ("no jwk", prover.header("jwk", Value::Null)),
            ("private jwk", prover.header("jwk", private)),
            ("another jwk", prover.header("jwk", other.header["jwk"].clone())),
            ("zero signature", format!("{input}.{}", base64url(&[0; 64]))),
            ("htm", prover.proof(&json!({ "htm": "GET" }))),
            ("htu", prover.proof(&json!({ "htu": "https://auth.example/oauth2/revoke" }))),
            ("old", prover.proof(&json!({ "iat": START - 61 }))),
            ("early", prover.proof(&json!({ "iat": START + 11 }))),
            ("iat", prover.proof(&json!({ "iat": 1e19 }))),
            ("no iat", prover.proof(&json!({ "iat": null }))),
            ("exp", prover.proof(&json!({ "exp": START - 10 }))),
            ("nbf", prover.proof(&json!({ "nbf": START + 11 }))),
            ("no jti", prover.proof(&json!({ "jti": null }))),
            ("long jti", prover.proof(&json!({ "jti": "j".repeat(257) }))),
        ];
        for (case, proof) in cases {
            let answer = replica.prove(&[&proof], "").await;
            assert!(answer.status == 400, "{case}: {answer:?}");
            answer.assert_error(400, "invalid_dpop_proof");
            assert!(!answer.headers.contains_key("dpop-nonce"), "{case}");
        }
        assert_eq!(replica.prove(&[&right], "").await.status, 200);
    }

    /// 9449-02.
    async fn there_is_exactly_one_proof(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let prover = Prover::new();
        let (one, two) = (prover.right(), prover.right());
        for proofs in [[&one, &two], [&one, &one]] {
            let answer = replica.prove(&[proofs[0], proofs[1]], "").await;
            answer.assert_error(400, "invalid_dpop_proof");
        }
        let answer = replica.prove(&[&format!("{one}, {two}")], "").await;
        answer.assert_error(400, "invalid_dpop_proof");
        assert_eq!(replica.prove(&[&one], "").await.status, 200, "nothing was spent");
    }

    /// 9449-03.
    async fn what_does_not_matter_is_ignored(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let prover = Prover::new();
        for claims in [
            json!({ "htu": "HTTPS://AUTH.EXAMPLE:443/oauth2/token?a=b#c" }),
            json!({ "htu": "https://auth.example/x/../oauth2/%74oken" }),
            json!({ "iat": START - 10 }),
            json!({ "iat": START + 10 }),
            json!({ "exp": START + 300, "nbf": START - 300 }),
            json!({ "ath": "x", "nonce": "never given", "anything": { "else": [1] } }),
        ] {
            let answer = replica.prove(&[&prover.proof(&claims)], "").await;
            assert_eq!(answer.status, 200, "{claims}: {answer:?}");
        }
    }

    async fn a_proof_may_name_the_endpoint_of_the_mutual_listener_where_there_is_one(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let prover = Prover::new();
        let alias = "https://auth.example:8444/oauth2/token";
        let claims = json!({ "htu": alias });
        let before = replica.prove(&[&prover.proof(&claims)], "").await;
        before.assert_error(400, "invalid_dpop_proof");
        let mtls = MutualTls::at_proxies(Vec::new(), Some("https://auth.example:8444".to_owned()));
        let replica = env.replica_with(|settings| settings.mtls = Some(mtls)).await;
        assert_eq!(replica.prove(&[&prover.proof(&claims)], "").await.status, 200);
        assert_eq!(replica.prove(&[&prover.right()], "").await.status, 200);
    }

    /// The client proves itself first; what it may get is looked at last.
    async fn a_proof_is_judged_after_the_client_and_before_the_policy(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let form = "grant_type=client_credentials";
        let wrong = basic("reader", "another secret of 1");
        let headers = [("authorization", wrong.as_str()), ("dpop", "garbage")];
        let refused = replica.post("/oauth2/token", &headers, form).await;
        refused.assert_error(401, "invalid_client");
        let garbage = replica.prove(&["garbage"], "&scope=never").await;
        garbage.assert_error(400, "invalid_dpop_proof");

        let prover = Prover::new();
        let proof = prover.right();
        let headers = [("authorization", wrong.as_str()), ("dpop", proof.as_str())];
        let refused = replica.post("/oauth2/token", &headers, form).await;
        refused.assert_error(401, "invalid_client");
        replica.prove(&[&proof], "&scope=never").await.assert_error(400, "invalid_scope");
        replica.prove(&[&proof], "").await.assert_error(400, "invalid_dpop_proof");
    }

    /// B-J14, B-J03: an access token is no proof, and a proof is neither a token nor an assertion (8725-01).
    async fn no_other_jwt_is_a_proof_and_a_proof_is_no_other_jwt(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let prover = Prover::new();
        let token = replica.prove(&[&prover.right()], "").await.json();
        let token = token["access_token"].as_str().unwrap();
        replica.prove(&[token], "").await.assert_error(400, "invalid_dpop_proof");
        let proof = prover.right();
        let told = replica.introspect("api", API, &proof).await;
        assert_eq!(told.body, br#"{"active":false}"#);
        let form = format!(
            "grant_type=client_credentials&client_id=reader&client_assertion={proof}\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        );
        replica.post("/oauth2/token", &[], &form).await.assert_error(401, "invalid_client");
    }

    /// B-J10: answered at once and refused, whatever its shape.
    async fn a_monstrous_proof_is_refused(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let nested = base64url(format!("{{\"a\":{}", "[".repeat(9000)).as_bytes());
        let many = (0..2000).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(",");
        let many = base64url(format!("{{{many},\"alg\":\"ES256\"}}").as_bytes());
        let digits = base64url(format!("{{\"alg\":{}}}", "9".repeat(9000)).as_bytes());
        for proof in [
            ".".repeat(16 * 1024),
            "A".repeat(60 * 1024),
            format!("{nested}.{nested}.AA"),
            format!("{many}.e30.AA"),
            format!("{digits}.e30.AA"),
        ] {
            replica.prove(&[&proof], "").await.assert_error(400, "invalid_dpop_proof");
        }
    }

    /// B-H08: the log says why, and never shows the proof.
    async fn a_refused_proof_is_told_to_operators_and_not_shown(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let prover = Prover::new();
        let proof = prover.proof(&json!({ "iat": START - 3600 }));
        let (_, signature) = proof.rsplit_once('.').unwrap();
        let (shown, claims) = (watch(signature), watch(proof.split('.').nth(1).unwrap()));
        let refused = replica.prove(&[&proof], "").await;
        refused.assert_error(400, "invalid_dpop_proof");
        let right = prover.right();
        let used = watch(right.rsplit_once('.').unwrap().1);
        assert_eq!(replica.prove(&[&right], "").await.status, 200);
        assert_eq!(replica.audit_events("refused").await, 1);
        let stored = raw_sql::everything(&env.database).await;
        assert!(stored.iter().any(|text| text.contains("iat 3600 s ago")));
        assert!(!stored.iter().any(|text| text.contains(signature) || text.contains(&right)));
        for watch in [shown, claims, used] {
            assert!(watch.lines().is_empty(), "{:?}", watch.lines());
        }
    }
}
