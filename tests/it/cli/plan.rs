//! The plan of `apply`: what it shows, to people and to programs, and what it can do without.

use std::process::Command;

use serde_json::{Value, json};

use crate::place::{Ended, Place, ended};

const URL: &str = "sqlite://plan.db";

const CATALOG: &str = r#"
[[audience]]
id = "pricing"
scopes = ["read", "write"]

[[client]]
id = "reader"
auth = "client_secret_basic"
secret = "env:READER"
claims = { level = 1 }
  [[client.policy]]
  audience = "pricing"
  scopes = ["read", "write"]
  token_lifetime = "5m"

[[client]]
id = "writer"
auth = "client_secret_basic"
secret = "env:WRITER"
  [[client.policy]]
  audience = "pricing"
  scopes = ["write"]
"#;

fn with_secrets(mut command: Command) -> Ended {
    command.env("READER", "a-secret-of-the-reader");
    ended(command.env("WRITER", "a-secret-of-the-writer"))
}

fn apply(place: &Place, more: &[&str]) -> Command {
    let line = ["apply", "c.toml", "--database-url", URL];
    let mut command = place.grantd(&[&line, more].concat());
    command.env(
        "GRANTD_SEALING__KEY",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    );
    command
}

/// A database to which [`CATALOG`] was applied.
fn applied() -> Place {
    let place = Place::new();
    place.write("c.toml", CATALOG);
    place.done(&["migrate", "--database-url", URL]);
    let ended = with_secrets(apply(&place, &[]));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    place
}

fn changed() -> String {
    CATALOG
        .replace("token_lifetime = \"5m\"", "token_lifetime = \"2m\"")
        .replace(
            "scopes = [\"read\", \"write\"]\n  token",
            "scopes = [\"read\"]\n  token",
        )
        .replace("level = 1", "level = 2, region = \"eu\"")
        .replace("id = \"writer\"", "id = \"writer\"\nowner = \"team-w\"")
}

#[test]
fn the_plan_shows_old_and_new_values_and_ends_with_the_counts() {
    let place = applied();
    place.write("c.toml", &changed());
    let plan = with_secrets(apply(&place, &["--dry-run"]));
    assert_eq!(
        plan.stdout,
        "changed   client reader\n\
         \u{20}         claims: + region = eu, level 1 → 2\n\
         changed   policy reader pricing\n\
         \u{20}         scopes: - write\n\
         \u{20}         token_lifetime: 5m → 2m\n\
         changed   client writer\n\
         \u{20}         owner: none → team-w\n\
         would be done: 0 created, 3 changed, 0 removed, 4 unchanged, 0 kept\n"
    );
    let plan = with_secrets(apply(&place, &["--dry-run", "--verbose"])).stdout;
    assert!(plan.contains("unchanged audience pricing\n"), "{plan}");
    assert!(plan.contains("unchanged policy writer pricing\n"), "{plan}");
}

#[test]
fn the_plan_in_json_has_the_same_values() {
    let place = applied();
    place.write("c.toml", &changed());
    let plan = with_secrets(apply(&place, &["--output", "json"]));
    assert!(!plan.stdout.contains("a-secret-of"), "{plan:?}");
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(
        plan["steps"][1],
        json!({
            "action": "changed",
            "subject": "policy",
            "name": "reader pricing",
            "changes": [
                { "key": "scopes", "old": ["read", "write"], "new": ["read"] },
                { "key": "token_lifetime", "old": "5m", "new": "2m" },
            ],
        })
    );
    assert_eq!(plan["steps"][2]["changes"][0]["old"], Value::Null);
    assert_eq!(plan["steps"].as_array().unwrap().len(), 3);
    let counts = json!({
        "created": 0, "changed": 3, "removed": 0, "kept": 0, "unchanged": 4, "not_compared": 0,
    });
    assert_eq!(plan["counts"], counts);
    assert_eq!(
        (&plan["dry_run"], &plan["warnings"]),
        (&json!(false), &json!([]))
    );
}

#[test]
fn the_exit_status_tells_changes_from_none_where_it_is_asked_to() {
    let place = applied();
    let code = |more: &[&str]| with_secrets(apply(&place, more)).code;
    assert_eq!(code(&["--detailed-exit-code"]), Some(0));
    assert_eq!(code(&["--detailed-exit-code", "--dry-run"]), Some(0));
    place.write("c.toml", &changed());
    assert_eq!(code(&["--dry-run"]), Some(0));
    assert_eq!(code(&["--detailed-exit-code", "--dry-run"]), Some(2));
    assert_eq!(code(&["--detailed-exit-code"]), Some(2));
    assert_eq!(code(&["--detailed-exit-code"]), Some(0));
    place.write("c.toml", "[[client]]\nidd = \"x\"\n");
    assert_eq!(code(&["--detailed-exit-code"]), Some(1));
}

