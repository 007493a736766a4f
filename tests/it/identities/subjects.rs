//! Which clients a foreign subject may be: found in memory, and true to every change that the feed tells of.

use grantd::domain::credential::{CredentialMaterial, StatedCredential, StatedSecret};
use grantd::domain::identifier::{ClientId, CredentialId, IssuerId};
use grantd::domain::identity::Identity;
use grantd::domain::timestamp::Timestamp;
use grantd::store::feed::{Change, ChangeKind};
use serde_json::json;

use super::{catalog, stored};
use crate::catalogs::{client, identity, reads};
use crate::harness::*;

/// The clients of a subject of `ci`.
async fn found(replica: &Replica, subject: &str) -> Vec<String> {
    of_issuer(replica, "ci", subject).await
}

async fn of_issuer(replica: &Replica, issuer: &str, subject: &str) -> Vec<String> {
    let issuer = IssuerId::parse(issuer).unwrap();
    let directory = replica.grantd.directory();
    let clients = directory
        .clients_of_subject(&issuer, subject)
        .await
        .unwrap();
    clients.iter().map(ToString::to_string).collect()
}

/// `release`, beside the others of a catalog.
fn release(lines: &str) -> String {
    let tables = [identity(lines), reads("pricing").concat()];
    client("release", "auth = \"private_key_jwt\"", &tables)
}

/// Identities of `deploy`, number by number, written at once.
async fn write_many(env: &Env, numbers: std::ops::Range<usize>) {
    let id = ClientId::parse("deploy").unwrap();
    let credential = |number: usize| {
        let document = json!({ "issuer": "ci", "subject": format!("job:{number}") });
        let identity: Identity = serde_json::from_value(document).unwrap();
        let material = CredentialMaterial::<StatedSecret>::Identity(Box::new(identity.clone()));
        let kept = CredentialMaterial::Identity(Box::new(identity));
        let credential_id = CredentialId::parse(&format!("{number:0>10}")).unwrap();
        let stated = StatedCredential::from(material);
        (
            id.clone(),
            stated.registered((credential_id, kept), Timestamp::EPOCH),
        )
    };
    let all: Vec<_> = numbers.map(credential).collect();
    let mut change = env.store.begin_change("many".to_owned()).await.unwrap();
    change.put_credentials(&all).await.unwrap();
    change.commit().await.unwrap();
}

on_both! {
    async fn exact_subjects_and_patterns_lead_to_their_clients(env) {
        let stated = catalog(&["subject = \"repo:acme/shop:main\"\nclaims = { never = \"so\" }", "subject = \"job:*\""]);
        env.apply(&(stated + &release("subject = \"repo:acme/**\""))).await;
        let replica = env.replica().await;
        for (subject, clients) in [
            ("repo:acme/shop:main", vec!["deploy", "release"]),
            ("repo:acme/other", vec!["release"]),
            ("job:1", vec!["deploy"]),
            ("job:1:2", vec![]),
            ("repo:acme", vec![]),
            ("Repo:acme/shop:main", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(found(&replica, subject).await, clients, "{subject}");
        }
        assert!(of_issuer(&replica, "other", "job:1").await.is_empty());
    }

    /// A change of one replica is known to the others as soon as the feed tells of it, and to itself at once.
    async fn a_change_of_an_identity_is_followed_by_every_replica(env) {
        env.apply(&catalog(&["subject = \"job:1\""])).await;
        let replicas = [env.replica().await, env.replica().await];
        for replica in &replicas {
            assert_eq!(found(replica, "job:1").await, ["deploy"]);
        }
        for (stated, one, two) in [
            (catalog(&["subject = \"job:2\""]), vec![], vec!["deploy"]),
            (catalog(&["subject = \"job:2\""]) + &release("subject = \"job:*\""), vec!["release"], vec!["deploy", "release"]),
            (catalog(&["subject = \"job:1\"", "subject = \"job:2\""]), vec!["deploy"], vec!["deploy"]),
            (CATALOG.to_owned(), vec![], vec![]),
            (catalog(&["subject = \"job:1\""]), vec!["deploy"], vec![]),
        ] {
            env.prune(&stated).await;
            for replica in &replicas {
                replica.follow().await;
                assert_eq!(found(replica, "job:1").await, one, "{stated}");
                assert_eq!(found(replica, "job:2").await, two, "{stated}");
            }
        }
        // A dead one leads there all the same, so that the refusal can say why.
        let id = stored(&env).await[0].id.clone();
        env.retire(&id, true).await;
        replicas[0].follow().await;
        assert_eq!(found(&replicas[0], "job:1").await, ["deploy"]);
    }

    /// Of more identities than are read at once none is left out, and none is found twice.
    async fn very_many_are_read_page_by_page(env) {
        env.apply(&catalog(&["subject = \"job:x\""])).await;
        let replica = env.replica().await;
        write_many(&env, 0..20_001).await;
        replica.follow().await;
        for number in [0, 9_999, 10_000, 10_001, 19_999, 20_000] {
            assert_eq!(found(&replica, &format!("job:{number}")).await, ["deploy"]);
        }
        assert_eq!(found(&replica, "job:x").await, ["deploy"]);
        assert!(found(&replica, "job:20001").await.is_empty());
    }

    /// After more changes than are remembered, and after everything was forgotten, it is loaded anew.
    async fn what_was_forgotten_is_read_again(env) {
        env.apply(&catalog(&["subject = \"job:1\""])).await;
        let replica = env.replica().await;
        assert_eq!(found(&replica, "job:1").await, ["deploy"]);
        write_many(&env, 5..6).await;
        let changes = (0..5_000).map(|number| Change {
            kind: ChangeKind::Client,
            key: format!("client-{number}"),
        });
        replica.grantd.directory().forget(1, &changes.collect::<Vec<_>>());
        assert_eq!(found(&replica, "job:5").await, ["deploy"]);
        write_many(&env, 6..7).await;
        replica.grantd.directory().forget_all();
        assert_eq!(found(&replica, "job:6").await, ["deploy"]);
    }
}
