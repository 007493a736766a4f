//! The claims of an assertion over HTTP (RFC 7523 section 3, rfc7523bis): the rules themselves have their tests
//! beside the code, and here each is seen to reach the answer.

use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::{Value, json};

use super::signer::{Key, TYPE, assert_refused, catalog, claims, present, refusal, token, worker};
use crate::catalogs::client;
use crate::harness::{API, CATALOG, ISSUER, READER, START, on_both};

/// Valid claims of `worker` but for one.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims("worker", "1");
    claims[name] = value;
    claims
}

/// The claims as text, with `raw` for the number of a time.
fn with_raw(name: &str, raw: &str) -> String {
    let mut claims = claims("worker", raw);
    claims[name] = json!("PLACE");
    claims.to_string().replace("\"PLACE\"", raw)
}

on_both! {
    /// 7523-01.
    async fn the_pair_of_parameters_is_whole_and_of_its_type(env) {
        let (replica, key) = worker(&env).await;
        let assertion = key.sign(&claims("worker", "1"));
        let grant = "grant_type=client_credentials";
        for form in [
            format!("{grant}&client_assertion={assertion}"),
            format!("{grant}&client_assertion_type={TYPE}"),
            format!("{grant}&client_assertion_type=&client_assertion={assertion}"),
            format!("{grant}&client_assertion_type={TYPE}&client_assertion="),
            format!("{grant}&client_assertion_type={TYPE}x&client_assertion={assertion}"),
            format!("{grant}&client_assertion_type=JWT&client_assertion={assertion}"),
            format!("{grant}&client_assertion_type={}&client_assertion={assertion}", TYPE.to_uppercase()),
            format!(
                "{grant}&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:\
                 saml2-bearer&client_assertion={assertion}"
            ),
            format!(
                "{grant}&client_assertion_type={TYPE}&client_assertion={assertion}\
                 &client_assertion={assertion}"
            ),
        ] {
            replica.post("/oauth2/token", &[], &form).await.assert_error(400, "invalid_request");
        }
        assert_eq!(token(&replica, &assertion).await.status, 200);
    }

    /// 7523-03 B-R10
    async fn each_claim_is_required_and_of_its_type(env) {
        let (replica, key) = worker(&env).await;
        let mut wrong = Vec::new();
        for name in ["iss", "sub", "aud", "exp", "jti"] {
            let mut without = claims("worker", "1");
            without.as_object_mut().unwrap().remove(name);
            // Twice: without a `jti` there would be nothing by which a replay is known.
            wrong.extend([key.sign(&without), key.sign(&without)]);
            for other in [json!(null), json!(true), json!({}), json!([[ISSUER]]), json!([]), json!("")] {
                wrong.push(key.sign(&with(name, other)));
            }
        }
        for name in ["iss", "sub", "jti"] {
            wrong.push(key.sign(&with(name, json!(1))));
        }
        wrong.push(key.sign(&json!({})));
        assert_refused(&replica, &wrong).await;
        assert_eq!(token(&replica, &key.sign(&claims("worker", "1"))).await.status, 200);
    }

    /// 7523-04 B-R15
    async fn issuer_and_subject_are_the_client_byte_by_byte(env) {
        let (replica, key) = worker(&env).await;
        let mut wrong = Vec::new();
        for name in ["iss", "sub"] {
            for other in ["Worker", "worker ", " worker", "worker/", "wo\u{72}\u{301}ker", "reader", ISSUER] {
                wrong.push(key.sign(&with(name, json!(other))));
            }
            wrong.push(key.sign(&with(name, json!(["worker"]))));
        }
        assert_refused(&replica, &wrong).await;
        for client_id in ["reader", "worker%20", "Worker", "nobody"] {
            let form = format!("grant_type=client_credentials&client_id={client_id}");
            let answer =
                present(&replica, "/oauth2/token", &form, &key.sign(&claims("worker", "1"))).await;
            answer.assert_error(401, "invalid_client");
        }
        assert_eq!(token(&replica, &key.sign(&claims("worker", "1"))).await.status, 200);
    }

    /// 7523-05 B-R16: whoever signs for two servers lets each replay at the other (CVE-2025-27370).
    async fn the_audience_is_the_issuer_alone(env) {
        let (replica, key) = worker(&env).await;
        let other = "https://attacker.example";
        let wrong: Vec<String> = [
            json!("https://auth.example/oauth2/token"),
            json!(["https://auth.example/oauth2/token"]),
            json!("https://auth.example/oauth2/introspect"),
            json!("https://auth.example/"),
            json!("https://auth.example:443"),
            json!("https://AUTH.example"),
            json!("https://auth.example "),
            json!("http://auth.example"),
            json!("auth.example"),
            json!([ISSUER, other]),
            json!([other, ISSUER]),
            json!([ISSUER, ISSUER]),
            json!([]),
            json!(""),
            json!([[ISSUER]]),
            json!({ "aud": ISSUER }),
            json!(other),
        ]
        .into_iter()
        .map(|aud| key.sign(&with("aud", aud)))
        .collect();
        assert_refused(&replica, &wrong).await;
        for (index, aud) in [json!(ISSUER), json!([ISSUER])].into_iter().enumerate() {
            let mut claims = claims("worker", &index.to_string());
            claims["aud"] = aud;
            assert_eq!(token(&replica, &key.sign(&claims)).await.status, 200);
        }
    }

    /// 7523-07 7523-08 B-R11: the leeway of these replicas is 10 s, and an assertion lives 300 s at most.
    async fn times_are_within_their_limits(env) {
        let (replica, key) = worker(&env).await;
        for (name, ahead, status) in [
            ("exp", -300, 401), ("exp", -10, 401), ("exp", -9, 200), ("exp", 305, 200),
            ("exp", 310, 200), ("exp", 311, 401), ("exp", 10 * 365 * 86_400, 401),
            ("nbf", 10, 200), ("nbf", 11, 401), ("nbf", -100_000, 200), ("iat", 10, 200),
            ("iat", 11, 401), ("iat", -310, 200), ("iat", -311, 401),
        ] {
            let mut claims = claims("worker", &format!("{name} {ahead}"));
            claims[name] = json!(START + ahead);
            let answer = token(&replica, &key.sign(&claims)).await;
            assert_eq!(answer.status, status, "{name} {ahead}");
        }
        let mut without = claims("worker", "without");
        without.as_object_mut().unwrap().remove("iat");
        assert_eq!(token(&replica, &key.sign(&without)).await.status, 200);
    }

    /// JOSE-11 B-J13: no number that a registered client signs ends the connection or the process.
    async fn a_time_is_a_number_of_our_era(env) {
        let (replica, key) = worker(&env).await;
        let mut wrong = Vec::new();
        for name in ["exp", "iat", "nbf"] {
            for raw in [
                "\"1767225660\"", "null", "true", "[1767225660]", "{}", "-1", "-0.5", "1e19", "1e300",
                "-1e300", "1e999", "18446744073709551615", "18446744073709551616",
                "9223372036854775808", "253402300800", "NaN", "Infinity", "01767225660", "+1767225660",
                "1767225660.", "0x69", "1767225660s",
            ] {
                wrong.push(key.sign_raw(&key.header(""), &with_raw(name, raw)));
            }
            let digits = "9".repeat(4000);
            wrong.push(key.sign_raw(&key.header(""), &with_raw(name, &digits)));
        }
        assert_refused(&replica, &wrong).await;
        for raw in ["1767225660", "1767225660.5", "1.76722566e9", "17672256.6E+2", "1767225660.0"] {
            let good = key.sign_raw(&key.header(""), &with_raw("exp", raw));
            assert_eq!(token(&replica, &good).await.status, 200, "{raw}");
        }
    }

    /// B-R09
    async fn each_variant_of_a_jti_is_a_jti_of_its_own(env) {
        let (replica, key) = worker(&env).await;
        let long = "x".repeat(255);
        let jtis = [
            "a", "A", "a ", " a", "a\0", "\0a", "é", "e\u{301}", "1", "01", "null", &long,
            &"x".repeat(254), &format!("{long}y"), &format!("{long}z"), &format!("{}é", "x".repeat(253)),
        ];
        for jti in jtis {
            assert_eq!(token(&replica, &key.sign(&claims("worker", jti))).await.status, 200, "{jti}");
        }
        let again = jtis.map(|jti| key.sign(&claims("worker", jti)));
        assert_refused(&replica, &again).await;
        let wrong = [json!(1), json!(""), json!(["a"]), json!("x".repeat(257)), json!("é".repeat(129))];
        assert_refused(&replica, &wrong.map(|jti| key.sign(&with("jti", jti)))).await;
    }

    /// B-J14 8725-01: a JWT of one kind is never taken for one of another.
    async fn a_jwt_of_another_kind_is_no_assertion_and_an_assertion_no_token(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        let jwt = catalog(&[&key], "").replace("served_by", "jwt_typ = \"JWT\"\nserved_by");
        for catalog in [catalog(&[&key], ""), jwt] {
            env.apply(&catalog).await;
            let replica = env.replica().await;
            let jti = catalog.len().to_string();
            let own = token(&replica, &key.sign(&claims("worker", &jti))).await.json();
            let own = own["access_token"].as_str().unwrap().to_owned();
            assert_eq!(replica.introspect("api", API, &own).await.json()["active"], true);
            let of_reader = replica.issued("reader", READER, "").await;
            let proof = json!({ "htm": "POST", "htu": ISSUER, "iat": START, "jti": "2" }).to_string();
            let header = |typ: &str| key.header(&format!(r#","typ":"{typ}""#));
            let unspent = claims("worker", &format!("{jti} unspent"));
            let text = unspent.to_string();
            assert_refused(&replica, &[
                own,
                of_reader,
                key.sign_raw(&header("dpop+jwt"), &proof),
                key.sign_raw(&header("dpop+jwt"), &text),
                key.sign_raw(&header("at+jwt"), &text),
                key.sign_raw(&header("token-introspection+jwt"), &text),
                key.sign(&json!({
                    "iss": ISSUER, "sub": "worker", "aud": "worker", "iat": START, "exp": START + 60,
                    "jti": "2", "nonce": "n",
                })),
                key.sign(&json!({
                    "iss": "https://other.example", "sub": "worker", "aud": ISSUER, "iat": START,
                    "exp": START + 60, "jti": "2", "client_id": "worker",
                })),
            ]).await;
            let assertion = key.sign(&unspent);
            let inactive = json!({ "active": false });
            assert_eq!(replica.introspect("api", API, &assertion).await.json(), inactive);
            assert_eq!(token(&replica, &assertion).await.status, 200);
        }
    }

    /// 7523-12: what a client did not register proves nothing.
    async fn a_method_that_is_not_registered_proves_nothing(env) {
        let key = Key::new(SigningAlgorithm::Es256);
        let secret_only = catalog(&[&key], "").replace("private_key_jwt", "PLACE").replace(
            "auth = \"PLACE\"",
            "auth = [\"private_key_jwt\", \"client_secret_post\"]\nsecret = \"a secret of worker\"",
        );
        env.apply(&secret_only).await;
        let replica = env.replica().await;
        let form = "grant_type=client_credentials&client_id=worker&client_secret=a+secret+of+worker";
        assert_eq!(replica.post("/oauth2/token", &[], form).await.status, 200);
        assert_eq!(token(&replica, &key.sign(&claims("worker", "1"))).await.status, 200);
        env.apply(&catalog(&[&key], "")).await;
        replica.follow().await;
        let refused = replica.post("/oauth2/token", &[], form).await;
        assert_eq!(refused.same(), refusal(&replica).await.same());
        let without_key = client("worker", "auth = \"client_secret_post\"\nsecret = \"a secret of worker\"", &[]);
        env.apply(&format!("{CATALOG}{without_key}")).await;
        replica.follow().await;
        assert_refused(&replica, &[key.sign(&claims("worker", "2"))]).await;
    }
}
