//! `grantd explain --assertion` of a token of a trusted issuer: which identities of that issuer it fits, and in what it differs
//! from the others.

use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::credential::CredentialState;
use grantd::operations::explain::{ComparedIdentities, explain_assertion};
use serde_json::{Value, json};

use super::cases::assertion::{ID, Keys};
use crate::assertion::signer::{Key, claims};
use crate::federation::{Platform, workload};
use crate::harness::*;

async fn compared(replica: &Replica, token: &str) -> Option<ComparedIdentities> {
    let explained = explain_assertion(&replica.grantd, token).await;
    explained.unwrap().identities
}

/// Each that is told, as `client: claim expected found; …`, or as `client: fits`.
fn told(compared: &ComparedIdentities) -> Vec<String> {
    let one = |it: &grantd::operations::explain::ComparedIdentity| {
        let differs: Vec<String> = it
            .differs
            .iter()
            .map(|it| format!("{} {} {}", it.claim, it.expected, it.found))
            .collect();
        assert_eq!(it.fits, differs.is_empty());
        let text = if it.fits {
            "fits".to_owned()
        } else {
            differs.join("; ")
        };
        format!("{}: {text}", it.client)
    };
    compared.told.iter().map(one).collect()
}

on_both! {
    async fn every_identity_of_the_issuer_is_compared(env) {
        let platform = Platform::ci().await;
        let on = |id: &str, lines: &str| workload(id, "ci", lines);
        let catalog = CATALOG.to_owned()
            + &platform.lines("preset = \"github\"")
            + "[[issuer]]\nid = \"other\"\nurl = \"https://other.example\"\n"
            + &on("two", "subject = \"repo:acme/shop:**\"\nclaims = { ref = \"refs/heads/x\", repository_id = \"75\" }")
            + &on("one", "subject = \"repo:acme/shop:**\"\nclaims = { ref = [\"refs/heads/x\", \"refs/tags/*\"] }")
            + &on("far", "subject = \"repo:else/where:x\"")
            + &on("near", "subject = \"repo:acme/shops:x\"")
            + &on("except", "subject = \"repo:acme/shop:**\"\nexcept = { ref = \"refs/heads/main\" }")
            + &on("right", "subject = \"repo:acme/shop:**\"\nclaims = { ref = \"refs/heads/main\" }")
            + &on("old", "subject = \"repo:acme/**\"")
            + &on("gone", "subject = \"repo:acme/**\"")
            + &workload("guest", "other", "subject = \"repo:acme/**\"");
        env.apply(&catalog).await;
        env.retire(&env.credentials("old").await[0].id, false).await;
        env.prune(&catalog.replace(&on("gone", "subject = \"repo:acme/**\""), "")).await;
        let replica = env.replica().await;
        let found = compared(&replica, &platform.token(&json!({}))).await.unwrap();
        let subject = "repo:acme/shop:ref:refs/heads/main";
        assert_eq!(told(&found), [
            "right: fits".to_owned(),
            "old: fits".to_owned(),
            "except: ref not refs/heads/main refs/heads/main".to_owned(),
            "one: ref refs/heads/x or refs/tags/* refs/heads/main".to_owned(),
            format!("near: sub repo:acme/shops:x {subject}"),
            format!("far: sub repo:else/where:x {subject}"),
            "two: ref refs/heads/x refs/heads/main; repository_id 75 74".to_owned(),
        ]);
        assert_eq!((found.number, found.untold()), (7, 0));
        assert_eq!(found.told[1].state, CredentialState::Retired);
        assert_eq!(found.told[0].state, CredentialState::Live);
        let right = env.credentials("right").await[0].id.clone();
        assert_eq!(found.told[0].credential, right);
        // What a preset demands is told as well, and no signature is needed for any of it.
        let stranger = Key::new(SigningAlgorithm::Es256);
        let token = stranger.sign(&platform.claims(&json!({ "event_name": "pull_request_target" })));
        let found = compared(&replica, &token).await.unwrap();
        assert!(found.told.iter().all(|it| !it.fits), "{found:?}");
        assert_eq!(found.told[0].differs[0].claim, "event_name");
        // Another issuer's are others.
        let token = platform.token(&json!({ "iss": "https://other.example" }));
        assert_eq!(told(&compared(&replica, &token).await.unwrap()), ["guest: fits"]);
    }

    async fn so_many_are_told_as_somebody_can_read(env) {
        let platform = Platform::ci().await;
        let mut catalog = CATALOG.to_owned() + &platform.lines("");
        for number in 0..25 {
            let lines = format!("subject = \"repo:acme/shop:**\"\nclaims = {{ repository_id = \"{number}\" }}");
            catalog += &workload(&format!("job-{number:02}"), "ci", &lines);
        }
        for number in 0..12 {
            catalog += &workload(&format!("fits-{number:02}"), "ci", "subject = \"repo:acme/shop:**\"");
        }
        env.apply(&catalog).await;
        let replica = env.replica().await;
        let found = compared(&replica, &platform.token(&json!({}))).await.unwrap();
        assert_eq!((found.number, found.told.len(), found.untold()), (37, 22, 15));
        let fitting = found.told.iter().take_while(|it| it.fits).count();
        assert_eq!(fitting, 12);
        let json = json!(explain_assertion(&replica.grantd, &platform.token(&json!({}))).await.unwrap());
        assert_eq!(json["identities"].as_array().unwrap().len(), 22);
        assert_eq!(json["identities_compared"], 37);
        let last = &json["identities"][21];
        assert_eq!((&last["client"], &last["fits"], &last["state"]), (&json!("job-09"), &json!(false), &json!("live")));
        assert_eq!(last["differs"], json!([{ "claim": "repository_id", "expected": "9", "found": "74" }]));
        // As pages of them are read.
        let issuer = &env.store.load_issuers().await.unwrap().value[0].id;
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = env.store.identities_after(issuer, after.as_ref(), 10).await.unwrap();
            seen.extend(page.iter().map(|(client, _)| client.to_string()));
            after = page.last().cloned();
            if page.len() < 10 {
                break;
            }
        }
        assert_eq!(seen.len(), 37);
        assert!(seen.is_sorted(), "{seen:?}");
    }

    async fn what_is_no_token_of_a_trusted_issuer_has_none(env) {
        let platform = Platform::ci().await;
        let keys = Keys::register(&env).await;
        env.apply(&(CATALOG.to_owned() + &platform.lines(""))).await;
        let replica = env.replica().await;
        let own = keys.own.sign(&claims(ID, "a jti"));
        for token in [own, platform.token(&json!({ "iss": "https://nobody.example" })), "no token".to_owned()] {
            assert_eq!(compared(&replica, &token).await, None);
            let json = json!(explain_assertion(&replica.grantd, &token).await.unwrap());
            assert_eq!(json.get("identities"), None::<&Value>);
        }
        let found = compared(&replica, &platform.token(&json!({}))).await.unwrap();
        assert_eq!((found.number, found.told), (0, vec![]));
    }
}
