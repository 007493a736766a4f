//! How `grantd` starts, refuses to start, and ends.

use std::fs::File;
use std::io::Write as _;

use crate::catalogs::{audience, by_secret, client, policy};
use crate::place::{Place, Running, eventually};

#[test]
fn a_typo_in_the_catalog_is_told_with_file_line_and_nearest_key() {
    let place = Place::new();
    place.write(
        "my.toml",
        "[[audience]]\nid = \"x\"\nscopes = [\"a\"]\n\n[[client]]\nid = \"c\"\nsecrt = \"s\"\n",
    );
    let ended = place.run(&["dev", "--listen", "127.0.0.1:0", "--catalog", "my.toml"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(
        ended.stderr,
        "grantd: my.toml:7: client \"c\": secrt: unknown key; the nearest known one is `secret`\n"
    );
    assert_eq!(place.left_behind(), 0);
}

#[test]
fn a_taken_port_is_told_once_with_what_to_do() {
    let place = Place::new();
    let dev = place.dev(&[]);
    let ended = place.run(&["dev", "--listen", dev.authority()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let expected = format!("grantd: cannot listen on {}: ", dev.authority());
    assert!(ended.stderr.starts_with(&expected), "{ended:?}");
    assert!(
        ended.stderr.contains("stop it or use another port"),
        "{ended:?}"
    );
    assert_eq!(ended.stderr.matches("in use").count(), 1, "{ended:?}");
}

#[test]
fn wrong_usage_is_exit_status_2() {
    let place = Place::new();
    for arguments in [
        &["dev", "--lisen", "127.0.0.1:0"][..],
        &["dev", "--listen", "nowhere"],
        &["client", "show"],
        &["serv"],
        &[],
    ] {
        let ended = place.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(
            ended.stderr.contains("Usage") || ended.stderr.contains("--help"),
            "{ended:?}"
        );
    }
}

#[test]
fn help_of_a_command_may_be_asked_for_in_two_ways() {
    let place = Place::new();
    for (one, other) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "issuer"], &["issuer", "--help"]),
        (&["help", "issuer", "test"], &["issuer", "test", "--help"]),
    ] {
        assert_eq!(place.done(one), place.done(other));
    }
    assert_eq!(place.run(&["help", "isuer"]).code, Some(2));
}

#[test]
fn ctrl_c_ends_dev_within_two_seconds_and_its_data_go() {
    let place = Place::new();
    let dev = place.dev(&[]);
    assert_eq!(place.left_behind(), 1);
    assert!(dev.interrupt().success());
    assert_eq!(place.left_behind(), 0);
}

#[test]
fn dev_ends_with_its_standard_input_if_told_so() {
    let place = Place::new();
    let (dev, mut pipe) = place.dev_with_piped_input(&["--until-stdin-closes"]);
    // What comes in means nothing.
    writeln!(pipe, "quit").unwrap();
    dev.token("archival-service", "archival-demo-secret");
    assert_eq!(place.left_behind(), 1);
    drop(pipe);
    assert!(dev.ended().success());
    assert_eq!(place.left_behind(), 0);
}

#[test]
fn dev_outlives_its_standard_input_unless_told_so() {
    let place = Place::new();
    let (dev, pipe) = place.dev_with_piped_input(&[]);
    drop(pipe);
    dev.token("archival-service", "archival-demo-secret");
}

#[test]
fn a_catalog_of_standard_input_cannot_also_say_when_to_end() {
    let place = Place::new();
    let arguments = ["dev", "--catalog", "-", "--until-stdin-closes"];
    let ended = place.run_with_input(&arguments, "");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let expected = "grantd: --catalog - reads standard input to its end";
    assert!(ended.stderr.starts_with(expected), "{ended:?}");
}

#[test]
fn the_ready_file_of_a_run_before_is_not_taken_for_this_ones() {
    let place = Place::new();
    place.write("ready", "{}");
    place.write("my.toml", "nonsense");
    let ended = place.run(&["dev", "--ready-file", "ready", "--catalog", "my.toml"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(!place.path("ready").exists());
}

#[test]
fn the_ready_file_names_every_url() {
    let place = Place::new();
    let dev = place.dev(&[]);
    let issuer = dev.url("issuer");
    assert_eq!(dev.url("token_endpoint"), format!("{issuer}/oauth2/token"));
    assert_eq!(
        dev.url("introspection_endpoint"),
        format!("{issuer}/oauth2/introspect")
    );
    assert_eq!(
        dev.url("revocation_endpoint"),
        format!("{issuer}/oauth2/revoke")
    );
    assert_eq!(dev.url("jwks_uri"), format!("{issuer}/oauth2/jwks"));
    assert!(dev.url("operations").starts_with("http://127.0.0.1:"));
    assert!(
        dev.url("data_dir")
            .starts_with(place.path("tmp").to_str().unwrap())
    );
}

#[test]
fn the_screen_shows_no_secret_of_a_catalog_of_ones_own() {
    let place = Place::new();
    place.write("my.toml", super::data::CATALOG);
    let dev = place.dev(&["--catalog", "my.toml"]);
    let screen = eventually("the whole screen", || {
        let text = std::fs::read_to_string(place.path("dev.out")).unwrap();
        text.contains("Ctrl-C").then_some(text)
    });
    assert!(
        screen.contains(&format!(
            "-u 'reader:SECRET' -d grant_type=client_credentials {}",
            dev.url("token_endpoint")
        )),
        "{screen}"
    );
    assert!(
        !screen.contains("reader-secret") && !screen.contains("api-secret"),
        "{screen}"
    );
}

/// Two audiences, no default scopes, and an id and a secret that a shell, a URL or a form could take for more.
fn odd_catalog() -> String {
    let pricing = "https://pricing.example/?a&b";
    let both = "auth = [\"client_secret_basic\", \"client_secret_post\"]\n";
    let policies = [
        policy(pricing, "read it's&50%+", ""),
        policy("orders", "orders:read", ""),
    ];
    [
        audience(pricing, "read write it's&50%+", ""),
        audience("orders", "orders:read", ""),
        client(
            r#"it's "odd": 50% + 1"#,
            &format!("{both}secret = \"literal:SE%CR+ET\""),
            &policies,
        ),
        by_secret(
            r#"basic's "odd": 50% + 1"#,
            "literal:SECRET",
            &policies[1..],
        ),
    ]
    .concat()
}

#[test]
fn every_line_of_the_screen_gets_a_token_as_printed() {
    let place = Place::new();
    if place.command("curl").arg("--version").output().is_err() {
        eprintln!("not run, for there is no curl");
        return;
    }
    place.write("odd.toml", &odd_catalog());
    for (arguments, least) in [(&[][..], 2), (&["--catalog", "odd.toml"], 2)] {
        let _dev = place.dev(arguments);
        let screen = eventually("the whole screen", || {
            let text = std::fs::read_to_string(place.path("dev.out")).unwrap();
            text.contains("Ctrl-C").then_some(text)
        });
        let lines: Vec<&str> = screen
            .lines()
            .filter(|line| line.contains("curl -s"))
            .collect();
        assert!(lines.len() >= least, "{screen}");
        for line in lines {
            // What a reader does who knows the secret.
            let line = line.replace("client_secret=SECRET", "client_secret=SE%CR+ET");
            let ended = crate::place::ended(place.command("sh").args(["-c", &line]));
            assert!(
                ended.stdout.contains("\"access_token\""),
                "{line}: {ended:?}"
            );
        }
    }
}

/// `grantd client list | head -1` ends in silence, and a screen that nobody reads stops no server.
#[test]
fn a_reader_that_has_gone_is_no_panic() {
    let place = Place::new();
    let _dev = place.dev(&["--data", "data"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut list = place.grantd(&["client", "list", "--data", "data"]);
    let list = list
        .stdout(writer.try_clone().unwrap())
        .stderr(File::create(place.path("e")).unwrap());
    assert_eq!(list.status().unwrap().code(), Some(1));
    assert_eq!(std::fs::read_to_string(place.path("e")).unwrap(), "");

    let mut other = place.grantd(&["dev", "--listen", "127.0.0.1:0", "--ready-file", "other"]);
    let mut other = Running(other.stdout(writer).spawn().unwrap());
    eventually("the ready file", || {
        std::fs::read_to_string(place.path("other")).ok()
    });
    other.signal("INT");
    assert!(other.0.wait().unwrap().success());
}

#[test]
fn help_lists_every_command() {
    insta::assert_snapshot!(Place::new().done(&["--help"]), @r"
    An OAuth 2.0 authorization server for machines

    Usage: grantd [OPTIONS] <COMMAND>

    Commands:
      dev           Run an identity provider for a laptop or a CI job: embedded database, demo clients,
                    one command
      serve         Run a replica of the token issuer, configured by a file and by GRANTD_ variables
      migrate       Upgrade the database schema to this version
      apply         Make the database match a catalog of audiences, clients and policies
      export        Print the database as a catalog, with hashes in place of secrets
      check-config  Check settings and catalogs without changing or contacting anything
      health        Ask a running server whether it is ready
      client        Make, list, show, disable and delete clients
      credential    List, add and retire the secrets, keys and certificates of clients
      audience      Make, list, show and delete audiences
      issuer        List, show and test the issuers whose tokens count here
      policy        Say what a client may get at an API, and who may call it
      key           List, rotate, retire and reseal the keys that sign tokens
      token         Inspect and revoke tokens; make client assertions and DPoP proofs
      usage         Show who got how many tokens, what was refused, and which clients do not cache
      audit         Show the audit log: who changed what, who was refused, and what needs a look
      explain       Say why a request was refused, or would be, check by check
      verify-api    Fire tokens with one flaw each at an API, and tell which it accepts
      completions   Print a completion script for your shell
      manual        Print the manual pages, or write them to a directory

    Options:
          --color <WHEN>  When to use colours: auto, always or never [default: auto]
      -h, --help          Print help
      -V, --version       Print version
    ");
}
