//! Other issuers: `staging`, and those that play a provider.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::json;

use super::*;

impl Lab {
    /// The claims of another issuer's token, found as its verifiers do: by its metadata and its JWKS.
    async fn verified(&self, token: &str, audience: &str) -> Value {
        let (_, claims) = decoded(token);
        let issuer = claims["iss"].as_str().unwrap();
        let (_, path) = issuer.split_once("/_test").unwrap();
        let (status, metadata) = self
            .ask(
                &format!("GET /_test{path}/.well-known/openid-configuration"),
                "",
            )
            .await;
        assert_eq!((status, &metadata["issuer"]), (200, &json!(issuer)));
        let (_, jwks) = metadata["jwks_uri"]
            .as_str()
            .unwrap()
            .split_once("/_test")
            .unwrap();
        let (status, jwks) = self.ask(&format!("GET /_test{jwks}"), "").await;
        assert_eq!(status, 200);
        let header = decode_header(token).unwrap();
        let jwks: JwkSet = serde_json::from_value(jwks).unwrap();
        let key = DecodingKey::from_jwk(jwks.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut rules = Validation::new(header.alg);
        rules.set_issuer(&[issuer]);
        rules.set_audience(&[audience]);
        rules.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        // The clock of this test is not the machine's.
        rules.validate_exp = false;
        decode::<Value>(token, &key, &rules).unwrap().claims
    }
}

on_both! {
    async fn staging_is_always_there_and_its_tokens_are_like_ours(env) {
        let lab = Lab::new(env, CATALOG).await;
        let ours = lab.minted(&json!({})).await;
        let theirs = lab.minted(&json!({ "issuer": "staging" })).await;
        let token = theirs["access_token"].as_str().unwrap();
        let mut claims = lab.verified(token, "pricing").await;
        assert_eq!(claims, theirs["claims"]);
        let issuer = claims["iss"].as_str().unwrap();
        assert!(issuer.starts_with("http://127.0.0.1:") && issuer.ends_with("/_test/issuers/staging"), "{issuer}");
        claims["iss"] = ISSUER.into();
        claims["jti"] = ours["claims"]["jti"].clone();
        assert_eq!(claims, ours["claims"]);
        assert_eq!(theirs["header"]["typ"], "at+jwt");
        assert_ne!(theirs["header"]["kid"], ours["header"]["kid"]);
        assert!(!lab.replica.is_active(token).await, "it is none of ours");
    }

    async fn an_issuer_is_made_once_and_removed(env) {
        let lab = Lab::new(env, CATALOG).await;
        let put = async |body: &str| lab.ask("PUT /_test/issuers/other-1", body).await;
        let (status, card) = put("").await;
        assert_eq!(status, 200, "{card}");
        assert!(card["issuer"].as_str().unwrap().ends_with("/_test/issuers/other-1"), "{card}");
        let kid = async || lab.minted(&json!({ "issuer": "other-1" })).await["header"]["kid"].clone();
        let first = kid().await;
        assert_eq!(put("{}").await, (200, card.clone()), "the same again");
        assert_eq!(kid().await, first);
        // The metadata are also where RFC 8414 looks for them.
        let appended = lab.ask("GET /_test/issuers/other-1/.well-known/oauth-authorization-server", "").await;
        let inserted = lab.ask("GET /.well-known/oauth-authorization-server/_test/issuers/other-1", "").await;
        assert_eq!((appended.0, &appended.1["jwks_uri"]), (200, &card["jwks_uri"]));
        assert_eq!(appended, inserted);
        let (_, listed) = lab.ask("GET /_test/issuers", "").await;
        let names: Vec<&Value> = listed["issuers"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
        assert_eq!(names, ["other-1", "staging"]);
        // Somebody else under that name has other keys.
        assert_eq!(put(r#"{"preset":"spiffe"}"#).await.1["preset"], "spiffe");
        assert_ne!(kid().await, first);
        assert_eq!(lab.ask("DELETE /_test/issuers/other-1", "").await.0, 204);
        for line in [
            "DELETE /_test/issuers/other-1",
            "GET /_test/issuers/other-1/jwks",
            "GET /.well-known/oauth-authorization-server/_test/issuers/other-1",
        ] {
            assert_eq!(lab.ask(line, "").await.0, 404, "{line}");
        }
        for (line, body, status) in [
            ("DELETE /_test/issuers/staging", "", 409),
            ("PUT /_test/issuers/staging", r#"{"preset":"github"}"#, 409),
            ("PUT /_test/issuers/staging", "{}", 200),
            ("PUT /_test/issuers/Upper", "", 400),
            ("PUT /_test/issuers/a%2Fb", "", 400),
            ("PUT /_test/issuers/x", r#"{"preset":"githup"}"#, 400),
        ] {
            let (found, told) = lab.ask(line, body).await;
            assert_eq!(found, status, "{line}: {told}");
        }
        // Made again, it has the key that verifiers know, until a reset forgets that.
        let third = async || { put("").await; kid().await };
        assert_eq!(third().await, first);
        assert_eq!(lab.ask("POST /_test/reset", "").await.0, 204);
        assert_eq!(third().await, first);
        assert_eq!(lab.ask("POST /_test/reset", r#"{"keys":true}"#).await.0, 204);
        assert_ne!(third().await, first);
        assert_eq!(lab.ask("DELETE /_test/issuers/other-1", "").await.0, 204);
        for number in 0..99 {
            assert_eq!(lab.ask(&format!("PUT /_test/issuers/n{number}"), "").await.0, 200);
        }
        assert_eq!(lab.ask("PUT /_test/issuers/one-more", "").await.0, 409);
    }

    async fn a_provider_is_played_with_its_claims_and_its_type(env) {
        let lab = Lab::new(env, CATALOG).await;
        for (preset, alg, typ, subject) in [
            ("github", "RS256", Some("JWT"), "repo:acme/shop:environment:production"),
            ("gitlab", "RS256", Some("JWT"), "project_path:acme/shop:ref_type:branch:ref:main"),
            ("kubernetes", "RS256", None, "system:serviceaccount:jobs:nightly"),
            ("spiffe", "ES256", Some("JWT"), "spiffe://example.org/ns/jobs/sa/nightly"),
        ] {
            let put = format!("PUT /_test/issuers/the-{preset}");
            assert_eq!(lab.ask(&put, &json!({ "preset": preset }).to_string()).await.0, 200);
            let issuer = format!("the-{preset}");
            let made = lab.minted(&json!({ "issuer": issuer })).await;
            let claims = lab.verified(made["access_token"].as_str().unwrap(), ISSUER).await;
            assert_eq!((&claims["sub"], &made["header"]["alg"]), (&json!(subject), &json!(alg)));
            assert_eq!(made["header"]["typ"].as_str(), typ, "{preset}");
            assert!(claims["client_id"].is_null() && claims["scope"].is_null(), "{claims}");
            let other = lab.minted(&json!({
                "issuer": issuer, "audience": "https://other.example", "claims": { "sub": "me" }, "issued_at": "-1h",
            })).await;
            assert_eq!(other["claims"]["sub"], "me");
            assert_eq!(other["claims"]["iat"], START - 3600);
            assert!(other["claims"]["aud"].to_string().contains("https://other.example"));
        }
        let (_, bundle) = lab.ask("GET /_test/issuers/the-spiffe/jwks", "").await;
        assert_eq!(bundle["keys"][0]["use"], "jwt-svid");
        for (member, value) in [("client_id", json!("reader")), ("scope", json!("read")), ("confirmation", json!({}))] {
            let mut wanted = json!({ "issuer": "the-github" });
            wanted[member] = value;
            let (status, told) = lab.ask("POST /_test/tokens", &wanted.to_string()).await;
            assert_eq!((status, &told["at"]), (400, &json!(member)), "{told}");
        }
        for (key, status) in [("unknown", 200), ("retired", 400)] {
            let wanted = json!({ "issuer": "the-github", "key": key }).to_string();
            assert_eq!(lab.ask("POST /_test/tokens", &wanted).await.0, status, "{key}");
        }
    }
}
