//! A catalog in several files: what is named, what is included, and where an error says that it stands.

use std::fs;

use crate::place::{Ended, Place};

const URL: &str = "sqlite://files.db";

fn audience(id: &str) -> String {
    format!("[[audience]]\nid = \"{id}\"\nscopes = [\"read\"]\n")
}

fn client(id: &str, audience: &str) -> String {
    format!(
        "[[client]]\nid = \"{id}\"\nauth = \"private_key_jwt\"\njwks_file = \"{id}.json\"\n\
         [[client.policy]]\naudience = \"{audience}\"\nscopes = [\"read\"]\n"
    )
}

/// Audiences in one file, each team's clients in another, their keys beside them.
fn with_teams() -> Place {
    let place = Place::new();
    for folder in ["catalog", "catalog/teams", "catalog/teams/deeper"] {
        fs::create_dir(place.path(folder)).unwrap();
    }
    let main = format!("include = [\"teams/*.toml\"]\n{}", audience("pricing"));
    place.write("catalog/main.toml", &main);
    place.write("catalog/teams/a.toml", &client("a", "pricing"));
    place.write("catalog/teams/b.toml", &client("b", "pricing"));
    // RFC 8037 appendix A.2 and the one of RFC 7515 appendix A.3.
    let okp = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let ec = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    place.write("catalog/teams/a.json", okp);
    place.write("catalog/teams/b.json", ec);
    // None of these is read.
    place.write("catalog/teams/.#a.toml", "an editor's lock");
    place.write("catalog/teams/note.txt", "no catalog");
    place.write("catalog/teams/deeper/c.toml", "no catalog");
    place
}

fn check(place: &Place, files: &[&str]) -> Ended {
    let named = files.iter().flat_map(|file| ["--catalog", file]);
    let line: Vec<&str> = ["check-config"].into_iter().chain(named).collect();
    place.run(&line)
}

#[track_caller]
fn refused(ended: &Ended, lines: &[&str]) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for line in lines {
        assert!(ended.stderr.contains(line), "{line:?} is not in {ended:?}");
    }
}

#[test]
fn files_folders_and_includes_are_one_catalog_to_every_command() {
    let place = with_teams();
    let all = "1 audience, 2 clients";
    for files in [
        &["catalog/main.toml"][..],
        &["catalog"],
        &["catalog/"],
        // Named twice, by two names, and included as well: it counts once.
        &[
            "catalog/main.toml",
            "catalog/teams",
            "./catalog/teams/a.toml",
        ],
    ] {
        let ended = check(&place, files);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.contains(all), "{files:?}: {ended:?}");
    }
    place.done(&["migrate", "--database-url", URL]);
    let plan = place.run(&[
        "apply",
        "catalog/main.toml",
        "catalog/teams",
        "--dry-run",
        "--database-url",
        URL,
    ]);
    assert_eq!((plan.code, plan.stderr.as_str()), (Some(0), ""), "{plan:?}");
    assert!(plan.stdout.contains("would be done: 8 created"), "{plan:?}");
    // The keys lie beside the files that name them.
    let dev = place.dev(&["--data", "data", "--catalog", "catalog"]);
    let clients = place.json(&["client", "list", "--output", "json", "--data", "data"]);
    assert_eq!(clients.as_array().unwrap().len(), 2);
    drop(dev);
    // What they are together reads back from one file.
    let exported = place.done(&["export", "--data", "data"]);
    let plan = place.run_with_input(
        &[
            "apply",
            "-",
            "--prune",
            "--dry-run",
            "--detailed-exit-code",
            "--data",
            "data",
        ],
        &exported,
    );
    assert_eq!(plan.code, Some(0), "{plan:?}");
}

#[test]
fn standard_input_is_relative_to_the_working_directory() {
    let place = with_teams();
    let main = format!(
        "include = \"catalog/teams/*.toml\"\n{}",
        audience("pricing")
    );
    let ended = place.run_with_input(&["check-config", "--catalog", "-"], &main);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("1 audience, 2 clients"), "{ended:?}");
    let wrong = place.run_with_input(&["check-config", "--catalog", "-"], "\n[[clinet]]\n");
    refused(&wrong, &["standard input:2: clinet: unknown key"]);
}

#[test]
fn each_error_names_the_file_in_which_it_stands() {
    let place = with_teams();
    let twice = client("a", "pricing").replace("a.json", "b.json");
    place.write("catalog/teams/b.toml", &twice);
    refused(
        &check(&place, &["catalog"]),
        &[
            "catalog/teams/b.toml:1: client \"a\": the one at catalog/teams/a.toml:1 already has this name",
        ],
    );

    let wrong = client("b", "pricng").replace("id = \"b\"", "id = \"b\"\nstatus = \"enabled\"");
    place.write("catalog/teams/b.toml", &wrong);
    place.write("catalog/teams/a.toml", "[[client]\n");
    refused(
        &check(&place, &["catalog"]),
        &[
            "catalog/teams/a.toml:1: this is not TOML",
            "catalog/teams/b.toml:3: client \"b\": status: ",
            "the nearest is \"active\"",
        ],
    );
    place.write("catalog/teams/a.toml", &client("a", "pricng"));
    place.write("catalog/teams/b.toml", "");
    place.done(&["migrate", "--database-url", URL]);
    refused(
        &place.run(&["apply", "catalog", "--dry-run", "--database-url", URL]),
        &[
            "catalog/teams/a.toml:6: client \"a\": policy: audience: there is no audience pricng; the nearest is pricing",
        ],
    );
}

#[test]
fn an_include_that_brings_nothing_or_itself_is_refused() {
    let place = with_teams();
    for (include, why) in [
        (
            "[\"team/*.toml\"]",
            "no file is called \"team/*.toml\", or matches it",
        ),
        (
            "\n[\n\"teams/a.toml\",\n\"teams/c.toml\"]",
            "catalog/main.toml:3: include: no file is called \"teams/c.toml\"",
        ),
        ("\"teams/**a\"", "not a valid file pattern"),
        ("\"main.toml\"", "includes this file"),
        ("7", "catalog/main.toml:1: include: expected text"),
        ("\"teams/deeper/../../../empty\"", "holds no *.toml file"),
    ] {
        let _ = fs::create_dir(place.path("empty"));
        place.write(
            "catalog/main.toml",
            &format!("include = {include}\n").replace("= \n", "= "),
        );
        refused(
            &check(&place, &["catalog/main.toml"]),
            &[why, "catalog/main.toml:"],
        );
    }
    // A wildcard does not mean the file in which it stands.
    place.write(
        "catalog/main.toml",
        &format!("include = \"*.toml\"\n{}", audience("x")),
    );
    refused(
        &check(&place, &["catalog/main.toml"]),
        &["no file is called \"*.toml\""],
    );
    place.write("catalog/other.toml", "");
    assert_eq!(check(&place, &["catalog/main.toml"]).code, Some(0));
    // In a circle, and nested without end.
    place.write("catalog/other.toml", "\ninclude = \"main.toml\"\n");
    refused(
        &check(&place, &["catalog/main.toml"]),
        &["catalog/other.toml:2: include: catalog/main.toml includes this file"],
    );
    for depth in 0..20 {
        let next = format!("include = \"{}.toml\"\n", depth + 1);
        place.write(&format!("{depth}.toml"), &next);
    }
    refused(
        &check(&place, &["0.toml"]),
        &["16.toml:1: include: files are nested more than 16 deep"],
    );
    refused(
        &check(&place, &["empty"]),
        &["the folder empty holds no *.toml file"],
    );
}
