//! The administrative commands on the data of a `grantd dev` that runs.

use crate::place::{Dev, Place, within_a_second};

fn running() -> (Place, Dev) {
    let place = Place::new();
    place.write("my.toml", super::data::CATALOG);
    let dev = place.dev(&["--data", "data", "--catalog", "my.toml"]);
    (place, dev)
}

#[test]
fn a_secret_is_printed_once_works_within_a_second_and_ends_within_a_second_when_retired() {
    let (place, dev) = running();
    let ended = place.run(&[
        "credential",
        "add-secret",
        "reader",
        "--label",
        "2026-Q4",
        "--expires-in",
        "90d",
        "--data",
        "data",
    ]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let secret = ended.stdout.trim_end();
    assert_eq!(secret.len(), 67, "nothing but the secret: {ended:?}");
    assert!(!ended.stderr.contains(secret), "{ended:?}");
    within_a_second("the new secret", || {
        (dev.ask("reader", secret).0 == 200).then_some(())
    });

    let id = &secret[7..17];
    let list = place.done(&["credential", "list", "reader", "--data", "data"]);
    assert!(
        list.contains(id) && list.contains("2026-Q4") && !list.contains(secret),
        "{list}"
    );
    let retired = place.done(&["credential", "retire", id, "--data", "data"]);
    let expected = format!("credential {id} of reader is retired; ");
    assert!(
        retired.starts_with(&expected)
            && retired.contains("\ntokens issued for it live until 20")
            && retired.ends_with("add --compromised\n"),
        "{retired}"
    );
    within_a_second("the end of the secret", || {
        let (status, body) = dev.ask("reader", secret);
        (status == 401 && body["error"] == "invalid_client").then_some(())
    });
    assert_eq!(dev.ask("reader", "reader-secret").0, 200);
    // The log is written beside the answers.
    within_a_second("the refusal in the log", || {
        dev.log().contains(&format!("{id}, retired")).then_some(())
    });
    assert!(!dev.log().contains(secret));
}

#[test]
fn tokens_of_a_compromised_credential_are_inactive_within_a_second_and_those_of_others_are_not() {
    let (place, dev) = running();
    let secret = place.done(&["credential", "add-secret", "reader", "--data", "data"]);
    let secret = secret.trim_end();
    let leaked = within_a_second("the new secret", || {
        let (status, body) = dev.ask("reader", secret);
        (status == 200).then(|| body["access_token"].as_str().unwrap().to_owned())
    });
    let other = dev.token("reader", "reader-secret");
    let api = ("api", "api-secret");
    assert!(dev.is_active(api, &leaked) && dev.is_active(api, &other));
    let retire = [
        "credential",
        "retire",
        &secret[7..17],
        "--compromised",
        "--data",
        "data",
    ];
    let said = place.done(&retire);
    assert!(
        said.contains("inactive at introspection within a second"),
        "{said}"
    );
    within_a_second("the end of its token", || {
        (!dev.is_active(api, &leaked)).then_some(())
    });
    assert!(dev.is_active(api, &other));
}

#[test]
fn a_client_or_credential_that_is_not_there_is_told_with_what_to_do() {
    let (place, _dev) = running();
    for (arguments, remedy) in [
        (&["client", "show", "nobody"][..], "grantd client list"),
        (&["credential", "list", "nobody"], "grantd client list"),
        (
            &["credential", "add-secret", "nobody"],
            "grantd client list",
        ),
        (
            &["credential", "retire", "0123456789"],
            "grantd credential list",
        ),
        (&["credential", "retire", "X"], "10 characters"),
    ] {
        let ended = place.run(&[arguments, &["--data", "data"]].concat());
        assert_eq!(ended.code, Some(1), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(remedy), "{arguments:?}: {ended:?}");
    }
    let ended = place.run(&["client", "list"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("--data DIR, --config FILE or --database-url URL"),
        "{ended:?}"
    );
}

#[test]
fn clients_and_credentials_are_listed_for_people_and_for_programs() {
    let (place, _dev) = running();
    let table = place.done(&["client", "list", "--data", "data"]);
    assert!(table.lines().next().unwrap().contains("STATUS"), "{table}");
    assert!(
        table
            .lines()
            .any(|line| line.contains("reader") && line.contains("active"))
    );
    let list = place.json(&["client", "list", "--output", "json", "--data", "data"]);
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(list[0]["id"], "api");

    let table = place.done(&["client", "show", "reader", "--data", "data"]);
    assert!(
        table.contains("pricing") && table.contains("live"),
        "{table}"
    );
    assert!(table.contains(r#"{"roles":["reader"]}"#), "{table}");
    let shown = place.json(&[
        "client", "show", "reader", "--output", "json", "--data", "data",
    ]);
    assert_eq!(shown["policy"][0]["default_scopes"][0], "read");
    assert_eq!(shown["policy"][0]["claims"]["roles"][0], "reader");
    assert_eq!(shown["credentials"][0]["form"], "imported");
    assert!(
        !shown.to_string().contains("argon2"),
        "no hash is shown: {shown}"
    );

    let list = place.json(&[
        "credential",
        "list",
        "reader",
        "--output",
        "json",
        "--data",
        "data",
    ]);
    assert_eq!(list, shown["credentials"]);
}

#[test]
fn what_is_exported_leaves_apply_nothing_to_do() {
    let (place, _dev) = running();
    place.done(&["credential", "add-secret", "reader", "--data", "data"]);
    let exported = place.done(&["export", "--data", "data"]);
    assert!(
        !exported.contains("reader-secret") && !exported.contains("api-secret"),
        "{exported}"
    );
    place.write("exported.toml", &exported);
    let plan = place.done(&[
        "apply",
        "exported.toml",
        "--dry-run",
        "--prune",
        "--data",
        "data",
    ]);
    assert!(
        plan.lines()
            .last()
            .unwrap()
            .starts_with("nothing to do: 0 created"),
        "{plan}"
    );
}

#[test]
fn apply_changes_what_runs_within_a_second_and_never_prints_a_secret() {
    let (place, dev) = running();
    let changed = super::data::CATALOG
        .replace("\"reader-secret\"", "\"env:READER\"\nstatus = \"disabled\"")
        .replace("\"api-secret\"", "\"another-secret-of-the-api\"");
    place.write("changed.toml", &changed);
    let mut command = place.grantd(&["apply", "changed.toml", "--prune", "--data", "data"]);
    let ended = crate::place::ended(command.env("READER", "a-secret-of-the-environment"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("changed   client reader\n          status: active → disabled\n"),
        "{ended:?}"
    );
    for secret in [
        "a-secret-of-the-environment",
        "another-secret-of-the-api",
        "api-secret",
    ] {
        assert!(
            !ended.stdout.contains(secret) && !ended.stderr.contains(secret),
            "{ended:?}"
        );
    }
    within_a_second("the refusal", || {
        (dev.ask("reader", "reader-secret").0 == 401).then_some(())
    });
}

#[test]
fn a_token_is_inspected_from_standard_input() {
    let (place, dev) = running();
    let token = dev.token("reader", "reader-secret");
    let ended = place.run_with_input(&["token", "inspect"], &format!("{token}\n"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stdout.contains("\"client_id\": \"reader\""),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("not checked"), "{ended:?}");
    let alone: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(alone["header"]["typ"], "at+jwt");

    let judged = |token: &str| place.run_with_input(&["token", "inspect", "--data", "data"], token);
    let ended = judged(&token);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("signature: right") && ended.stderr.contains("accepted"));
    assert!(serde_json::from_str::<serde_json::Value>(&ended.stdout).is_ok());
    let (_, payload) = token.split_once('.').unwrap();
    let other = dev.token("reader", "reader-secret");
    let (header, _) = other.split_once('.').unwrap();
    let (payload, _) = payload.split_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    let ended = judged(&format!("{header}.{payload}.{signature}"));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("expected a signature or a seal by its key"),
        "{ended:?}"
    );

    let form = format!("token={token}");
    crate::place::post(
        dev.url("revocation_endpoint"),
        ("reader", "reader-secret"),
        &form,
    );
    let ended = judged(&token);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("expected not revoked, found revoked"),
        "{ended:?}"
    );

    // What the server would refuse after a start with another issuer.
    std::fs::write(place.path("data/issuer"), "http://other\n").unwrap();
    let ended = judged(&other);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("expected iss, this issuer"),
        "{ended:?}"
    );
}