#[test]
fn a_dry_run_needs_no_secrets_and_does_not_say_that_one_would_go() {
    let place = applied();
    let two = CATALOG.replace(
        "secret = \"env:READER\"",
        "secrets = [\"env:READER\", \"env:WRITER\"]",
    );
    for catalog in [CATALOG, &two] {
        place.write("c.toml", catalog);
        // Of the two secrets of one client, one is here, and new.
        for variable in ["NEITHER", "WRITER"] {
            let mut command = apply(&place, &["--dry-run", "--prune"]);
            let plan = ended(command.env(variable, "a-secret-of-the-writer"));
            assert_eq!(plan.code, Some(0), "{plan:?}");
            assert!(plan.stdout.contains(" 0 removed"), "{plan:?}");
            assert!(
                plan.stdout
                    .contains("not compared credential reader secret"),
                "{plan:?}"
            );
            assert!(
                plan.stderr.contains("c.toml:") && plan.stderr.contains("is not compared"),
                "{plan:?}"
            );
        }
        let refused = ended(&mut apply(&place, &[]));
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains("READER is not set"), "{refused:?}");
    }
    // What is known to go is still said.
    place.write("c.toml", CATALOG.split("[[client]]").next().unwrap());
    let plan = ended(&mut apply(&place, &["--dry-run", "--prune"]));
    assert!(plan.stdout.contains("removed   client reader"), "{plan:?}");
}

/// A job that only looks has no sealing key; the one that applies needs it.
#[test]
fn a_dry_run_needs_no_sealing_key() {
    let place = Place::new();
    place.write("c.toml", CATALOG);
    place.done(&["migrate", "--database-url", URL]);
    let line = ["apply", "c.toml", "--database-url", URL];
    let plan = place.done(&[&line[..], &["--dry-run"]].concat());
    assert!(plan.contains("created   signing key ES256"), "{plan}");
    let settings = "issuer = \"https://auth.example\"\ndatabase_url = \"sqlite://plan.db\"\n\
        [public]\nallow_plain_http = true\n[sealing]\nkey_file = \"absent.key\"\n";
    place.write("grantd.toml", settings);
    let from_settings = ["apply", "c.toml", "--config", "grantd.toml"];
    let looked = place.run(&[&from_settings[..], &["--dry-run"]].concat());
    assert_eq!(looked.code, Some(0), "{looked:?}");
    assert!(
        looked.stderr.contains("absent.key is absent here"),
        "{looked:?}"
    );
    let refused = with_secrets(place.grantd(&from_settings));
    assert!(
        refused.stderr.contains("absent.key cannot be read"),
        "{refused:?}"
    );
    let refused = with_secrets(place.grantd(&line));
    assert!(
        refused.stderr.contains("there is no sealing key"),
        "{refused:?}"
    );
}

#[test]
fn what_leads_nowhere_is_warned_of_once_a_kind_with_its_place() {
    let place = applied();
    place.write(
        "c.toml",
        "[[audience]]\nid = \"idle\"\nscopes = [\"x\"]\n\
         [[client]]\nid = \"a\"\n[[client]]\nid = \"b\"\n\
         [[client]]\nid = \"asleep\"\nstatus = \"disabled\"\n",
    );
    let plan = ended(&mut apply(&place, &["--dry-run"]));
    let warnings: Vec<&str> = plan.stderr.lines().collect();
    assert_eq!(
        warnings,
        [
            "warning: c.toml:4: client a has no credential, so it cannot authenticate; the same holds for b (c.toml:6)",
            "warning: c.toml:4: client a has no policy and serves no audience, so it can do nothing; \
             the same holds for b (c.toml:6)",
            "warning: c.toml:1: audience idle is in no policy, so nobody gets a token for it",
        ],
        "{plan:?}"
    );
    // What stays in the database counts; with --prune it goes.
    place.write("c.toml", "[[client]]\nid = \"reader\"\n");
    let plan = ended(&mut apply(&place, &["--dry-run"]));
    assert_eq!(plan.stderr, "");
    let plan = ended(&mut apply(&place, &["--dry-run", "--prune"]));
    assert!(
        plan.stderr.contains("client reader has no policy"),
        "{plan:?}"
    );
    // The secret of a client that lists none may come from a command, and stays.
    assert!(!plan.stderr.contains("no credential"), "{plan:?}");
}

#[test]
fn the_demo_catalog_is_applied_without_a_warning() {
    let place = Place::new();
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/config/catalog.toml");
    let _dev = place.dev(&["--data", "data"]);
    let plan = place.run(&["apply", demo, "--dry-run", "--data", "data"]);
    assert_eq!((plan.code, plan.stderr.as_str()), (Some(0), ""), "{plan:?}");
    let dev = place.dev(&["--catalog", demo]);
    assert!(!dev.log().contains("WARN"), "{}", dev.log());
}
