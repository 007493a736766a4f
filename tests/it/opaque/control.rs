//! Opaque tokens in `grantd dev`: the control listener makes them, shows what they say, and never shows themselves.

use serde_json::json;

use super::*;
use crate::control::Lab;

on_both! {
    async fn a_test_gets_one_with_what_it_wants_otherwise(env) {
        let lab = Lab::new(env, &catalog()).await;
        let made = lab.minted(&json!({ "claims": { "sub": "somebody", "x": 1 }, "scope": "write" })).await;
        let token = made["access_token"].as_str().unwrap();
        assert!(token.starts_with(OPAQUE_PREFIX));
        assert_eq!(made["header"], json!({}));
        assert_eq!(lab.env.claims(token), made["claims"]);
        let seen = lab.replica.seen(token).await;
        assert_eq!((&seen["active"], &seen["sub"], &seen["x"]), (&json!(true), &json!("somebody"), &json!(1)));
        assert_eq!((&seen["scope"], &made["scope"]), (&json!("write"), &json!("write")));

        let expired = lab.minted(&json!({ "issued_at": "-1h" })).await;
        assert!(!lab.replica.is_active(expired["access_token"].as_str().unwrap()).await);
    }

    async fn what_only_jwts_have_is_refused_with_its_place(env) {
        let lab = Lab::new(env, &catalog()).await;
        for (wanted, place) in [
            (json!({ "header": { "typ": "x" } }), "header"),
            (json!({ "key": "unknown" }), "key"),
            (json!({ "alg": "none" }), "alg"),
        ] {
            let (status, fault) = lab.ask("POST /_test/tokens", &wanted.to_string()).await;
            assert_eq!((status, &fault["at"]), (400, &json!(place)), "{fault}");
        }
        let flawed = json!({ "flaw": "good" }).to_string();
        for (line, body) in [("POST /_test/tokens", flawed.as_str()), ("GET /_test/tokens?audience=pricing", "")] {
            let (status, fault) = lab.ask(line, body).await;
            assert_eq!((status, &fault["at"]), (409, &json!("audience")), "{fault}");
        }
    }

    async fn the_log_of_requests_shows_its_claims_and_not_the_token(env) {
        let lab = Lab::new(env, &catalog()).await;
        let token = lab.replica.issued("reader", READER, "").await;
        assert!(lab.replica.is_active(&token).await);
        lab.replica.token("reader", READER, &format!("&scope={token}")).await;
        lab.replica.token(&token, READER, &format!("&audience={token}")).await;
        let (status, requests) = lab.ask("GET /_test/requests", "").await;
        assert_eq!(status, 200);
        let shown = &requests[0]["token"];
        assert_eq!(shown["claims"], lab.env.claims(&token), "{requests}");
        assert_eq!(shown["jti"], shown["claims"]["jti"]);
        assert_eq!(requests.as_array().unwrap().len(), 4);
        let text = requests.to_string();
        assert!(!text.contains(&token[..20]) && !text.contains(OPAQUE_PREFIX), "{text}");
    }
}
