//! The files that grantd makes and reads: who may look into them, where they lie, and what is no file at all.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use super::checks::with_settings;
use crate::place::{Ended, Place, ended, sent_for, write_private};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn refused(ended: &Ended, why: &str) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(why), "{why:?} is not in {ended:?}");
}

/// Runs grantd, which would serve for ever if it did not refuse.
fn within_20_s(place: &Place, arguments: &[&str]) -> Ended {
    ended(
        place
            .command("timeout")
            .args([&["20", "grantd"], arguments].concat()),
    )
}

/// Every file below `directory`, with its mode.
fn modes_below(directory: &Path) -> Vec<(String, u32)> {
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                mode(&path),
            )
        })
        .collect()
}

#[test]
fn what_dev_makes_is_for_its_owner_alone_whatever_the_umask() {
    for (umask, data) in [
        ("0", None),
        ("0", Some("data")),
        ("0", Some("deep/er/data")),
        ("0277", None),
    ] {
        let place = Place::new();
        let arguments: Vec<&str> = data.map_or(Vec::new(), |data| vec!["--data", data]);
        let dev = place.dev_after(&format!("umask {umask}"), &arguments);
        let directory = dev.url("data_dir").to_owned();
        let directory = place.path(&directory);
        assert_eq!(mode(&directory), 0o700, "{umask} {data:?}");
        dev.token("archival-service", "archival-demo-secret");
        let files = modes_below(&directory);
        for name in [
            "grantd.db",
            "grantd.db-wal",
            "grantd.db-shm",
            "sealing.key",
            "ca.key",
            "server.key",
        ] {
            let found = files.iter().find(|(file, _)| file == name);
            let (_, mode) = found.unwrap_or_else(|| panic!("{name} is not in {files:?}"));
            assert_eq!(mode & 0o077, 0, "{name} {umask} {data:?}");
        }
        let open = files
            .iter()
            .filter(|(name, mode)| name.contains(".key") && mode & 0o077 > 0);
        assert_eq!(open.count(), 0, "{files:?}");
        assert!(dev.interrupt().success());
    }
}

#[test]
fn a_database_that_serve_or_a_command_makes_is_for_its_owner_alone() {
    let place = Place::new();
    let line = "umask 0; exec grantd migrate --database-url sqlite://grantd.db";
    let ended = ended(place.command("sh").args(["-c", line]));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(mode(&place.path("grantd.db")), 0o600);
}

#[test]
fn data_that_others_can_read_are_refused_with_the_command_that_mends_it() {
    let place = Place::new();
    let dev = place.dev(&["--data", "data"]);
    assert!(dev.interrupt().success());
    symlink("data", place.path("link")).unwrap();
    let commands = |data: &str| {
        let dev = ["dev", "--listen", "127.0.0.1:0", "--data", data].map(str::to_owned);
        [
            dev.to_vec(),
            ["client", "list", "--data", data]
                .map(str::to_owned)
                .to_vec(),
        ]
    };
    let each = |why: &dyn Fn(&str) -> String| {
        for data in ["data", "link"] {
            for command in commands(data) {
                let command: Vec<&str> = command.iter().map(String::as_str).collect();
                refused(&within_20_s(&place, &command), &why(data));
            }
        }
    };
    chmod(&place.path("data"), 0o755);
    each(&|data| format!("other users can look into the data directory {data}, "));
    each(&|data| format!(": chmod 700 {data}\n"));
    chmod(&place.path("data"), 0o700);
    for bits in [0o644, 0o640, 0o620, 0o602] {
        chmod(&place.path("data/sealing.key"), bits);
        each(&|data| format!(": chmod 600 {data}/sealing.key\n"));
    }
    // The key itself elsewhere, behind a link.
    fs::rename(place.path("data/sealing.key"), place.path("other.key")).unwrap();
    symlink("../other.key", place.path("data/sealing.key")).unwrap();
    each(&|data| format!(": chmod 600 {data}/sealing.key\n"));
    chmod(&place.path("other.key"), 0o600);
    place.done(&["client", "list", "--data", "data"]);
    assert!(place.dev(&["--data", "link"]).interrupt().success());
    // Nor is one taken that is there before the first start.
    fs::create_dir(place.path("new")).unwrap();
    chmod(&place.path("new"), 0o755);
    let dev = ["dev", "--listen", "127.0.0.1:0", "--data", "new"];
    refused(&within_20_s(&place, &dev), "chmod 700 new");
    assert_eq!(fs::read_dir(place.path("new")).unwrap().count(), 0);
}

