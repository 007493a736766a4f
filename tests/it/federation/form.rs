//! What a foreign token must be, by itself.

use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::check::Check;
use grantd::domain::timestamp::Seconds;
use grantd::operations::explain::explain_recorded;
use serde_json::json;

use super::{CI, Platform, asks, with_deploy, workload};
use crate::assertion::signer::Key;
use crate::harness::{CATALOG, ISSUER, READER, START, on_both};
use crate::key_sources::publisher::Manner;

on_both! {
    /// FED-02: a key verifies the tokens of its own issuer alone, whatever it is called and wherever it is published.
    async fn no_key_of_another_issuer_counts(env) {
        let (ci, mut other) = (Platform::ci().await, Platform::new("other", "https://other.example", SigningAlgorithm::Es256).await);
        let identity = "subject = \"repo:acme/shop:**\"";
        let catalog = CATALOG.to_owned() + &ci.lines("") + &other.lines("")
            + &workload("deploy", "ci", identity) + &workload("stranger", "other", identity);
        env.apply(&catalog).await;
        let replica = env.replica().await;
        // The same kid, another key.
        let header = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, ci.key.kid());
        let crossed = other.key.sign_raw(&header, &ci.claims(&json!({})).to_string());
        asks(&replica, &crossed, "").await.assert_error(401, "invalid_client");
        assert_eq!(asks(&replica, &ci.token(&json!({})), "").await.status, 200);
        // Nor is it the client of another issuer's identity, though it names that client.
        let named = asks(&replica, &ci.token(&json!({})), "&client_id=stranger").await;
        named.assert_error(401, "invalid_client");
        // Two issuers with one set of keys: `iss` decides who it is.
        other.publisher.now(Manner::keys(&[&ci.key]));
        other.key = ci.key;
        let both = asks(&replica, &other.token(&json!({})), "").await;
        let (_, claims) = crate::harness::decoded(both.json()["access_token"].as_str().unwrap());
        assert_eq!(claims["client_id"], "stranger");
    }

    /// A file that a shell wrote is sent as it is: refused, for nothing else than the token is one, and told by what it is.
    async fn what_stands_around_a_token_is_told(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let replica = env.replica().await;
        let token = platform.token(&json!({}));
        let blank = "one with a space or tab at its beginning or end";
        let line_break = "one with a line break at its beginning or end";
        for (sent, found, remedy) in [
            (format!("{token}%0A"), line_break, "let the client cut it off"),
            (format!("%0D%0A{token}"), line_break, "let the client cut it off"),
            (format!("{token}%20"), blank, "let the client cut the blanks off"),
            (format!("%09{token}%20"), blank, "let the client cut the blanks off"),
            (format!("{token}%00"), "the signature is not base64url", "with nothing around"),
            ("a.b%0A".to_owned(), "not three parts separated by dots", "with nothing around"),
        ] {
            let answer = asks(&replica, &sent, "").await;
            answer.assert_error(401, "invalid_client");
            let id = answer.headers["x-request-id"].to_str().unwrap().parse().unwrap();
            replica.grantd.write_waiting().await;
            let explained = explain_recorded(&env.store, id).await.unwrap().unwrap();
            let failed = explained.failed().unwrap();
            assert_eq!((failed.check, failed.found.as_deref()), (Check::AssertionForm, Some(found)), "{sent:.12}");
            assert!(explained.remedy.as_deref().unwrap().contains(remedy), "{explained:?}");
        }
        assert_eq!(asks(&replica, &token, "").await.status, 200, "nothing of it was spent");
    }

    /// FED-04, FED-05: the domain's tests say more thoroughly.
    async fn audience_and_times_are_judged(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let replica = env.replica().await;
        let endpoint = format!("{ISSUER}/oauth2/token");
        for changes in [
            json!({ "aud": null }),
            json!({ "aud": endpoint }),
            json!({ "aud": [ISSUER, "https://other.example"] }),
            json!({ "aud": "https://other.example" }),
            json!({ "exp": START - 20 }),
            json!({ "exp": null }),
            json!({ "exp": START + 3601 }),
            json!({ "iat": START + 20 }),
            json!({ "nbf": START + 20 }),
            json!({ "sub": null }),
            json!({ "jti": 7 }),
        ] {
            let answer = asks(&replica, &platform.token(&changes), "").await;
            answer.assert_error(401, "invalid_client");
        }
        assert_eq!(asks(&replica, &platform.token(&json!({ "aud": [ISSUER] })), "").await.status, 200);
    }

    /// What the catalog says of an issuer takes the place of what is usual.
    async fn an_issuer_has_rules_of_its_own(env) {
        let platform = Platform::ci().await;
        let rules = "audience = \"api://grantd\"\nmax_lifetime = \"10m\"\nalgorithms = [\"RS256\"]";
        let catalog = with_deploy(&platform).replace("url = \"https://ci.example\"", &format!("url = \"https://ci.example\"\n{rules}"));
        env.apply(&catalog).await;
        let replica = env.replica().await;
        let token = platform.token(&json!({ "aud": "api://grantd" }));
        asks(&replica, &token, "").await.assert_error(401, "invalid_client");
        env.apply(&catalog.replace("\"RS256\"", "\"ES256\"")).await;
        replica.follow().await;
        for (changes, status) in [
            (json!({ "aud": "api://grantd" }), 200),
            (json!({ "aud": ISSUER }), 401),
            (json!({ "aud": "api://grantd", "exp": START + 601 }), 401),
        ] {
            let answer = asks(&replica, &platform.token(&changes), "").await;
            assert_eq!(answer.status, status, "{changes}");
        }
    }

    /// FED-09: no place that a token names is ever asked, and no key that it brings counts.
    async fn what_a_header_brings_is_ignored(env) {
        let (platform, stranger) = (Platform::ci().await, Platform::new("stranger", CI, SigningAlgorithm::Es256).await);
        env.apply(&with_deploy(&platform)).await;
        let replica = env.replica().await;
        let claims = platform.claims(&json!({})).to_string();
        let url = stranger.publisher.url();
        let jwk = json!(stranger.key.jwk());
        for more in [
            format!(r#","jku":"{url}""#),
            format!(r#","x5u":"{url}""#),
            format!(r#","jwk":{jwk}"#),
            format!(r#","jku":"{url}","jwk":{jwk},"x5c":["MIIB"]"#),
        ] {
            let header = format!(r#"{{"alg":"ES256","kid":"{}"{more}}}"#, platform.key.kid());
            let forged = stranger.key.sign_raw(&header, &claims);
            asks(&replica, &forged, "").await.assert_error(401, "invalid_client");
        }
        assert_eq!(stranger.publisher.fetches(), 0);
        assert_eq!(platform.publisher.fetches(), 1);
    }

    /// FED-17.
    async fn an_access_token_is_no_identity(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let replica = env.replica().await;
        let ours = replica.issued("reader", READER, "").await;
        asks(&replica, &ours, "").await.assert_error(401, "invalid_client");
        for typ in ["at+jwt", "application/at+jwt", "dpop+jwt", "jwt", ""] {
            let header = platform.key.header(&format!(r#","typ":"{typ}""#));
            let token = platform.key.sign_raw(&header, &platform.claims(&json!({})).to_string());
            asks(&replica, &token, "").await.assert_error(401, "invalid_client");
        }
        for more in ["", r#","typ":"JOSE""#] {
            let header = platform.key.header(more);
            let token = platform.key.sign_raw(&header, &platform.claims(&json!({})).to_string());
            assert_eq!(asks(&replica, &token, "").await.status, 200, "{more}");
        }
    }

    /// Whatever its key is for, an issuer signs by its own algorithms alone.
    async fn an_algorithm_counts_where_issuer_and_key_have_it(env) {
        let platform = Platform::new("ci", CI, SigningAlgorithm::Rs256).await;
        env.apply(&with_deploy(&platform)).await;
        let replica = env.replica().await;
        assert_eq!(asks(&replica, &platform.token(&json!({})), "").await.status, 200);
        let claims = platform.claims(&json!({})).to_string();
        for alg in ["none", "HS256", "RS384", "RS512", "ES256"] {
            let header = format!(r#"{{"alg":"{alg}","kid":"{}"}}"#, platform.key.kid());
            let token = platform.key.sign_raw(&header, &claims);
            asks(&replica, &token, "").await.assert_error(401, "invalid_client");
        }
        // Without a kid there must be one key; the second makes it unclear.
        let header = r#"{"alg":"RS256"}"#;
        let bare = platform.key.sign_raw(header, &platform.claims(&json!({})).to_string());
        assert_eq!(asks(&replica, &bare, "").await.status, 200);
        let second = Key::new(SigningAlgorithm::Rs256);
        platform.publisher.now(Manner::keys(&[&platform.key, &second]));
        env.clock.advance(Seconds::new(3600));
        replica.follow().await;
        replica.grantd.refresh_key_sources().await;
        let bare = platform.key.sign_raw(header, &platform.claims(&json!({ "iat": START + 3600, "exp": START + 3700 })).to_string());
        asks(&replica, &bare, "").await.assert_error(401, "invalid_client");
    }
}
