//! `grantd dev --data DIR`: what outlives the process.

use crate::place::Place;

/// One audience, a client that gets tokens, and one that introspects them; secrets in clear, as `dev` allows.
pub(crate) const CATALOG: &str = r#"
[[audience]]
id = "pricing"
scopes = ["read", "write"]
served_by = ["api"]

[[client]]
id = "reader"
secret = "reader-secret"
  [[client.policy]]
  audience = "pricing"
  scopes = ["read"]
  default_scopes = ["read"]
  claims = { roles = ["reader"] }

[[client]]
id = "api"
grants = []
secret = "api-secret"
"#;

#[test]
fn a_token_of_the_first_run_is_active_in_the_second() {
    let place = Place::new();
    place.write("my.toml", CATALOG);
    let first = place.dev(&["--data", "data", "--catalog", "my.toml"]);
    let token = first.token("reader", "reader-secret");
    let listen = first.authority().to_owned();
    assert!(first.interrupt().success());
    // Without the catalog: what it stated is in the data.
    let second = place.dev_on(&listen, &["--data", "data"]);
    assert!(second.is_active(("api", "api-secret"), &token));
    second.token("reader", "reader-secret");
    assert!(!second.log().contains("issuer changed"), "{}", second.log());
}

#[test]
fn another_issuer_on_the_same_data_is_warned_of() {
    let place = Place::new();
    let first = place.dev(&["--data", "data", "--issuer", "http://auth.example"]);
    assert!(first.interrupt().success());
    let second = place.dev(&["--data", "data", "--issuer", "http://other.example"]);
    let log = second.log();
    let warning = log
        .lines()
        .find(|line| line.contains("WARN"))
        .unwrap_or_default();
    assert!(
        warning.contains("http://auth.example") && warning.contains("http://other.example"),
        "{log}"
    );
}

/// Of some that start at once on a new directory, too, one works on it; a stale pid is no lock.
#[test]
fn a_second_dev_on_a_directory_is_refused_with_the_pid_of_the_first() {
    let place = Place::new();
    let first = place.dev(&["--data", "data"]);
    let dev = [
        "5",
        "grantd",
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--data",
        "data",
    ];
    let second = crate::place::ended(place.command("timeout").args(dev));
    assert_eq!(second.code, Some(1), "{second:?}");
    let pid = first.pid();
    let expected = format!("another `grantd dev` is using data (pid {pid})");
    assert!(second.stderr.contains(&expected), "{second:?}");
    first.token("archival-service", "archival-demo-secret");
    // The commands go on working.
    place.done(&["client", "list", "--data", "data"]);
    drop(first);
    assert_eq!(
        std::fs::read_to_string(place.path("data/dev.pid")).unwrap(),
        format!("{pid}\n")
    );
    assert!(place.dev(&["--data", "data"]).interrupt().success());
}

#[test]
fn a_directory_may_be_called_anything() {
    let place = Place::new();
    let name = "a b?c%41#ü";
    let dev = place.dev(&["--data", name]);
    dev.token("archival-service", "archival-demo-secret");
    assert!(
        place
            .done(&["client", "list", "--data", name])
            .contains("archival-service")
    );
}

#[test]
fn a_directory_without_data_is_told_with_what_to_do() {
    let place = Place::new();
    let ended = place.run(&["client", "list", "--data", "nowhere"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("start `grantd dev --data nowhere` first"),
        "{ended:?}"
    );
    assert!(!place.path("nowhere").exists());
}