#[test]
fn a_sealing_key_that_others_can_read_is_refused_by_every_command() {
    let place = with_settings();
    place.done(&["migrate", "--config", "grantd.toml"]);
    symlink("sealing.key", place.path("link.key")).unwrap();
    write_private(&place.path("old.key"), &[8; 32]);
    let settings = fs::read_to_string(place.path("grantd.toml")).unwrap();
    let linked = settings.replace("\nkey_file = \"sealing.key\"", "\nkey_file = \"link.key\"");
    let old = settings.replace(
        "\n# default: old_key_files = []",
        "\nold_key_files = [\"sealing.key\"]",
    );
    let old = old.replace("\nkey_file = \"sealing.key\"", "\nkey_file = \"old.key\"");
    assert!(
        linked != settings && old.contains("\nold_key_files = [\"sealing"),
        "{old}"
    );
    for (settings, key) in [
        (&settings, "sealing.key"),
        (&linked, "link.key"),
        (&old, "sealing.key"),
    ] {
        place.write("grantd.toml", settings);
        chmod(&place.path(""), 0o755);
        chmod(&place.path("sealing.key"), 0o644);
        for command in [
            &["check-config"][..],
            &["client", "list"],
            &["serve"],
            &["export"],
        ] {
            let ended = place.run(&[command, &["--config", "grantd.toml"]].concat());
            refused(
                &ended,
                &format!("other users can read the sealing key {key}"),
            );
            refused(&ended, &format!("chmod 600 {key}"));
        }
        // A group may: so Kubernetes mounts secrets with fsGroup. And nobody comes through a closed door.
        for (directory, key) in [(0o755, 0o440), (0o755, 0o600), (0o700, 0o644)] {
            chmod(&place.path(""), directory);
            chmod(&place.path("sealing.key"), key);
            place.done(&["check-config", "--config", "grantd.toml"]);
        }
    }
}

#[test]
fn nothing_stays_behind_when_the_terminal_goes() {
    for signal in [sent_for("HUP", 1), "TERM", sent_for("INT", 2)] {
        let place = Place::new();
        let dev = place.dev(&[]);
        assert_eq!(place.left_behind(), 1);
        assert!(dev.end_by(signal).success(), "{signal}");
        assert_eq!(place.left_behind(), 0, "{signal}");
    }
}

/// `nohup` means that the end of the terminal is not ours.
#[test]
fn a_hangup_that_was_ignored_at_the_start_stays_ignored() {
    let place = Place::new();
    let dev = place.dev_by("trap '' HUP; exec \"$@\"", &[]);
    let (hangup, interrupt) = (1, 2);
    assert!(!dev.catches(hangup) && dev.catches(interrupt));
    assert!(dev.interrupt().success());
}

/// As every other path in the settings; on the command line a path is relative to the working directory.
#[test]
fn a_sqlite_path_in_the_settings_is_relative_to_their_file() {
    let place = Place::new();
    let settings = fs::read_to_string(with_settings().path("grantd.toml")).unwrap();
    for directory in ["etc", "secrets"] {
        fs::create_dir(place.path(directory)).unwrap();
    }
    write_private(&place.path("etc/sealing.key"), &[7; 32]);
    place.write("etc/grantd.toml", &settings);
    place.done(&["migrate", "--config", "etc/grantd.toml"]);
    assert!(place.path("etc/settings.db").is_file() && !place.path("settings.db").exists());
    place.done(&["client", "list", "--config", "etc/grantd.toml"]);
    // The content of database_url_file is relative to that file.
    let by_file = settings.replace(
        "database_url = \"sqlite://settings.db\"",
        "database_url_file = \"../secrets/url\"",
    );
    assert_ne!(by_file, settings);
    place.write("etc/grantd.toml", &by_file);
    place.write("secrets/url", "sqlite://beside.db\n");
    place.done(&["migrate", "--config", "etc/grantd.toml"]);
    assert!(place.path("secrets/beside.db").is_file());
    // A variable and a flag know no file.
    place.write("etc/grantd.toml", &settings);
    let mut command = place.grantd(&["migrate", "--config", "etc/grantd.toml"]);
    let done = ended(command.env("GRANTD_DATABASE_URL", "sqlite://here.db"));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(place.path("here.db").is_file());
}

#[test]
fn a_command_that_only_reads_makes_no_database() {
    let place = with_settings();
    place.write("my.toml", "");
    let before = fs::read_dir(place.path("")).unwrap().count();
    for command in [
        &["client", "list"][..],
        &["client", "show", "a"],
        &["credential", "list", "a"],
        &["export"],
        &["apply", "my.toml", "--dry-run"],
        &["apply", "my.toml"],
    ] {
        for target in [
            ["--config", "grantd.toml"],
            ["--database-url", "sqlite://typo.db"],
        ] {
            let ended = place.run(&[command, &target].concat());
            refused(&ended, "there is no database at ");
            refused(&ended, "run `grantd migrate` to create it");
        }
    }
    let serve = place.run(&["serve", "--config", "grantd.toml"]);
    refused(&serve, "there is no database at ");
    assert_eq!(fs::read_dir(place.path("")).unwrap().count(), before);
}

