//! `grantd issuer show`: who relies on an issuer.

use serde_json::{Value, json};

use super::{Platform, workload};
use crate::catalogs::{client, reads};
use crate::harness::{CATALOG, on_both};
use crate::site::Site;

/// A client that exchanges tokens from `from`, whose subjects are `subject`.
fn exchanges(id: &str, from: &str, subject: &str) -> String {
    asks_for(
        id,
        &format!("exchange = {{ from = [\"{from}\"], subjects = [\"{subject}\"] }}\n"),
    )
}

/// A client whose policy has these further lines.
fn asks_for(id: &str, of_policy: &str) -> String {
    let grants = "grants = [\"token-exchange\", \"jwt-bearer\"]";
    let lines = format!("{grants}\nsecret = \"a secret of {id} 1\"");
    client(id, &lines, &[reads("pricing")[0].clone() + of_policy])
}

on_both! {
    async fn who_relies_on_an_issuer_is_told(env) {
        let platform = Platform::ci().await;
        let other = "[[issuer]]\nid = \"other\"\nurl = \"https://other.example\"\nuse = [\"client\", \"exchange\"]\n";
        let nobody = "[[issuer]]\nid = \"nobody\"\nurl = \"https://nobody.example\"\n";
        let gone = workload("gone", "ci", "subject = \"repo:acme/gone:**\"");
        let catalog = CATALOG.to_owned()
            + &platform.lines("use = [\"client\", \"exchange\", \"grant\"]")
            + other
            + nobody
            + &workload("b", "ci", "subject = \"repo:acme/b:**\"")
            + &workload("a", "ci", "subject = \"repo:acme/a:**\"")
            + &workload("guest", "other", "subject = \"repo:acme/guest:**\"")
            + &exchanges("gate", "issuer:ci", "**")
            + &asks_for("program", "issuer = \"ci\"\nexchange = { from = [\"issuer:ci\"] }\n")
            + &exchanges("other-gate", "issuer:other", "issuer:ci")
            + &gone;
        env.apply(&catalog).await;
        let retired = env.credentials("b").await[0].id.clone();
        env.retire(&retired, false).await;
        env.prune(&catalog.replace(&gone, "")).await;
        let site = Site::new(env).await;
        let shown = site.json("issuer show ci");
        let live = site.env.credentials("a").await[0].id.clone();
        assert_eq!(shown["identities"], json!([
            { "client": "a", "credential": live, "state": "live", "subject": "repo:acme/a:**" },
            { "client": "b", "credential": retired, "state": "retired", "subject": "repo:acme/b:**" },
        ]));
        assert_eq!(shown["policies"], json!([
            { "client": "gate", "audience": "pricing", "use": ["exchange"], "enabled": true },
            { "client": "program", "audience": "pricing", "use": ["exchange", "grant"], "enabled": true },
        ]));
        assert_eq!((&shown["identity_count"], &shown["policy_count"]), (&json!(2), &json!(2)));
        let screen = site.done("issuer show ci").stdout;
        for part in ["IDENTITY OF", "repo:acme/a:**", live.as_str(), "retired", "POLICY OF", "gate", "exchange"] {
            assert!(screen.contains(part), "{part}: {screen}");
        }
        for part in ["guest", "gone", "other-gate", "more", "nobody relies"] {
            assert!(!screen.contains(part), "{part}: {screen}");
        }
        let screen = site.done("issuer show nobody").stdout;
        assert!(screen.contains("nobody relies on it"), "{screen}");
    }

    /// A catalog that trusts an issuer less tells whom that stops, where it does not state them: it fails closed.
    async fn who_is_let_down_by_a_narrower_use_is_told(env) {
        let platform = Platform::ci().await;
        let all = platform.lines("use = [\"client\", \"exchange\", \"grant\"]");
        let gate = exchanges("gate", "issuer:ci", "**");
        let catalog = CATALOG.to_owned()
            + &all
            + &workload("job", "ci", "subject = \"repo:acme/job:**\"")
            + &workload("old", "ci", "subject = \"repo:acme/old:**\"")
            + &gate
            + &exchanges("gate-2", "issuer:ci", "**")
            + &asks_for("program", "issuer = \"ci\"\n");
        env.apply(&catalog).await;
        let retired = env.credentials("old").await[0].id.clone();
        env.retire(&retired, false).await;
        let site = Site::new(env).await;
        let told = |uses: &str| {
            site.place.write("less.toml", &platform.lines(uses));
            let told = site.done("apply less.toml --dry-run").stderr;
            let lines = told.lines().filter(|it| it.contains("relies on issuer"));
            lines.map(|it| it.trim().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(told("use = [\"grant\", \"client\", \"exchange\"]"), [""; 0]);
        let place = |uses: &str| {
            let lines = platform.lines(uses);
            lines.lines().position(|it| it.starts_with("use")).unwrap() + 1
        };
        let line = place("use = [\"exchange\"]");
        let needs = |client: &str, what: &str| {
            format!("less.toml:{line}: client {client} relies on issuer ci, whose `use` no longer has \"{what}\"")
        };
        let expected = [needs("job", "client"), needs("program", "grant")];
        let less = told("use = [\"exchange\"]");
        assert_eq!(less.len(), 2, "{less:?}");
        assert!(less.iter().zip(&expected).all(|(told, it)| told.ends_with(it)), "{less:?}");
        let both = told("use = [\"client\", \"grant\"]");
        assert!(both[0].ends_with(&format!("{}; the same holds for gate-2 (less.toml:{line})", needs("gate", "exchange"))), "{both:?}");
        // Stated, it is a fault, at the key that is wrong.
        let gate = gate.replace("secret = \"a secret of gate 1\"", "");
        site.place.write("less.toml", &(gate.clone() + &platform.lines("use = [\"client\", \"grant\"]")));
        let refused = site.refused("apply less.toml --dry-run", 1);
        let line = gate.lines().position(|it| it.starts_with("exchange")).unwrap() + 1;
        let words = format!("less.toml:{line}: client \"gate\": policy: exchange: from: the tokens of issuer ci");
        assert!(refused.contains(&words), "{refused}");
    }

    async fn so_many_are_listed_as_somebody_can_read(env) {
        let platform = Platform::ci().await;
        let mut catalog = CATALOG.to_owned() + &platform.lines("use = [\"client\", \"exchange\"]");
        for number in 0..53 {
            catalog += &workload(&format!("job-{number:02}"), "ci", &format!("subject = \"repo:acme/{number}:**\""));
            catalog += &exchanges(&format!("gate-{number:02}"), "issuer:ci", "**");
        }
        env.apply(&catalog).await;
        let site = Site::new(env).await;
        let shown = site.json("issuer show ci");
        for (list, count, last) in [("identities", "identity_count", "job-49"), ("policies", "policy_count", "gate-49")] {
            let listed = shown[list].as_array().unwrap();
            assert_eq!((listed.len(), &listed[49]["client"]), (50, &Value::from(last)));
            assert_eq!(shown[count], 53);
        }
        let screen = site.done("issuer show ci").stdout;
        assert_eq!(screen.matches("and 3 more").count(), 2, "{screen}");
    }
}
