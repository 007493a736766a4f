//! `check-config`, `health`, and which database a command works on.

use std::fs;

use crate::place::Place;
use crate::process::Server;
use crate::source_tree::root;

/// How the lines of the example begin that have to do with TLS and proxies.
const OF_TLS: [&str; 6] = [
    "tls_",
    "[mtls]",
    "[proxy]",
    "networks =",
    "thumbprints =",
    "client_address =",
];

/// A place with `config/grantd.toml` for plain HTTP on loopback and without mutual TLS, its sealing key, and a database
/// in SQLite.
pub(super) fn with_settings() -> Place {
    let place = Place::new();
    let example = fs::read_to_string(root().join("config/grantd.toml")).unwrap();
    let settings: String = example
        .lines()
        .filter(|line| !OF_TLS.iter().any(|start| line.starts_with(start)))
        .map(|line| match line {
            line if line.starts_with("database_url ") => "database_url = \"sqlite://settings.db\"",
            "# default: listen = \"0.0.0.0:8443\"" => "listen = \"127.0.0.1:0\"",
            line => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    place.write("grantd.toml", &settings);
    crate::place::write_private(&place.path("sealing.key"), &[7; 32]);
    place
}

#[test]
fn check_config_says_that_settings_are_right_and_touches_nothing() {
    let place = with_settings();
    let said = place.done(&["check-config", "--config", "grantd.toml"]);
    assert_eq!(
        said,
        "the settings are valid; issuer https://auth.internal.example\n"
    );
    assert!(!place.path("settings.db").exists());
}

#[test]
fn check_config_points_at_a_typo() {
    let place = with_settings();
    let settings = fs::read_to_string(place.path("grantd.toml")).unwrap();
    let line = settings
        .lines()
        .position(|line| line.starts_with("key_file"))
        .unwrap()
        + 1;
    place.write("grantd.toml", &settings.replace("\nkey_file", "\nkey_fle"));
    let ended = place.run(&["check-config", "--config", "grantd.toml"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(
        ended.stderr,
        format!(
            "grantd: grantd.toml:{line}: sealing.key_fle: unknown key; the nearest known one is `key_file`\n"
        )
    );
}

#[test]
fn check_config_reads_a_catalog_as_apply_does() {
    let place = with_settings();
    place.write("my.toml", super::data::CATALOG);
    let ended = place.run(&[
        "check-config",
        "--config",
        "grantd.toml",
        "--catalog",
        "my.toml",
    ]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("my.toml:9: client \"reader\""),
        "{ended:?}"
    );
    assert!(!ended.stderr.contains("reader-secret"), "{ended:?}");
}

/// One catalog, right in the default profile: with `fapi2` each command says why it is not.
#[test]
fn what_contradicts_fapi2_is_refused_by_check_config_apply_and_serve() {
    let place = with_settings();
    let default = fs::read_to_string(place.path("grantd.toml")).unwrap();
    let default = default.replace(
        "\n# default: listen = \"127.0.0.1:9090\"",
        "\nlisten = \"127.0.0.1:0\"",
    );
    place.write("default.toml", &default);
    let fapi2 = default.replace("# default: profile = \"default\"", "profile = \"fapi2\"");
    assert_ne!(default, fapi2);
    place.write("fapi2.toml", &fapi2);
    let secrets = super::data::CATALOG
        .replace("reader-secret", "env:TEST_SECRET")
        .replace("api-secret", "env:TEST_SECRET");
    place.write("my.toml", &secrets);
    let run = |arguments: &[&str], settings: &str| {
        let mut command = place.grantd(&[arguments, &["--config", settings]].concat());
        command.env("TEST_SECRET", "a secret of the environment");
        crate::place::ended(&mut command)
    };
    place.done(&["migrate", "--config", "default.toml"]);
    let (check, apply) = (
        ["check-config", "--catalog", "my.toml"],
        ["apply", "my.toml"],
    );
    for arguments in [&check[..], &apply] {
        let refused = run(arguments, "fapi2.toml");
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(
            refused.stderr.contains("my.toml:") && refused.stderr.contains("the profile fapi2"),
            "{refused:?}"
        );
        let taken = run(arguments, "default.toml");
        assert_eq!(taken.code, Some(0), "{taken:?}");
    }
    let mut serve = place.grantd(&["serve", "--config", "fapi2.toml"]);
    let mut server = Server::start(&mut serve, &place.path("log"));
    assert_eq!(server.wait().code(), Some(1), "{}", server.log());
    assert!(
        server.log().contains("the profile fapi2 binds every token"),
        "{}",
        server.log()
    );
}

/// An RSA key that names RS256 verifies nothing that the profile allows; one without `alg` serves PS256.
#[test]
fn a_key_for_rs256_alone_is_refused_under_fapi2_by_every_command() {
    // RFC 7638 section 3.1.
    const N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let place = with_settings();
    let default = fs::read_to_string(place.path("grantd.toml")).unwrap();
    let default = default.replace(
        "\n# default: listen = \"127.0.0.1:9090\"",
        "\nlisten = \"127.0.0.1:0\"",
    );
    place.write("default.toml", &default);
    place.write(
        "fapi2.toml",
        &default.replace("# default: profile = \"default\"", "profile = \"fapi2\""),
    );
    let key = |alg: &str| {
        format!("{{\"kty\":\"RSA\",\"e\":\"AQAB\",\"kid\":\"old\",\"n\":\"{N}\"{alg}}}")
    };
    let catalog = |alg: &str, more: &str| {
        let key = key(alg);
        format!(
            "[[client]]\nid = \"worker\"\nauth = \"private_key_jwt\"\n\
             jwks = [{{ value = '{key}'{more} }}]\n"
        )
    };
    let advice = "client worker: the profile fapi2 forbids RS256, and the key old is registered for that alone";
    let refused = |arguments: &[&str]| {
        let ended = place.run(&[arguments, &["--config", "fapi2.toml"]].concat());
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(advice), "{ended:?}");
    };
    let done = |arguments: &[&str], settings: &str| {
        place.done(&[arguments, &["--config", settings]].concat());
    };
    done(&["migrate"], "fapi2.toml");
    let (check, apply) = (
        ["check-config", "--catalog", "my.toml"],
        ["apply", "my.toml"],
    );
    place.write("my.toml", &catalog(",\"alg\":\"RS256\"", ""));
    refused(&check);
    refused(&apply);
    for (alg, more) in [
        ("", ""),
        (",\"alg\":\"PS256\"", ""),
        (",\"alg\":\"RS256\"", ", retired_at = 5"),
    ] {
        place.write("my.toml", &catalog(alg, more));
        done(&check, "fapi2.toml");
    }
    place.write(
        "my.toml",
        "[[client]]\nid = \"worker\"\nauth = \"private_key_jwt\"\n",
    );
    done(&apply, "fapi2.toml");
    place.write("key.json", &key(",\"alg\":\"RS256\""));
    let add = ["credential", "add-key", "worker", "key.json"];
    refused(&add);
    done(&add, "default.toml");
    let mut serve = place.grantd(&["serve", "--config", "fapi2.toml"]);
    let mut server = Server::start(&mut serve, &place.path("log"));
    assert_eq!(server.wait().code(), Some(1), "{}", server.log());
    assert!(server.log().contains(advice), "{}", server.log());
}

#[test]
fn a_database_url_counts_in_place_of_the_one_in_the_settings() {
    let place = with_settings();
    let other = [
        "--config",
        "grantd.toml",
        "--database-url",
        "sqlite://other.db",
    ];
    place.done(&[&["migrate"][..], &other].concat());
    assert!(place.path("other.db").exists() && !place.path("settings.db").exists());
    let old = place.run(&["client", "list", "--config", "grantd.toml"]);
    assert_eq!(old.code, Some(1), "{old:?}");
    assert!(old.stderr.contains("grantd migrate"), "{old:?}");
}

/// Else a variable that is left over leads `apply --prune` to another database than the one in its line.
#[test]
fn a_flag_counts_before_a_variable() {
    let place = Place::new();
    place.done(&["migrate", "--database-url", "sqlite://named.db"]);
    let list = |arguments: &[&str]| {
        let mut command = place.grantd(&[&["client", "list"], arguments].concat());
        crate::place::ended(command.env("GRANTD_DATA", "nowhere"))
    };
    let ended = list(&["--database-url", "sqlite://named.db"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for arguments in [
        &[][..],
        &["--data", "elsewhere", "--database-url", "sqlite://named.db"],
    ] {
        let ended = list(arguments);
        assert!(
            ended.code == Some(1) && ended.stderr.contains("where"),
            "{ended:?}"
        );
    }
}

/// What makes keys needs the sealing key, and says so; its variable suffices beside a mere URL.
#[test]
fn apply_takes_the_sealing_key_from_the_environment() {
    let place = Place::new();
    let catalog = super::data::CATALOG
        .replace("reader-secret", "env:READER")
        .replace("api-secret", "env:READER");
    place.write("my.toml", &catalog);
    let url = ["--database-url", "sqlite://some.db"];
    place.done(&[&["migrate"][..], &url].concat());
    let apply = |variable: Option<&str>| {
        let mut command = place.grantd(&[&["apply", "my.toml"][..], &url].concat());
        command.env("READER", "a secret of the environment");
        command.envs(variable.map(|value| ("GRANTD_SEALING__KEY", value)));
        crate::place::ended(&mut command)
    };
    let ended = apply(None);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("there is no sealing key"),
        "{ended:?}"
    );
    let ended = apply(Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn health_is_0_when_ready_and_1_where_nothing_listens() {
    let place = Place::new();
    let dev = place.dev(&[]);
    let operations = dev.url("operations").to_owned();
    assert!(place.done(&["health", &operations]).contains("\"ready\""));
    assert!(
        place
            .done(&["health", &format!("{operations}/readyz")])
            .contains("\"ready\"")
    );
    assert!(dev.interrupt().success());
    let ended = place.run(&["health", &operations]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("does not answer"), "{ended:?}");
}
