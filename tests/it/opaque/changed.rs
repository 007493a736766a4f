//! OPQ-02: what is not exactly what the server sealed is inactive, and looks like garbage.

use grantd::crypto::random::random_bytes;
use grantd::crypto::sealing::{SealingKey, SealingKeys};
use serde_json::json;

use super::*;
use crate::catalogs::{audience, by_secret, reads};

/// The secret of `ledger`, which serves another audience and gets tokens for both.
const LEDGER: &str = "ledger secret of tests";

fn two_apis() -> String {
    let billing = audience(
        "billing",
        "read",
        "served_by = [\"ledger\"]\nformat = \"opaque\"",
    );
    let policies = [reads("pricing"), reads("billing")].concat();
    catalog() + &billing + &by_secret("ledger", LEDGER, &policies)
}

on_both! {
    /// OPQ-02: every byte counts, and so does the end.
    async fn a_token_that_was_changed_anywhere_is_inactive(env) {
        env.apply(&two_apis()).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let garbage = replica.introspect("api", API, "garbage").await.same();
        let bytes = sealed(&token);
        let text = token.strip_prefix(OPAQUE_PREFIX).unwrap();
        let mut wrong: Vec<String> = (0..bytes.len())
            .map(|at| {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << (at % 8);
                token_of(&changed)
            })
            .collect();
        wrong.extend([
            token_of(&bytes[..bytes.len() - 1]),
            token_of(&bytes[..40]),
            token_of(&[&bytes[..], &[0]].concat()),
            token_of(&random_bytes::<400>()),
            format!("{token}A"),
            format!("{token}."),
            format!("grantd_{text}"),
            format!("grantd_ax_{text}"),
            format!("Grantd_at_{text}"),
            format!("grantd_at__{text}"),
            text.to_owned(),
            OPAQUE_PREFIX.to_owned(),
            format!("{OPAQUE_PREFIX}{token}"),
            format!("{OPAQUE_PREFIX}{}", "a".repeat(10 * 1024)),
        ]);
        for token in wrong {
            let answer = replica.introspect("api", API, &form_encoded(&token)).await;
            assert_eq!(answer.same(), garbage, "{token}");
        }
        assert!(replica.is_active(&token).await);
    }

    /// OPQ-02: who does not serve its audience learns nothing, whatever else that client is.
    async fn the_token_of_another_audience_is_inactive(env) {
        env.apply(&two_apis()).await;
        let replica = env.replica().await;
        let garbage = replica.introspect("api", API, "garbage").await.same();
        let billing = replica.issued("ledger", LEDGER, "&audience=billing").await;
        let pricing = replica.issued("ledger", LEDGER, "&audience=pricing").await;
        assert_eq!(replica.introspect("api", API, &billing).await.same(), garbage);
        assert_eq!(replica.introspect("ledger", LEDGER, &pricing).await.same(), garbage);
        assert_eq!(replica.introspect("ledger", LEDGER, &billing).await.json()["active"], true);
        // Head of one, boxes of the other: both are of one key and one issuer.
        let (billing, pricing) = (sealed(&billing), sealed(&pricing));
        for head in [21, 33] {
            let spliced = [&billing[..head], &pricing[head..]].concat();
            assert_eq!(replica.introspect("api", API, &token_of(&spliced)).await.same(), garbage);
        }
    }

    /// Whoever has no sealing key makes none, whatever it knows of the form.
    async fn what_another_server_sealed_is_inactive(env) {
        env.apply(&catalog()).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let claims = env.claims(&token);
        let content = claims.to_string();
        let again = env.tokens().seal("pricing", content.as_bytes()).unwrap();
        assert!(replica.is_active(&again).await, "what the server could have sealed itself");

        let strange = SealingKeys::new(SealingKey::generate());
        let mut other_audience = claims.clone();
        other_audience["aud"] = "billing".into();
        let mut other_issuer = claims.clone();
        other_issuer["iss"] = "https://other.example".into();
        let ours = env.tokens();
        for token in [
            OpaqueTokens::new(ISSUER, &strange).seal("pricing", content.as_bytes()),
            OpaqueTokens::new("https://other.example", &env.sealing).seal("pricing", content.as_bytes()),
            ours.seal("billing", content.as_bytes()),
            ours.seal("pricing", other_audience.to_string().as_bytes()),
            ours.seal("pricing", other_issuer.to_string().as_bytes()),
            ours.seal("pricing", json!({ "iss": ISSUER }).to_string().as_bytes()),
            ours.seal("pricing", b"no JSON"),
            ours.seal("pricing", b""),
        ] {
            assert!(!replica.is_active(&token.unwrap()).await);
        }
    }

    /// What is in force at the API is the token that it got, so no form stands in for the other.
    async fn a_jwt_within_the_prefix_and_a_sealed_token_without_are_none(env) {
        env.apply(&(two_apis().replacen("format = \"opaque\"\n", "", 1))).await;
        let replica = env.replica().await;
        let jwt = replica.issued("reader", READER, "").await;
        assert!(replica.is_active(&jwt).await);
        let sealed = replica.issued("ledger", LEDGER, "&audience=billing").await;
        for wrong in [
            format!("{OPAQUE_PREFIX}{jwt}"),
            format!("{jwt}{sealed}"),
            format!("{sealed}{jwt}"),
            token_of(jwt.as_bytes()),
        ] {
            assert!(!replica.is_active(&wrong).await, "{wrong}");
        }
    }
}
