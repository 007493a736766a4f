//! Workloads on a laptop: a catalog trusts issuers that play the platforms, and their tokens prove its clients.

use serde_json::json;

use super::*;
use crate::catalogs::{client, reads};
use crate::federation::asks;

/// A platform that is played: what its identity pins, and one claim that makes a token another workload's.
struct Played {
    preset: &'static str,
    identity: &'static str,
    other: Value,
}

fn all() -> [Played; 4] {
    [
        Played {
            preset: "github",
            identity: "subject = \"repo:acme/shop:environment:production\"\nclaims = { repository_id = \"74\" }",
            other: json!({ "repository_id": "75" }),
        },
        Played {
            preset: "gitlab",
            identity: "subject = \"project_path:acme/shop:ref_type:branch:ref:main\"\nclaims = { ref_protected = \"true\" }",
            other: json!({ "ref_protected": "false" }),
        },
        Played {
            preset: "kubernetes",
            identity: "subject = \"system:serviceaccount:jobs:nightly\"\n\
                claims.\"kubernetes.io\".serviceaccount.uid = \"14ee3fa4-a7e2-420f-9f9a-dbc4507c3798\"",
            other: json!({ "sub": "system:serviceaccount:jobs:default" }),
        },
        Played {
            preset: "spiffe",
            identity: "subject = \"spiffe://example.org/ns/jobs/sa/nightly\"",
            other: json!({ "sub": "spiffe://example.org/ns/jobs/sa/weekly" }),
        },
    ]
}

impl Lab {
    /// Makes an issuer that plays a platform, and applies a catalog that trusts it, by its URL alone but for SPIFFE, whose
    /// bundles are anywhere; the client is called as the issuer.
    async fn trust(&self, played: &Played) {
        let preset = played.preset;
        let put = format!("PUT /_test/issuers/{preset}");
        let (status, card) = self
            .ask(&put, &json!({ "preset": preset }).to_string())
            .await;
        assert_eq!(status, 200, "{card}");
        let place = match preset {
            "spiffe" => format!(
                "url = \"spiffe://example.org\"\nkeys = {}",
                card["jwks_uri"]
            ),
            _ => format!("url = {}", card["issuer"]),
        };
        let identity = format!(
            "auth = \"private_key_jwt\"\n[[client.identity]]\nissuer = \"{preset}\"\n{}\n",
            played.identity
        );
        let issuer = format!("[[issuer]]\nid = \"{preset}\"\npreset = \"{preset}\"\n{place}\n");
        let catalog = issuer + &client(&format!("of-{preset}"), &identity, &reads("pricing"));
        let (status, plan) = self
            .ask_typed("POST /_test/catalog", "text/plain", &catalog)
            .await;
        assert_eq!(status, 200, "{plan}");
        self.replica.follow().await;
    }

    /// The status that a token of the platform gets, with claims that differ.
    async fn asks_by(&self, played: &Played, claims: &Value) -> u16 {
        let wanted = json!({ "issuer": played.preset, "claims": claims });
        let token = self.minted(&wanted).await["access_token"].clone();
        let token = token.as_str().unwrap();
        asks(&self.replica, token, "").await.status.as_u16()
    }
}

on_both! {
    async fn a_platform_that_is_played_proves_its_workload_and_nobody_elses(env) {
        let lab = Lab::new(env, CATALOG).await;
        lab.open();
        for played in all() {
            lab.trust(&played).await;
            assert_eq!(lab.asks_by(&played, &json!({})).await, 200, "{}", played.preset);
            assert_eq!(lab.asks_by(&played, &played.other).await, 401, "{}", played.preset);
            // A test sees why.
            let refused = lab.requests("?endpoint=token").await.pop().unwrap();
            let (name, value) = played.other.as_object().unwrap().iter().next().unwrap();
            assert_eq!(refused["check"]["name"], "identity", "{refused}");
            let found = refused["check"]["found"].as_str().unwrap();
            // Of a subject that is nobody's there is nothing to compare.
            let differs = format!("{name} {}, ", value.as_str().unwrap());
            assert!(found.contains(&differs), "{found}");
        }
    }

    /// Whoever makes the issuer again for the next test waits for no verifier to take another key.
    async fn a_reset_leaves_the_keys_that_verifiers_know(env) {
        let lab = Lab::new(env, CATALOG).await;
        lab.open();
        let [played, ..] = all();
        for _ in 0..2 {
            lab.trust(&played).await;
            assert_eq!(lab.asks_by(&played, &json!({})).await, 200);
            assert_eq!(lab.ask("POST /_test/reset", "").await.0, 204);
        }
        lab.replica.follow().await;
        let made_again = lab.ask("PUT /_test/issuers/github", "{\"preset\":\"github\"}").await;
        assert_eq!(made_again.0, 200);
        assert_eq!(lab.asks_by(&played, &json!({})).await, 401, "its catalog is gone");
    }

    /// As a platform rotates: a new key is asked for ten seconds after the last fetch, and the clock of a test makes them
    /// pass.
    async fn another_key_of_an_issuer_counts_when_its_keys_are_asked_for_again(env) {
        let lab = Lab::new(env, CATALOG).await;
        lab.open();
        let [.., played, _] = all();
        lab.trust(&played).await;
        assert_eq!(lab.asks_by(&played, &json!({})).await, 200);
        let by_another = async || {
            let made = lab.minted(&json!({ "issuer": played.preset, "alg": "ES256" })).await;
            let token = made["access_token"].as_str().unwrap().to_owned();
            asks(&lab.replica, &token, "").await.status.as_u16()
        };
        assert_eq!(by_another().await, 401);
        lab.advance("10s").await;
        assert_eq!(by_another().await, 200);
    }
}
