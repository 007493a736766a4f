//! What every command has in common: colours, exit status, and what it says to a mistake.

use std::fs;

use super::data::CATALOG;
use crate::place::{Ended, Place, ended, eventually, sent_for};

/// What begins a colour on a terminal.
const ESCAPE: &str = "\x1b[";

fn with_data() -> Place {
    let place = Place::new();
    place.write("my.toml", CATALOG);
    let dev = place.dev(&["--data", "data", "--catalog", "my.toml"]);
    assert!(dev.interrupt().success());
    place
}

/// Runs a line of the shell on a terminal.
fn on_a_terminal(place: &Place, line: &str, variables: &[(&str, &str)]) -> String {
    let mut command = place.command("script");
    command.args(["-qec", line, "/dev/null"]);
    command.env("TERM", "xterm").envs(variables.iter().copied());
    ended(&mut command).stdout
}

#[test]
fn there_are_colours_on_a_terminal_alone_and_no_color_and_color_are_honoured() {
    let place = with_data();
    for line in [
        "grantd --help",
        "grantd clientt",
        "grantd client list --data nowhere",
        "grantd client list --data data",
        "grantd dev --listen 127.0.0.1:0 --until-stdin-closes < /dev/null 2>&1",
    ] {
        let pipe = |more: &str| {
            let line = format!("{line} {more}");
            let ended = ended(place.command("sh").args(["-c", &line]));
            ended.stdout + &ended.stderr
        };
        assert!(!pipe("").contains(ESCAPE), "{line}");
        assert!(pipe("--color always").contains(ESCAPE), "{line}");
        if place.command("script").arg("--version").output().is_err() {
            eprintln!("only in part, for there is no script");
            continue;
        }
        assert!(on_a_terminal(&place, line, &[]).contains(ESCAPE), "{line}");
        let off = on_a_terminal(&place, line, &[("NO_COLOR", "1")]);
        assert!(!off.contains(ESCAPE), "{line}: {off:?}");
        let off = on_a_terminal(&place, &format!("{line} --color=never"), &[]);
        assert!(!off.contains(ESCAPE), "{line}: {off:?}");
    }
}

#[test]
fn who_asks_for_json_in_another_way_is_told_how() {
    let place = Place::new();
    for asked in [
        &["--json"][..],
        &["--format", "json"],
        &["--format=json"],
        &["-o", "json"],
    ] {
        let ended = place.run(&[&["client", "list"], asked].concat());
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.stderr.contains("`--output json`"),
            "{asked:?}: {ended:?}"
        );
    }
    let ended = place.run(&["migrate", "--json"]);
    assert!(ended.stderr.contains("no JSON form"), "{ended:?}");
}

#[test]
fn an_address_in_another_form_is_answered_with_the_one_that_is_wanted() {
    let place = Place::new();
    for (address, wanted) in [
        ("8081", "127.0.0.1:8081"),
        (":8081", "127.0.0.1:8081"),
        ("localhost:8081", "127.0.0.1:8081"),
        ("127.0.0.1", "127.0.0.1:8080"),
    ] {
        let ended = place.run(&["dev", "--listen", address]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        let expected = format!("write an IP address and a port: {wanted}, or [::1]:");
        assert!(ended.stderr.contains(&expected), "{address}: {ended:?}");
    }
}

#[test]
fn a_credential_that_would_have_expired_already_is_not_made() {
    let place = with_data();
    for end in ["2020-01-01T00:00:00Z", "1577836800"] {
        let add = ["credential", "add-secret", "reader", "--expires-at", end];
        let ended = place.run(&[&add[..], &["--data", "data"]].concat());
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let expected = "2020-01-01T00:00:00Z is in the past";
        assert!(ended.stderr.contains(expected), "{ended:?}");
    }
    let list = place.json(&[
        "credential",
        "list",
        "reader",
        "--output",
        "json",
        "--data",
        "data",
    ]);
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
}

#[test]
fn a_log_filter_that_is_none_is_warned_of_and_info_is_used() {
    let place = Place::new();
    for (filter, part) in [("nonsense", "nonsense"), ("debug,hyper=wrn", "hyper=wrn")] {
        let mut command = place.grantd(&["dev", "--listen", "127.0.0.1:0", "--catalog", "nowhere"]);
        let ended = ended(command.env("GRANTD_LOG", filter));
        let warning = format!("GRANTD_LOG is not valid, using info found=\"{part}\"");
        assert!(ended.stderr.contains(&warning), "{ended:?}");
        assert_eq!(ended.stderr.matches("WARN").count(), 1, "{ended:?}");
    }
}

/// A shell reads the script, where there is that shell.
#[test]
fn completions_are_made_for_every_shell() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.done(&["completions", shell]);
        assert!(script.contains("check-config"), "{shell}");
        place.write("script", &script);
        if ["bash", "zsh", "fish"].contains(&shell)
            && let Ok(output) = place.command(shell).args(["-n", "script"]).output()
        {
            assert!(output.status.success(), "{shell}: {output:?}");
        }
    }
    assert_eq!(place.run(&["completions", "cmd"]).code, Some(2));
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let place = Place::new();
    let said = place.done(&["manual", "man/man1"]);
    let names: Vec<_> = fs::read_dir(place.path("man/man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        said.starts_with(&format!("{} pages", names.len())),
        "{said}"
    );
    for name in ["grantd.1", "grantd-dev.1", "grantd-credential-add-secret.1"] {
        assert!(names.iter().any(|it| it == name), "{names:?}");
    }
    let page = fs::read_to_string(place.path("man/man1/grantd-client-list.1")).unwrap();
    assert!(page.contains(".TH grantd-client-list 1"), "{page}");
    assert!(page.contains("\\fBgrantd client list\\fR"), "{page}");
    let all = place.done(&["manual"]);
    assert_eq!(all.matches("\n.TH grantd").count(), names.len(), "{all}");
}

