//! Identities in a catalog: what may stand there, what a plan tells of them, and what an export writes.

use grantd::config::catalog::{Catalog, CatalogOptions};
use grantd::operations::apply_catalog::Action;
use serde_json::json;

use super::{catalog, stored};
use crate::assertion::signer::Key;
use crate::catalogs::{client, reads};
use crate::harness::*;

const SHOP: &str =
    "subject = \"repo:acme/shop:**\"\nclaims = { ref = [\"refs/tags/v*\", \"refs/heads/main\"] }";

on_both! {
    async fn what_cannot_be_an_identity_is_refused_where_it_stands(env) {
        for (lines, why) in [
            ("subject = \"\"", "subject: a pattern has 1 to 1024 bytes"),
            ("subject = \"a***\"", "identity: subject: write * "),
            ("claims = {}", "identity: subject: this key is required and missing; write the `sub`"),
            ("subject = \"a\"\nclaims = { ref = [] }", "identity: claims: ref: name at least one value"),
            ("subject = \"a\"\nclaims = { ref = [[\"b\"]] }", "claims: ref: a claim is compared with text"),
            ("subject = \"a\"\nexcept = { a.b = {} }", "except: a.b: name at least one value"),
            ("subject = \"a\"\nclaims = { at = 2026-01-01T00:00:00Z }", "claims.at: "),
            ("subject = \"a\"\nclaim = { ref = \"b\" }", "the nearest known one is `claims`"),
            ("subject = \"a\"\nid = \"k3v9x0q2ma\"", "identity: id: "),
            ("subject = \"a\"\nlabel = \"\"", "identity: label: "),
        ] {
            let error = env.try_apply(&catalog(&[lines]), false).await.unwrap_err();
            assert!(error.starts_with("test.toml:") && error.contains(why), "{why}: {error}");
        }
        let unnamed = catalog(&["subject = \"a\""]).replace("issuer = \"ci\"", "issuer = \"C I\"");
        let error = env.try_apply(&unnamed, false).await.unwrap_err();
        assert!(error.contains("client \"deploy\": identity: issuer: a trusted issuer is called by"), "{error}");
        assert!(stored_nothing(&env).await);
    }

    async fn only_a_client_of_private_key_jwt_has_identities_and_nobody_registers_federated(env) {
        let stated = catalog(&[SHOP]);
        let by_secret = stated.replace("auth = \"private_key_jwt\"", "auth = \"client_secret_basic\"");
        let error = env.try_apply(&by_secret, false).await.unwrap_err();
        assert!(error.contains("add private_key_jwt to its auth"), "{error}");
        let registered = stated.replace("auth = \"private_key_jwt\"", "auth = [\"private_key_jwt\", \"federated\"]");
        let error = env.try_apply(&registered, false).await.unwrap_err();
        assert!(error.contains("write private_key_jwt, as which a foreign token is presented"), "{error}");
        let conditioned = stated.clone() + "methods = [\"federated\"]\n";
        env.apply(&conditioned).await;
        let never = CATALOG.replace("auth = \"client_secret_basic\"", "auth = \"client_secret_basic\"\n") + &client(
            "other",
            "secret = \"another secret 12\"",
            &[reads("pricing").concat() + "methods = [\"federated\"]\n"],
        );
        let error = env.try_apply(&never, false).await.unwrap_err();
        assert!(error.contains("this policy would never hold"), "{error}");
    }

    /// However it is written.
    async fn the_same_identity_twice_is_refused(env) {
        let again = "subject = \"repo:acme/shop:**\"\nclaims = { ref = [\"refs/heads/main\", \"refs/tags/v*\"] }";
        let error = env.try_apply(&catalog(&[SHOP, again]), false).await.unwrap_err();
        assert!(error.contains("deploy has this identity already"), "{error}");
        env.apply(&catalog(&[SHOP, "subject = \"repo:acme/shop\""])).await;
        assert_eq!(stored(&env).await.len(), 2);
        let plan = env.apply(&catalog(&[again, "subject = \"repo:acme/shop\"\nclaims = {}"])).await;
        assert_eq!(plan.changes(), 0, "{plan:?}");
    }

    /// What proves never changes: another identity is another credential, and a plan tells both whole.
    async fn a_changed_identity_is_a_new_credential(env) {
        env.apply(&catalog(&[SHOP])).await;
        let [before] = &stored(&env).await[..] else { panic!("one") };
        let labelled = format!("{SHOP}\nlabel = \"shop\"");
        let plan = env.apply(&catalog(&[&labelled])).await;
        let changed: Vec<_> = plan.steps.iter().filter(|it| it.action.as_str() == "changed").collect();
        let [step] = changed[..] else { panic!("{plan:?}") };
        assert_eq!((step.changes[0].key.as_str(), &step.changes[0].new), ("label", &Some(json!("shop"))));

        let plan = env.prune(&catalog(&["subject = \"repo:acme/shop:**\"\nclaims = { ref = \"refs/heads/main\" }"])).await;
        let told = |action: &str, subject: &str| {
            let step = plan.steps.iter().find(|it| (it.action.as_str(), it.subject.as_str()) == (action, subject));
            let step = step.unwrap_or_else(|| panic!("{plan:?}"));
            let keys = step.changes.iter().map(|it| (it.key.clone(), [it.old.clone(), it.new.clone()]));
            (step.name.clone(), keys.collect::<std::collections::BTreeMap<_, _>>())
        };
        let (name, made) = told("created", "credential");
        assert!(name.starts_with("deploy identity "), "{name}");
        assert_eq!(made["issuer"], [None, Some(json!("ci"))]);
        assert_eq!(made["subject"], [None, Some(json!("repo:acme/shop:**"))]);
        assert_eq!(made["claims"], [None, Some(json!({ "ref": "refs/heads/main" }))]);
        let (name, gone) = told("removed", "credential");
        assert!(name.ends_with(before.id.as_str()), "{name}");
        assert_eq!(gone["claims"], [Some(json!({ "ref": ["refs/heads/main", "refs/tags/v*"] })), None]);
        let [after] = &stored(&env).await[..] else { panic!("one") };
        assert!(after.id != before.id && after.label.is_none());
    }

    async fn a_retired_identity_does_not_come_back(env) {
        env.apply(&catalog(&[SHOP])).await;
        let id = stored(&env).await[0].id.clone();
        env.retire(&id, false).await;
        env.apply(&catalog(&[SHOP])).await;
        let [kept] = &stored(&env).await[..] else { panic!("one") };
        assert!(kept.id == id && kept.retired_at.is_some(), "{kept:?}");
    }

    async fn an_export_of_identities_is_applied_without_a_change(env) {
        let jwks = json!({ "keys": [Key::new(grantd::domain::algorithm::SigningAlgorithm::Es256).jwk()] });
        let nested = "subject = \"system:serviceaccount:shop:*\"\n\
                      claims.\"kubernetes.io\" = { namespace = \"shop\", n = [1, 2.5, true, \"it is \\\"me\\\"\"] }\n\
                      except = { event_name = [\"pull_request\", \"pull_request_target\"] }\n\
                      label = \"shop\"\nactive_from = 2026-01-01T00:00:00Z\nexpires_at = 2099-01-01T00:00:00Z";
        let stated = catalog(&[SHOP, nested]);
        let own_keys = stated.replace("auth = \"private_key_jwt\"", &format!("auth = \"private_key_jwt\"\njwks = '''{jwks}'''"));
        for stated in [stated, own_keys] {
            env.prune(&stated).await;
            let before = stored(&env).await;
            let text = env.exported().await;
            assert!(text.contains("  [[client.identity]]\n  issuer = \"ci\"\n"), "{text}");
            let plan = env.prune(&text).await;
            assert_eq!(plan.changes(), 0, "{plan:?}\n{text}");
            assert_eq!(stored(&env).await, before);
        }
    }

    /// Whom nobody trusts, and who says nothing of clients, is told where the identity stands.
    async fn an_identity_is_of_an_issuer_that_is_there_and_speaks_of_clients(env) {
        let stated = catalog(&[SHOP]);
        let unknown = stated.replace("[[client.identity]]\nissuer = \"ci\"", "[[client.identity]]\nissuer = \"cj\"");
        let exchange = stated.replace("id = \"ci\"\n", "id = \"ci\"\nuse = [\"exchange\"]\n");
        let spiffe = stated.replace("\"https://ci.example\"", "\"spiffe://example.org\"\npreset = \"spiffe\"");
        for (wrong, why) in [
            (unknown, "identity: issuer: there is no issuer cj; the nearest is ci"),
            (exchange, "identity: issuer: the tokens of ci are no client's"),
            (spiffe, "identity: subject: the subject must begin with spiffe://example.org/"),
        ] {
            let error = env.try_apply(&wrong, false).await.unwrap_err();
            assert!(error.starts_with("test.toml:") && error.contains(why), "{why}: {error}");
        }
        env.apply(&stated).await;
        let alone = stated.replace(crate::catalogs::CI, "");
        let plan = env.apply(&alone).await;
        assert_eq!((plan.changes(), plan.count(Action::Kept)), (0, 1), "{plan:?}");
        let error = env.try_apply(&alone, true).await.unwrap_err();
        assert!(error.contains("there is no issuer ci"), "{error}");
    }

    /// With place and client, when it is new.
    async fn what_lets_strangers_in_is_warned_of_once(env) {
        let github = |lines: &str| catalog(&[lines]).replace("id = \"ci\"\n", "id = \"ci\"\npreset = \"github\"\n");
        let lax = github("subject = \"repo:acme/shop:ref:refs/heads/main\"\nclaims = { repository_id = 74 }");
        let plan = env.apply(&lax).await;
        let [warning] = &plan.warnings[..] else { panic!("{plan:?}") };
        let told = ": client \"deploy\": identity: repository_id: the platform sends text";
        assert!(warning.starts_with("test.toml:") && warning.contains(told), "{warning}");
        assert!(env.apply(&lax).await.warnings.is_empty());
        let pinned = github("subject = \"repo:acme/shop:ref:refs/heads/main\"\nclaims = { repository_id = \"74\" }");
        assert!(env.prune(&pinned).await.warnings.is_empty());
        let unpinned = env.prune(&github("subject = \"repo:acme/shop:ref:refs/heads/main\"")).await;
        assert!(unpinned.warnings.iter().any(|it| it.contains("neither repository_id nor")), "{unpinned:?}");
    }

    async fn a_catalog_in_json_states_them_too(env) {
        env.apply(&catalog(&[SHOP])).await;
        let in_json = |identity: serde_json::Value| {
            let none = |_: &str| None;
            let client = json!({ "id": "deploy", "auth": "private_key_jwt", "identity": [identity] });
            let catalog = json!({ "client": [client] });
            Catalog::of_json(catalog.as_object().unwrap(), &CatalogOptions::strict(&none))
        };
        let stated = json!({
            "issuer": "ci", "subject": "repo:acme/shop:**",
            "claims": { "ref": ["refs/heads/main", "refs/tags/v*", "refs/heads/main"] },
        });
        let read = in_json(stated).unwrap();
        let of_database = stored(&env).await[0].material.public_value().unwrap().into_owned();
        assert_eq!(read.clients[0].credentials[0].material.public_value().unwrap(), of_database);
        let error = in_json(json!({ "issuer": "ci", "subject": 7 })).unwrap_err();
        assert_eq!(error.faults()[0].place.to_string(), "client[0].identity[0].subject");
    }
}

async fn stored_nothing(env: &Env) -> bool {
    let known = env.store.all_clients().await.unwrap();
    known.iter().all(|it| it.client.id.as_str() != "deploy")
}

#[test]
fn a_demo_of_it_stands_in_the_catalog_of_dev() {
    let none = |_: &str| None;
    let lines = grantd::config::catalog::DEMO.lines();
    let from = lines.skip_while(|it| *it != "# id = \"deploy-prod\"");
    let block = from.take_while(|it| !it.starts_with("# A client"));
    let text: String = block
        .map(|it| it.trim_start_matches('#').to_owned() + "\n")
        .collect();
    let catalog = Catalog::parse(
        "demo",
        &format!("[[client]]\n{text}"),
        &CatalogOptions::strict(&none),
    )
    .unwrap();
    let identity = catalog.clients[0].credentials[0]
        .material
        .identity()
        .unwrap();
    assert_eq!(identity.issuer.as_str(), "github");
    assert!(identity.except.names("event_name") && identity.claims.names("repository_id"));
}