/// A pipe without a writer would be waited for, and a device fills the memory.
#[test]
fn only_regular_files_are_read() {
    let place = with_settings();
    place.done(&["migrate", "--config", "grantd.toml"]);
    let made = place.command("mkfifo").arg("pipe").status().unwrap();
    assert!(made.success());
    let run = |line: &str| {
        let line = format!("ulimit -v 4000000; exec timeout 20 grantd {line}");
        ended(place.command("sh").args(["-c", &line]))
    };
    let settings = fs::read_to_string(place.path("grantd.toml")).unwrap();
    let with = |name: &str, from: &str, to: &str| {
        let changed = settings.replace(from, to);
        assert_ne!(changed, settings, "{from}");
        place.write(name, &changed);
    };
    with(
        "key.toml",
        "\nkey_file = \"sealing.key\"",
        "\nkey_file = \"pipe\"",
    );
    with(
        "url.toml",
        "\ndatabase_url = \"sqlite://settings.db\"",
        "\ndatabase_url_file = \"pipe\"",
    );
    with(
        "tls.toml",
        "\nlisten = \"127.0.0.1:0\"",
        "\nlisten = \"127.0.0.1:0\"\ntls_certificate_file = \"pipe\"\ntls_key_file = \"pipe\"",
    );
    let client = |name: &str, line: &str| {
        place.write(name, &format!("[[client]]\nid = \"a\"\nauth = {line}\n"));
    };
    client(
        "secret.toml",
        "\"client_secret_basic\"\nsecret = \"file:pipe\"",
    );
    client("jwks.toml", "\"private_key_jwt\"\njwks_file = \"pipe\"");
    client(
        "certificate.toml",
        "\"self_signed_tls_client_auth\"\ncertificate_file = \"pipe\"",
    );
    place.write(
        "empty.toml",
        "[[client]]\nid = \"a\"\nauth = [\"private_key_jwt\", \"self_signed_tls_client_auth\"]\n",
    );
    place.done(&["apply", "empty.toml", "--config", "grantd.toml"]);
    for line in [
        "apply pipe --config grantd.toml",
        "apply /dev/zero --config grantd.toml",
        "check-config --config grantd.toml --catalog pipe",
        "check-config --config pipe",
        "check-config --config /dev/zero",
        "check-config --config key.toml",
        "check-config --config url.toml",
        "check-config --config tls.toml",
        "serve --config tls.toml",
        "apply secret.toml --config grantd.toml",
        "apply jwks.toml --config grantd.toml",
        "apply certificate.toml --config grantd.toml",
        "credential add-key a pipe --config grantd.toml",
        "credential add-certificate a pipe --config grantd.toml",
        "dev --listen 127.0.0.1:0 --catalog pipe",
        "dev --listen 127.0.0.1:0 --catalog /dev/zero",
        "dev --listen 127.0.0.1:0 --client-ca pipe",
    ] {
        let ended = run(line);
        assert_eq!(ended.code, Some(1), "{line}: {ended:?}");
        assert!(
            ended.stderr.contains("not a regular file"),
            "{line}: {ended:?}"
        );
    }
}

/// What Kubernetes puts into each pod's environment when Services are called `grantd` and `grantd-postgres`.
#[test]
fn variables_of_kubernetes_services_are_passed_over() {
    let place = with_settings();
    let run = |arguments: &[&str], more: (&str, &str)| {
        let mut command = place.grantd(&[arguments, &["--config", "grantd.toml"]].concat());
        command.envs([
            ("GRANTD_SERVICE_HOST", "10.0.0.1"),
            ("GRANTD_SERVICE_PORT", "8080"),
            ("GRANTD_SERVICE_PORT_HTTP", "8080"),
            ("GRANTD_PORT", "tcp://10.0.0.1:8080"),
            ("GRANTD_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("GRANTD_PORT_8080_TCP_PROTO", "tcp"),
            ("GRANTD_PORT_8080_TCP_PORT", "8080"),
            ("GRANTD_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("GRANTD_POSTGRES_SERVICE_HOST", "10.0.0.2"),
            ("GRANTD_POSTGRES_PORT", "tcp://10.0.0.2:5432"),
            ("GRANTD_POSTGRES_PORT_5432_TCP_ADDR", "10.0.0.2"),
        ]);
        ended(command.env(more.0, more.1))
    };
    for command in [&["migrate"][..], &["check-config"], &["client", "list"]] {
        let done = run(command, ("OTHER", ""));
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    for (name, near) in [
        ("GRANTD_ISSUR", "GRANTD_ISSUER"),
        ("GRANTD_PORT", "the nearest known variable is"),
    ] {
        let ended = run(&["check-config"], (name, "8080"));
        refused(
            &ended,
            &format!("environment variable {name}: unknown setting"),
        );
        refused(&ended, near);
    }
    let mut serve = place.grantd(&["serve", "--config", "grantd.toml"]);
    serve
        .env("GRANTD_SERVICE_HOST", "10.0.0.1")
        .env("GRANTD_LOG", "debug");
    serve.env("GRANTD_OPERATIONS__LISTEN", "127.0.0.1:0");
    let server = crate::process::Server::start(&mut serve, &place.path("log"));
    crate::process::eventually("debug says so", || {
        server
            .log()
            .lines()
            .any(|line| line.contains("DEBUG") && line.contains("GRANTD_SERVICE_HOST"))
    });
}
