//! `check-config` beside `serve` and `apply`: the same verdict in the same words, and what it can do without.

use std::fs;

use grantd::crypto::certificates::made::CertificateKey;
use grantd::domain::timestamp::Timestamp;

use super::checks::with_settings;
use crate::place::{Ended, Place, ended, write_private};

/// A certificate with its key, the key of another, and files that are neither.
fn with_certificates() -> Place {
    let place = with_settings();
    let (key, other) = [(); 2].map(|()| CertificateKey::generate().unwrap()).into();
    let certificate = key
        .self_signed("localhost", Timestamp::from_unix(1_790_000_000))
        .unwrap();
    place.write("a.pem", &certificate);
    place.write("bom.pem", &format!("\u{feff}{certificate}"));
    place.write("empty.pem", "");
    place.write("text.pem", "no certificate\n");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    place.write("broken.pem", broken);
    place.write("a.key", &key.to_pem());
    place.write("b.key", &other.to_pem());
    let encrypted = key.to_pem().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    place.write("encrypted.key", &encrypted);
    write_private(&place.path("short.key"), &[7; 31]);
    write_private(&place.path("text.key"), b"no key at all, and no base64\n");
    fs::write(place.path("open.key"), [7; 32]).unwrap();
    fs::set_permissions(
        place.path(""),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    place.write("mysql.url", "mysql://u@h/d\n");
    place.write("short.secret", "short\n");
    place
}

const MINIMAL: &str = "issuer = \"https://auth.example\"\n\
    database_url = \"sqlite://settings.db\"\n\
    [public]\nlisten = \"127.0.0.1:0\"\n\
    [operations]\nlisten = \"127.0.0.1:0\"\n\
    [sealing]\nkey_file = \"sealing.key\"\n";

/// What `command` says of [`MINIMAL`] with `new` in the place of `old`.
fn verdict(place: &Place, command: &str, (old, new): (&str, &str)) -> Ended {
    assert!(MINIMAL.contains(old), "{old}");
    place.write("wrong.toml", &MINIMAL.replace(old, new));
    ended(
        place
            .command("timeout")
            .args(["5", "grantd", command, "--config", "wrong.toml"]),
    )
}

fn tls(table: &str, pair: &str) -> (String, String) {
    let (certificate, key) = pair.split_once(' ').unwrap();
    let head = format!("[{table}]\nlisten = \"127.0.0.1:0\"\n");
    let files = format!("tls_certificate_file = \"{certificate}\"\ntls_key_file = \"{key}\"\n");
    if MINIMAL.contains(&head) {
        (head.clone(), head + &files)
    } else {
        ("[sealing]".to_owned(), format!("{head}{files}[sealing]"))
    }
}

#[test]
fn check_config_refuses_each_wrong_file_in_the_words_of_serve() {
    let place = with_certificates();
    let mut wrong = Vec::new();
    for pair in [
        "a.pem b.key",
        "a.pem encrypted.key",
        "a.pem a.pem",
        "empty.pem a.key",
        "text.pem a.key",
        "bom.pem a.key",
        "broken.pem a.key",
        "nosuch.pem a.key",
        "a.pem nosuch.key",
        "a.pem tmp",
    ] {
        wrong.extend(["public", "mtls"].map(|table| tls(table, pair)));
    }
    let (_, mutual) = tls("mtls", "a.pem a.key");
    for ca in [
        "empty.pem",
        "text.pem",
        "broken.pem",
        "nosuch.pem",
        "tmp",
        "a.key",
    ] {
        let with_ca = mutual.replace("[sealing]", "");
        let with_ca = format!("{with_ca}client_ca_files = [\"{ca}\"]\n[sealing]");
        wrong.push(("[sealing]".to_owned(), with_ca));
    }
    let key = "key_file = \"sealing.key\"\n";
    for file in ["nosuch.key", "short.key", "text.key", "open.key", "tmp"] {
        wrong.push((key.to_owned(), format!("key_file = \"{file}\"\n")));
        wrong.push((
            key.to_owned(),
            format!("{key}old_key_files = [\"{file}\"]\n"),
        ));
    }
    let proxy = "[proxy]\nnetworks = [\"127.0.0.1/32\"]\nclient_address = \"forwarded\"\n\
                 secret_header = \"x-proxy\"\nsecret_file = ";
    for file in ["nosuch.secret", "short.secret", "tmp"] {
        wrong.push((
            "[sealing]".to_owned(),
            format!("{proxy}\"{file}\"\n[sealing]"),
        ));
    }
    let url = "database_url = \"sqlite://settings.db\"";
    for new in [
        "database_url_file = \"nosuch.url\"",
        "database_url_file = \"mysql.url\"",
        "database_url = \"postgres://a,b/x?target_session_attrs=any\"",
        "database_url = \"postgres://a:5432,:1/x\"",
        "database_url = \"postgres://a/x?sslmode=nonsense\"",
        "database_url = \"postgres://a/x?channel_binding=require\"",
        "",
    ] {
        wrong.push((url.to_owned(), new.to_owned()));
    }
    wrong.push((key.to_owned(), String::new()));
    for (old, new) in &wrong {
        let [check, serve] =
            ["check-config", "serve"].map(|command| verdict(&place, command, (old, new)));
        assert_eq!(check.code, Some(1), "{new}: {check:?}");
        assert!(check.stderr.starts_with("grantd: "), "{new}: {check:?}");
        assert_eq!(serve.code, Some(1), "{new}: {serve:?}");
        assert!(
            serve.stderr.ends_with(&check.stderr),
            "{new}: {check:?} {serve:?}"
        );
        assert_eq!(check.stdout, "", "{new}");
    }
}

/// A URL with several hosts is taken without `target_session_attrs`: grantd finds the one that can write.
#[test]
fn a_database_url_with_several_hosts_is_right_for_check_config_and_for_commands() {
    let place = with_settings();
    let run = |arguments: &[&str]| {
        let mut command = place.grantd(&[arguments, &["--config", "grantd.toml"]].concat());
        ended(command.env(
            "GRANTD_DATABASE_URL",
            "postgres://u@127.0.0.1:1,127.0.0.1:2/x",
        ))
    };
    assert_eq!(run(&["check-config"]).code, Some(0));
    let list = run(&["client", "list"]);
    assert!(
        list.stderr.contains("at 127.0.0.1:2 is out of reach"),
        "{list:?}"
    );
}

const CATALOG: &str = "[[client]]\nid = \"reader\"\nsecrets = [\"env:READER\", \
    { id = \"k3v9x0q2ma\", value = \"file:reader.secret\" }]\n";

#[test]
fn catalogs_are_checked_without_any_settings_and_several_are_one() {
    let place = Place::new();
    place.write("a.toml", "[[audience]]\nid = \"a\"\nscopes = [\"read\"]\n");
    place.write("b.toml", "[[client]]\nid = \"b\"\nstatus = \"enabled\"\n");
    let ended = place.run(&["check-config", "--catalog", "a.toml"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.stdout,
        "the catalog a.toml is valid; 1 audience, 0 clients\n"
    );
    assert!(ended.stderr.contains("no settings given"), "{ended:?}");
    let ended = place.run(&["check-config", "--catalog", "a.toml", "--catalog", "b.toml"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("b.toml:3: client \"b\": status"),
        "{ended:?}"
    );
    place.write("b.toml", "[[client]]\nid = \"b\"\n");
    assert_eq!(
        place.done(&["check-config", "--catalog", "a.toml", "--catalog", "b.toml"]),
        "the catalog a.toml, b.toml is valid; 1 audience, 1 client\n"
    );
    // Without a catalog it is the settings that are missing.
    let ended = place.run(&["check-config"]);
    assert!(
        ended.code == Some(1) && ended.stderr.contains("issuer"),
        "{ended:?}"
    );
}

#[test]
fn without_secrets_what_is_absent_is_no_fault_and_is_named_in_one_line() {
    let place = Place::new();
    place.write("catalog.toml", CATALOG);
    place.write("a.pem", "");
    place.write(
        "grantd.toml",
        "issuer = \"https://auth.example\"\ndatabase_url_file = \"url\"\n\
         [public]\ntls_certificate_file = \"tls.pem\"\ntls_key_file = \"tls.key\"\n\
         [proxy]\nnetworks = [\"10.0.0.5/32\"]\nclient_address = \"forwarded\"\n\
         secret_header = \"x-proxy\"\nsecret_file = \"proxy.secret\"\n\
         [sealing]\nkey_file = \"sealing.key\"\nold_key_files = [\"old.key\"]\n",
    );
    let check = [
        "check-config",
        "--config",
        "grantd.toml",
        "--catalog",
        "catalog.toml",
    ];
    assert_eq!(place.run(&check).code, Some(1));
    let lenient = [&check[..], &["--without-secrets"]].concat();
    let ended = place.run(&lenient);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.stderr,
        "not checked because absent here: database_url_file url, env:READER, \
         file: reader.secret, proxy.secret_file proxy.secret, sealing.key_file sealing.key, \
         sealing.old_key_files old.key, tls.pem with its key tls.key\n"
    );
    // What is there is judged as ever, and what is no secret must be there.
    place.write("reader.secret", "short");
    let ended = place.run(&lenient);
    assert!(
        ended.code == Some(1) && ended.stderr.contains("catalog.toml:3"),
        "{ended:?}"
    );
    fs::remove_file(place.path("reader.secret")).unwrap();
    write_private(&place.path("old.key"), &[7; 31]);
    let ended = place.run(&lenient);
    assert!(
        ended.code == Some(1) && ended.stderr.contains("old.key"),
        "{ended:?}"
    );
}

/// A variable of the server's environment is as absent as a file.
#[test]
fn without_secrets_variables_of_the_settings_may_be_absent() {
    let place = Place::new();
    place.write(
        "grantd.toml",
        "issuer = \"https://auth.example\"\n[public]\nlisten = \"127.0.0.1:0\"\n",
    );
    let ended = place.run(&[
        "check-config",
        "--config",
        "grantd.toml",
        "--without-secrets",
    ]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.stderr,
        "not checked because absent here: database_url, sealing.key\n"
    );
}
