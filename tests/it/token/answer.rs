//! The answer (RFC 6749 section 5) and the token in it (RFC 9068 section 2).

use std::collections::BTreeSet;

use base64::Engine as _;
use grantd::domain::timestamp::Seconds;

use super::*;

const RICH: &str = r#"
[[audience]]
id = "pricing"
scopes = ["read", "write", "never"]
token_lifetime = "7m"
max_token_lifetime = "10m"

[[audience]]
id = "spring"
scopes = ["bean"]
jwt_typ = "JWT"
max_token_lifetime = "24h"

[[client]]
id = "reader"
environment = "dev"
tenant = "acme"
claims = { region = "eu", level = 3 }
auth = ["client_secret_basic", "client_secret_post"]
secret = "reader secret of 1"
  [[client.policy]]
  audience = "pricing"
  scopes = ["read", "write"]
  default_scopes = ["read"]
  [[client.policy]]
  audience = "spring"
  scopes = ["bean"]
  token_lifetime = "10h"
"#;

on_both! {
    /// 6749-23.
    async fn a_token_comes_as_one_json_object_that_no_cache_keeps(env) {
        env.apply(RICH).await;
        let replica = env.replica().await;
        let answer = replica.token("reader", READER, "&scope=read").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["pragma"], "no-cache");
        for absent in ["etag", "set-cookie", "location", "server"] {
            assert!(!answer.headers.contains_key(absent), "{absent}");
        }
        assert!(answer.json().is_object());
    }

    /// 6749-25: and nothing else, so no refresh token and no ID token (6749-24).
    async fn token_type_is_bearer_and_expires_in_is_the_life_of_the_token(env) {
        env.apply(RICH).await;
        let replica = env.replica().await;
        let answer = replica.token("reader", READER, "&scope=read").await;
        let body = answer.json();
        let members: BTreeSet<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            members.into_iter().collect::<Vec<_>>(),
            ["access_token", "expires_in", "scope", "token_type"]
        );
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["expires_in"].as_i64(), Some(420));
        let claims = claims(&answer);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 420);
    }

    /// 6749-30.
    async fn a_description_has_permitted_characters_and_nothing_of_the_request(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let grant = "grant_type=client_credentials";
        let right = "client_id=reader&client_secret=reader+secret+of+1";
        for form in [
            "",
            "echoed",
            "grant_type=echoed",
            "grant_type=echoed&grant_type=echoed",
            "echoed=%FF",
            &format!("{grant}&client_id=echoed&client_secret=echoed"),
            &format!("{grant}&client_assertion=echoed"),
            &format!("{grant}&{right}&scope=echoed"),
            &format!("{grant}&{right}&scope=%22echoed%0a"),
            &format!("{grant}&{right}&resource=echoed"),
            &format!("{grant}&{right}&resource=urn%3Aechoed"),
            &format!("{grant}&{right}&audience=echoed"),
            &format!("{grant}&{right}&audience=a&resource=urn:echoed"),
        ] {
            let answer = replica.ask(form).await;
            assert!(answer.status.is_client_error(), "{answer:?}");
            assert!(!String::from_utf8_lossy(&answer.body).contains("echoed"), "{form}");
            assert!(!format!("{:?}", answer.headers).contains("echoed"), "{form}");
            let description = answer.json()["error_description"].as_str().unwrap().to_owned();
            let permitted =
                |byte: u8| (0x20..=0x7e).contains(&byte) && byte != b'"' && byte != b'\\';
            assert!(description.bytes().all(permitted), "{description}");
        }
    }

    /// 6749-35.
    async fn a_jti_is_128_random_bits_and_never_comes_twice(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let mut seen = BTreeSet::new();
        for _ in 0..200 {
            let jti = claims(&replica.token("reader", READER, "").await)["jti"]
                .as_str()
                .unwrap()
                .to_owned();
            let (_, random) = jti.split_once('.').unwrap();
            let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(random).unwrap();
            assert!(bytes.len() >= 16);
            assert!(seen.insert(bytes));
        }
        // Each bit is sometimes 0 and sometimes 1.
        let all = |join: fn(u8, u8) -> u8| {
            seen.iter()
                .cloned()
                .reduce(|a, b| a.iter().zip(&b).map(|(a, b)| join(*a, *b)).collect())
        };
        assert_eq!(all(|a, b| a | b), Some(vec![0xff; 16]));
        assert_eq!(all(|a, b| a & b), Some(vec![0; 16]));
    }

    /// 9068-04 9068-05 (9068-02).
    async fn a_token_has_every_claim_of_the_profile_in_its_type(env) {
        env.apply(RICH).await;
        let replica = env.replica().await;
        let claims = claims(&replica.token("reader", READER, "&scope=write+read").await);
        let jti = claims["jti"].clone();
        assert_eq!(
            claims,
            serde_json::json!({
                "iss": ISSUER, "sub": "reader", "client_id": "reader", "azp": "reader", "aud": "pricing",
                "scope": "read write", "iat": START, "exp": START + 420, "jti": jti,
                "tenant": "acme", "env": "dev", "region": "eu", "level": 3,
            })
        );
    }

    /// 9068-01.
    async fn the_header_has_typ_kid_and_a_real_algorithm(env) {
        env.apply(RICH).await;
        let replica = env.replica().await;
        let jwks = replica.get("/oauth2/jwks").await.json();
        for (scope, typ) in [("read", "at+jwt"), ("bean", "JWT")] {
            let token = replica.issued("reader", READER, &format!("&scope={scope}")).await;
            let kid = jwks["keys"][0]["kid"].clone();
            let expected = serde_json::json!({ "alg": "ES256", "kid": kid, "typ": typ });
            assert_eq!(decoded(&token).0, expected);
        }
    }

    /// 9068-08.
    async fn nothing_lives_longer_than_audience_policy_and_settings_allow(env) {
        env.apply(RICH).await;
        let replica = env.replica_with(|settings| settings.tokens.max_lifetime = Seconds::new(400)).await;
        let unbounded =
            env.replica_with(|settings| settings.tokens.max_lifetime = Seconds::new(86_400)).await;
        for (replica, scope, lifetime) in [
            (&replica, "read", 400),
            (&replica, "bean", 400),
            (&unbounded, "read", 420),
            (&unbounded, "bean", 36_000),
        ] {
            let answer = replica.token("reader", READER, &format!("&scope={scope}")).await;
            let claims = claims(&answer);
            assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), lifetime);
            assert_eq!(answer.json()["expires_in"], lifetime);
            assert_eq!(claims.get("nbf"), None);
        }
        let above = RICH.replace("token_lifetime = \"10h\"", "token_lifetime = \"25h\"");
        assert!(env.try_apply(&above, false).await.is_err());
    }

    /// What is demanded to be bound is refused, as nothing can be bound yet.
    async fn a_token_that_must_be_bound_is_not_issued_unbound(env) {
        for (line, at) in [
            ("dpop_bound_access_tokens = true", "tenant ="),
            ("tls_client_certificate_bound_access_tokens = true", "tenant ="),
            ("sender_constraint = \"any\"", "token_lifetime = \"7m\""),
            ("sender_constraint = \"dpop\"", "token_lifetime = \"7m\""),
            ("sender_constraint = \"mtls\"", "token_lifetime = \"7m\""),
        ] {
            env.apply(&RICH.replacen(at, &format!("{line}\n{at}"), 1)).await;
            let replica = env.replica().await;
            replica
                .token("reader", READER, "&scope=read")
                .await
                .assert_error(400, "invalid_request");
        }
    }

    /// Least audience and scope, and metadata; the password grant is tested with the other grants (9700-01).
    async fn best_practice_is_kept(env) {
        env.apply(RICH).await;
        let replica = env.replica().await;
        let claims = claims(&replica.token("reader", READER, "&audience=pricing").await);
        assert_eq!(
            (claims["aud"].as_str(), claims["scope"].as_str()),
            (Some("pricing"), Some("read"))
        );
        let metadata = replica.get("/.well-known/oauth-authorization-server").await.json();
        let grants: Vec<_> = metadata["grant_types_supported"].as_array().unwrap().iter().collect();
        let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
        let jwt_bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        assert_eq!(grants, ["client_credentials", exchange, jwt_bearer]);
    }
}