/// 0 done, 1 refused or failed, 2 wrong usage, 3 nothing known; also for what begins a line of a script.
#[test]
fn the_exit_status_says_whether_it_was_done_refused_or_wrong_usage() {
    let place = with_data();
    place.write("right.toml", "[[audience]]\nid = \"a\"\nscopes = [\"b\"]\n");
    place.write("wrong.toml", "[[client]]\nid = \"a\"\nauht = \"x\"\n");
    for (expected, line) in [
        (0, "--help"),
        (0, "--version"),
        (0, "client --help"),
        (0, "check-config --catalog right.toml"),
        (0, "client list --data data"),
        (0, "client list --data data --output json"),
        (0, "client show reader --data data"),
        (0, "credential list reader --data data"),
        (0, "credential add-secret reader --data data"),
        (0, "apply my.toml --data data --dry-run"),
        (0, "export --data data"),
        (0, "migrate --data data"),
        (0, "completions bash"),
        (0, "manual"),
        (1, "dev --catalog nowhere.toml"),
        (1, "serve"),
        (1, "serve --config nowhere.toml"),
        (1, "check-config"),
        (1, "check-config --catalog wrong.toml"),
        (1, "client list"),
        (1, "client list --data nowhere"),
        (1, "client show nobody --data data"),
        (1, "credential list nobody --data data"),
        (1, "credential retire 0123456789 --data data"),
        (1, "credential add-key reader nowhere.pem --data data"),
        (1, "apply wrong.toml --data data"),
        (1, "export --data nowhere"),
        (1, "migrate --database-url mysql://h/d"),
        (1, "health http://127.0.0.1:1"),
        (1, "token inspect nonsense"),
        (1, "token assertion job --key nowhere --audience http://a"),
        (1, "token proof --key nowhere --url http://a"),
        (2, "token proof --key nowhere --url nowhere"),
        (2, "token assertion job"),
        (1, "manual /dev/null/x"),
        (2, ""),
        (2, "client"),
        (2, "credential"),
        (2, "token"),
        (2, "clientt"),
        (2, "client list --nonsense"),
        (2, "client list --output yaml"),
        (2, "client show"),
        (2, "explain"),
        (2, "explain nonsense --data data"),
        (
            3,
            "explain 01890a5d-ac96-774b-bcce-b302099a8057 --data data",
        ),
        (2, "apply"),
        (2, "apply my.toml --allow-removals 1"),
        (2, "credential add-secret reader --expires-in soon"),
        (2, "dev --listen nowhere"),
        (2, "completions"),
        (2, "--color sometimes client list"),
    ] {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let Ended {
            code,
            stdout,
            stderr,
        } = place.run(&arguments);
        assert_eq!(code, Some(expected), "{line}: {stdout}{stderr}");
        if expected == 0 {
            assert_ne!(stdout, "", "{line}");
        } else {
            assert_ne!(stderr, "", "{line}");
        }
    }
}

/// Also while it waits for a database that does not answer, and for its input.
#[test]
fn ctrl_c_ends_every_command_at_once() {
    let place = with_data();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgres://u@127.0.0.1:{port}/d");
    let health = format!("http://127.0.0.1:{port}");
    for arguments in [
        &["client", "list", "--database-url", &url][..],
        &["migrate", "--database-url", &url],
        &["health", &health],
        &["token", "inspect"],
    ] {
        let mut command = place.grantd(arguments);
        command.stdin(std::process::Stdio::piped());
        let mut running = crate::place::Running(command.spawn().unwrap());
        // Long enough to be waiting; an end before that would show below.
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert_eq!(running.0.try_wait().unwrap(), None, "{arguments:?}");
        running.signal(sent_for("INT", 2));
        crate::place::within_a_second("the end after Ctrl-C", || running.0.try_wait().unwrap());
    }
    eventually("the listener is there to the end", || {
        silent.local_addr().ok()
    });
}
