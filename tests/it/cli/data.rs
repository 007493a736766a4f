//! `grantd dev --data DIR`: what outlives the process.

use crate::place::Place;

/// One audience, a client that gets tokens, and one that introspects them; secrets in clear, as `dev` allows.
pub(super) const CATALOG: &str = r#"
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

#[test]
fn processes_that_start_at_once_on_new_data_use_one_sealing_key() {
    let place = Place::new();
    place.write("my.toml", CATALOG);
    let arguments = [
        "--data",
        "data",
        "--catalog",
        "my.toml",
        "--issuer",
        "http://auth.example",
    ];
    let starting = ["a", "b", "c"].map(|name| place.start(name, "127.0.0.1:0", &arguments));
    let running = starting.map(crate::place::Starting::ready);
    for dev in &running {
        let ready = place.done(&["health", dev.url("operations")]);
        assert_eq!(ready, "{\"ready\":true,\"degraded\":[]}\n");
    }
    // Each could open the key that another had sealed: else it were not ready.
    assert!(place.path("data/sealing.key").is_file());
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
