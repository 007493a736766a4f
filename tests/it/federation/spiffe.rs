//! JWT-SVIDs of SPIFFE (FED-16).

use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::{Value, json};

use super::{Platform, asks, with_deploy, workload};
use crate::harness::{CATALOG, Replica, form_encoded, on_both};
use crate::key_sources::publisher::Manner;

const DOMAIN: &str = "spiffe://example.org";
const NIGHTLY: &str = "spiffe://example.org/ns/jobs/sa/nightly";

async fn mesh() -> Platform {
    let platform = Platform::new("mesh", DOMAIN, SigningAlgorithm::Es256).await;
    platform.publisher.now(bundle(&platform, "jwt-svid"));
    platform
}

/// The bundle of the domain, whose key is for that.
fn bundle(platform: &Platform, purpose: &str) -> Manner {
    let mut key = platform.key.jwk();
    key.insert("use".to_owned(), json!(purpose));
    let document = json!({ "keys": [key], "spiffe_sequence": 1, "spiffe_refresh_hint": 300 });
    Manner::Says("content-type: application/json\r\n", document.to_string())
}

fn svid(platform: &Platform, changes: &Value) -> String {
    let svid = json!({ "iss": null, "jti": null, "sub": NIGHTLY });
    let claims = super::changed(&platform.claims(&svid), changes);
    platform.key.sign(&claims)
}

async fn started(env: &crate::harness::Env, platform: &Platform) -> Replica {
    let catalog = CATALOG.to_owned()
        + &platform.lines("preset = \"spiffe\"")
        + &workload("nightly", "mesh", &format!("subject = \"{NIGHTLY}\""));
    env.apply(&catalog).await;
    env.replica().await
}

on_both! {
    /// FED-16: `sub` says whose it is, with an `iss` or without one.
    async fn an_svid_proves_its_workload(env) {
        let platform = mesh().await;
        let replica = started(&env, &platform).await;
        for changes in [json!({}), json!({ "iss": "https://oidc.example.org" }), json!({ "iss": DOMAIN })] {
            let answer = asks(&replica, &svid(&platform, &changes), "").await;
            assert_eq!(answer.status, 200, "{changes}: {answer:?}");
        }
        // Its libraries send their ID as client_id, and the type of the draft.
        let named = format!("&client_id={}", form_encoded(NIGHTLY));
        assert_eq!(asks(&replica, &svid(&platform, &json!({})), &named).await.status, 200);
        let form = format!(
            "grant_type=client_credentials&client_assertion_type={}&client_assertion={}",
            form_encoded("urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"),
            svid(&platform, &json!({})),
        );
        assert_eq!(replica.post("/oauth2/token", &[], &form).await.status, 200);
    }

    /// FED-16.
    async fn whatever_is_no_id_of_the_domain_proves_nothing(env) {
        let platform = mesh().await;
        let replica = started(&env, &platform).await;
        for sub in [
            "spiffe://other.example/ns/jobs/sa/nightly",
            "spiffe://example.org/ns/jobs/sa/nightly/more",
            "spiffe://example.org/ns/jobs/sa/other",
            "spiffe://example.org",
            "spiffe://example.org/ns//nightly",
            "spiffe://EXAMPLE.org/ns/jobs/sa/nightly",
            "nightly",
        ] {
            for iss in [json!(null), json!(DOMAIN)] {
                let token = svid(&platform, &json!({ "sub": sub, "iss": iss }));
                asks(&replica, &token, "").await.assert_error(401, "invalid_client");
            }
        }
    }

    /// FED-16: a key of the bundle for X.509-SVIDs signs no token.
    async fn a_key_for_certificates_verifies_no_svid(env) {
        let platform = mesh().await;
        platform.publisher.now(bundle(&platform, "x509-svid"));
        let replica = started(&env, &platform).await;
        asks(&replica, &svid(&platform, &json!({})), "").await.assert_error(503, "temporarily_unavailable");
        let degraded = replica.grantd.degraded();
        assert!(degraded[0].message.contains("no key that verifies"), "{degraded:?}");
    }

    /// The type of JWT-SVIDs takes nothing else.
    async fn the_type_of_svids_takes_svids_alone(env) {
        let platform = Platform::ci().await;
        env.apply(&with_deploy(&platform)).await;
        let replica = env.replica().await;
        let form = format!(
            "grant_type=client_credentials&client_assertion_type={}&client_assertion={}",
            form_encoded("urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"),
            platform.token(&json!({})),
        );
        replica.post("/oauth2/token", &[], &form).await.assert_error(401, "invalid_client");
    }
}
